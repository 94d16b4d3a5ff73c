"""The catalogue of faults names every fault once, and only tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "explain" / "faults.md"
#: How many faults each letter has; what a letter means is a heading of the page.
FAULTS = {"N": 23, "E": 8, "C": 8, "K": 4, "L": 10, "P": 6, "S": 13, "G": 4, "X": 3}
IDS = [f"{letter}{n}" for letter, count in FAULTS.items() for n in range(1, count + 1)]
OF_A_FAULT = re.compile(r"^test_([a-z]\d+)_")
NONE_YET = "no test yet"


def rows() -> list[list[str]]:
    """The cells of each row that begins with an ID."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if re.fullmatch(r"[A-Z]\d+", row[0])]


def named() -> set[str]:
    """Every test that the page names, as file::function."""
    return {name for row in rows() for name in re.findall(r"`(test_\w+\.py::\w+)`", row[-1])}


@cache
def of_row() -> dict[str, str]:
    """What stands in the last cell of each row, by ID."""
    return {row[0]: row[-1] for row in rows()}


@cache
def tree() -> frozenset[str]:
    """Every test of the tree, as file::function; no two files share a name."""
    return frozenset(
        f"{path.name}::{node.name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def test_every_fault_stands_on_the_page_once() -> None:
    """In the order of the catalogue: no row is lost, doubled or made up."""
    assert [row[0] for row in rows()] == IDS
    assert {len(row) for row in rows()} == {4}


def test_every_row_has_a_test_of_its_own_or_says_why_not() -> None:
    """Its name begins with the ID of the row; a row without one gives the reason in words."""
    assert [
        row[0]
        for row in rows()
        if not re.search(rf"`test_\w+\.py::test_{row[0].lower()}_\w+`", row[-1])
        and not re.search(rf"{NONE_YET}: \w+", row[-1])
    ] == []


def test_every_named_test_is_there() -> None:
    """A test that is renamed or removed is renamed or removed on the page."""
    assert sorted(named() - tree()) == []


def test_every_test_of_a_fault_stands_in_its_row() -> None:
    """A test whose name begins with an ID is found where that fault is looked for."""
    lost = [
        test
        for test in sorted(tree())
        for fault in OF_A_FAULT.findall(test.partition("::")[2])
        if fault.upper() in IDS and f"`{test}`" not in of_row()[fault.upper()]
    ]
    assert lost == []
