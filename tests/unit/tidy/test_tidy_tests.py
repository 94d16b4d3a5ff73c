"""The tests say what they claim, and their files can be told apart."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[2]
FILES = sorted(TESTS.rglob("test_*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions and methods of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_each_test_states_its_claim() -> None:
    """A test function has a docstring: the sentence that is true when it passes."""
    silent = [
        f"{path.relative_to(TESTS)}:{node.lineno} {node.name}"
        for path in FILES
        for node in functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_two_test_files_share_a_name() -> None:
    """A failure names its file: one name, one file."""
    names = Counter(path.name for path in FILES)
    assert [name for name, count in names.items() if count > 1] == []


def test_the_page_of_the_tests_names_each_of_their_places() -> None:
    """Whoever looks for a test, or for a helper, finds its folder or file there."""
    page = (TESTS / "README.md").read_text(encoding="utf-8")
    places = [f"{at.name}/" for at in TESTS.iterdir() if at.is_dir() and at.name != "__pycache__"]
    places += [at.name for at in TESTS.glob("*.py")]
    assert [place for place in sorted(places) if f"`{place}`" not in page] == []


def test_the_page_about_kills_names_each_command_of_the_stories() -> None:
    """Commands that are killed are told there, and no others."""
    told = (TESTS.parent / "docs/explain/kills.md").read_text(encoding="utf-8")
    listed = re.findall(r"`([a-z]+)`", told.split("the real command line (")[1].split(")")[0])
    stories = (TESTS / "crash/stories.py").read_text(encoding="utf-8")
    given = set(re.findall(r"scene\.do\(f?\"([a-z]+)", stories))
    assert set(listed) - {"run"} == given  # `run` is started otherwise


def test_no_test_sleeps() -> None:
    """A test waits on an event or moves the clock: `time.sleep` makes it slow or flaky."""
    sleepers = [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"time", "asyncio"}
    ]
    assert sleepers == []
