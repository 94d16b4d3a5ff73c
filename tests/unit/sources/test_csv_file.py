"""The kind "csv" through the Protocol: plain files, pages, cursors."""

from __future__ import annotations

from typing import Any


def test_plain_file_gives_rows_with_lines_and_columns(box: Any) -> None:
    """A plain UTF-8 export is read whole: names, values as text, physical line numbers."""
    box.put("id,name\n1,Anna\n2,Борис\n")
    got = box.read()
    assert got.columns == ("id", "name")
    assert got.rows == [["1", "Anna"], ["2", "Борис"]]
    assert got.lines == [2, 3]
    assert got.pages[-1].progress == 1.0


def test_unchanged_file_is_not_read_again(box: Any) -> None:
    """With the cursor of the last page there is nothing to read."""
    box.put("id,name\n1,Anna\n")
    assert box.read(cursor=box.read().cursor).pages == []
