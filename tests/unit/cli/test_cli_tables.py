"""Tables, CSV and JSON lists: nothing is cut, nothing runs, nothing is gathered in memory."""

from __future__ import annotations

import csv
import io
import json

import pytest

from syncd.cli import tables


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+7916***4567", "'+7916***4567"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("+12125550101", "+12125550101"),
        ("plain", "plain"),
        (12, "12"),
        (None, ""),
    ],
)
def test_a_cell_is_made_harmless(value: object, shown: str) -> None:
    """A formula gets an apostrophe; a whole phone stays a phone."""
    assert tables.harmless(value) == shown


def test_csv_quotes_what_needs_it() -> None:
    """Line ends, quotes and commas come back as they were; the rows are counted."""
    out = io.StringIO(newline="")
    rows = [{"a": 'x "y", z', "b": "two\nlines"}, {"a": "1"}]
    assert tables.write_csv(out, ("a", "b"), rows) == 2
    back = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert back == [["a", "b"], ['x "y", z', "two\nlines"], ["1", ""]]
    assert tables.write_csv(io.StringIO(), ("a",), []) == 0


@pytest.mark.parametrize("items", [[], [{"a": 1}], [1, "two", None]])
def test_a_json_list_is_json(items: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    """An array of any length, printed item by item."""
    tables.print_json_list(iter(items))
    assert json.loads(capsys.readouterr().out) == items


def test_a_long_identifier_goes_on_in_the_next_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 100 columns no letter of a key is lost, and no mark is taken for a style."""
    monkeypatch.setenv("COLUMNS", "100")
    key = "k[red]" + "x" * 200
    table = tables.new_table("sync", "key")
    table.add_row("crm", key)
    tables.console().print(table)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    shown = "".join(line.removeprefix("crm").strip() for line in lines[1:])
    assert shown == key


def test_control_characters_are_not_printed() -> None:
    """A value of a record cannot move the cursor or colour the terminal."""
    assert tables.cell("a\x1b[31mb\nc") == "a?[31mb?c"
    assert tables.cell(1234567) == "1,234,567"
    assert tables.cell(None) == ""
    assert tables.cell(value=True) == "True"
