"""Files over time: unchanged, touched, rewritten, growing, half-written, gone; and resuming."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.errors import ConfigError, SourceDown
from syncd.sources.base import Unread

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
TEXT = "id,name\n1,a\n2,b\n"
ROWS = [["1", "a"], ["2", "b"]]


def test_unchanged_file_is_not_opened(box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With size and date as they were, the file is not even opened."""
    box.put(TEXT)
    cursor = box.read().cursor

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(Path, "open", refuse)
    assert box.read(cursor=cursor).pages == []


def test_touched_file_gives_no_records(box: Any) -> None:
    """A new date on the same content moves the cursor and gives nothing; then it is known again."""
    path = box.put(TEXT)
    cursor = box.read().cursor
    box.date(path, timedelta(minutes=30))
    touched = box.read(cursor=cursor)
    assert (touched.rows, len(touched.pages)) == ([], 1)
    assert box.read(cursor=touched.cursor).pages == []


@pytest.mark.parametrize("content", ["id,name\n1,a\n2,c\n", TEXT + "3,c\n", "id,name\n"])
def test_changed_file_is_read_from_its_start(box: Any, content: str) -> None:
    """Rewritten, grown or cut: the file is read again whole, since the ledger knows what is new."""
    box.put(TEXT)
    cursor = box.read().cursor
    box.put(content, age=timedelta(minutes=30))
    assert box.read(cursor=cursor).rows == box.read().rows


@pytest.mark.parametrize("option", [{"delimiter": ";"}, {"header": 2}, {"encoding": "cp1251"}])
def test_other_options_read_known_files_again(box: Any, option: dict[str, Any]) -> None:
    """An option that changes what a record is makes a known file unknown; others do not."""
    box.put(TEXT)
    cursor = box.read().cursor
    assert box.read(cursor=cursor, page_records=7, settle="1s").pages == []
    assert box.read(cursor=cursor, **option).pages != []


@pytest.mark.parametrize(
    "cursor",
    [{}, {"files": 3}, {"options": "x"}, {"files": {"leads.csv": {"size": "big"}}}, {"v": None}],
)
def test_foreign_cursor_is_from_the_start(box: Any, cursor: dict[str, Any]) -> None:
    """A cursor that is not ours loses nothing: the file is read."""
    box.put(TEXT)
    assert box.read(cursor=cursor).rows == ROWS


def test_damaged_entry_is_from_the_start(box: Any) -> None:
    """One entry that cannot be understood is as if the file was never seen."""
    path = box.put(TEXT)
    cursor = dict(box.read().cursor)
    for value in (3, {"size": 1}):
        cursor["files"] = {str(path): value}
        assert box.read(cursor=cursor).rows == ROWS


@pytest.mark.parametrize("page_records", [1, 2, 3, 7])
def test_s11_resuming_after_each_page_loses_and_repeats_nothing(
    box: Any, page_records: int
) -> None:
    """A stop after any page, and a start with its cursor, give the same records in order."""
    rows = [f'{i},"x\ny",\n' if i % 5 == 0 else f"{i},b\n" for i in range(20)]
    box.put("id,name\n" + "\n".join(["", *rows]) + '1,"open\n2,z\n\n3,z\n')
    whole = box.read(page_records=page_records)
    seen, cursor = 0, None
    while True:
        stopped = box.source(page_records=page_records).read(cursor, now=NOW)
        page = next(stopped, None)
        if page is None:
            break
        stopped.close()
        expected = whole.pages[seen]
        assert (page.rows, page.lines, page.bad) == (expected.rows, expected.lines, expected.bad)
        seen, cursor = seen + 1, page.cursor
    assert seen == len(whole.pages)


def test_resuming_over_long_lines(box: Any) -> None:
    """A line that was too long to be held counts as one line when a file is read on."""
    box.put("id,name\n1,a\n2," + "x" * 2_000_000 + "\n3,c\n4,d\n")
    first = next(box.source(page_records=3).read(None, now=NOW))
    assert first.lines == [2, 4]
    assert box.read(cursor=first.cursor, page_records=3).lines == [5]


def test_a_file_replaced_while_stopped_is_read_from_its_start(box: Any) -> None:
    """A cursor in the middle belongs to that content only, even at the same size and date."""
    box.put("id,name\n1,a\n2,b\n3,c\n")
    cursor = next(box.source(page_records=1).read(None, now=NOW)).cursor
    box.put("id,name\n7,a\n8,b\n9,c\n")
    assert [row[0] for row in box.read(cursor=cursor).rows] == ["7", "8", "9"]


def test_s1_still_being_written(box: Any) -> None:
    """A file is read once it has been still for `settle`, not before."""
    box.put(TEXT, age=timedelta(seconds=20))
    assert [(page.rows, page.unread) for page in box.read(settle="30s").pages] == [([], Unread(1))]
    assert box.read(settle="30s", now=NOW + timedelta(seconds=10)).rows == ROWS
    assert box.read(settle="0s").rows == ROWS


@pytest.mark.parametrize(("ahead", "rows"), [(timedelta(hours=1), []), (timedelta(days=3), ROWS)])
def test_date_in_the_future(box: Any, ahead: timedelta, rows: list[Any]) -> None:
    """A clock that is ahead makes a file wait; a date that is plainly wrong does not, for ever."""
    box.put(TEXT, age=-ahead)
    assert box.read().rows == rows


@pytest.mark.parametrize("tail", ["3,c", '3,"c', '3,"c\n', '3,"c\n4,d\n5'])
def test_s1_last_line_without_end_waits(box: Any, tail: str) -> None:
    """Half a record at the end is not read until the file was still for long; then it is, once."""
    box.put(TEXT + tail, age=timedelta(minutes=1))
    early = box.read()
    assert early.rows == ROWS
    assert early.bad == []
    again = box.read(cursor=early.cursor)
    assert [(page.rows, page.unread) for page in again.pages] == [([], Unread(last_lines=1))]
    assert (early.pages[-1].unread, again.cursor) == (Unread(last_lines=1), early.cursor)
    late = box.read(cursor=early.cursor, now=NOW + timedelta(minutes=10))
    assert late.rows or late.bad
    assert not late.pages[-1].unread
    assert min([*late.lines, *(bad.line for bad in late.bad)]) == 4
    assert box.read(cursor=late.cursor, now=NOW + timedelta(minutes=20)).pages == []
    assert box.read(now=NOW + timedelta(minutes=10)).rows == ROWS + late.rows


def test_last_line_that_was_completed_is_read_whole(box: Any) -> None:
    """When the writer goes on, the half record that waited comes whole."""
    box.put(TEXT + "3,+1212555", age=timedelta(minutes=1))
    cursor = box.read().cursor
    box.put(TEXT + "3,+12125550100\n", age=timedelta(seconds=31))
    assert box.read(cursor=cursor).rows[-1] == ["3", "+12125550100"]


def test_long_last_line_without_end_waits(box: Any) -> None:
    """A line too long to be held waits for its end as any other does."""
    box.put(TEXT + "3," + "x" * 2_000_000, age=timedelta(minutes=1))
    early = box.read()
    assert (early.rows, early.bad, early.pages[-1].unread) == (ROWS, [], Unread(last_lines=1))
    late = box.read(cursor=early.cursor, now=NOW + timedelta(hours=1))
    assert late.reasons == [(4, "record_too_long")]


def test_marker(box: Any) -> None:
    """With a marker the file is read when the marker is there and not older, and at once."""
    path = box.put(TEXT + "3,c", age=timedelta(seconds=1))
    option = {"complete_marker": "{path}.done"}
    assert [(page.rows, page.unread) for page in box.read(**option).pages] == [([], Unread(1))]
    marker = box.put("", "leads.csv.done", age=timedelta(seconds=2))
    assert box.read(**option).rows == []
    box.date(marker, timedelta(seconds=1))
    assert len(box.read(**option).rows) == 3
    assert path.exists()


def test_marker_in_the_folder_and_markers_in_a_glob(box: Any) -> None:
    """A marker may be one for a folder; a glob does not read markers as exports."""
    box.put(TEXT, age=timedelta(seconds=1))
    box.put("x,y\n1,2\n", "_SUCCESS", age=timedelta(seconds=0))
    assert box.read("*", complete_marker="_SUCCESS").rows == ROWS


def test_renamed_files_are_complete(box: Any) -> None:
    """With renamed = true a file that is there is read at once, with its last line."""
    box.put(TEXT + "3,c", age=timedelta(seconds=0))
    assert len(box.read(renamed=True).rows) == 3


def test_names_of_unfinished_files_are_left_out_of_a_glob(box: Any) -> None:
    """Names that writers use until they rename are ignored by a glob, not when named."""
    box.put(TEXT, "a.csv")
    for name in ("b.csv.tmp", "c.part", "d.filepart", "e.csv~", ".f.csv"):
        box.put(TEXT, name)
    assert {Path(page.origin).name for page in box.read("*").pages} == {"a.csv"}
    assert box.read("b.csv.tmp").rows == ROWS
    assert len(box.read("*", ignore=()).rows) == 2 * 5


def test_glob_reads_oldest_first_and_into_folders(box: Any) -> None:
    """Files come in the order of their dates, so that the newest word on a lead comes last."""
    (box.folder / "sub").mkdir()
    box.put("id,name\n1,new\n", "a.csv", age=timedelta(hours=1))
    box.put("id,name\n1,old\n", "sub/b.csv", age=timedelta(hours=2))
    got = box.read("**/*.csv")
    assert [row[1] for row in got.rows] == ["old", "new"]
    assert [page.progress for page in got.pages] == [0.5, 1.0]


def test_gone_files_leave_the_cursor(box: Any) -> None:
    """The cursor holds only files that are there: it does not grow for ever."""
    old = box.put(TEXT, "a.csv")
    box.put(TEXT, "b.csv")
    cursor = box.read("*.csv").cursor
    assert len(cursor["files"]) == 2
    old.unlink()
    after = box.read("*.csv", cursor=cursor)
    assert (after.rows, len(after.pages)) == ([], 1)
    assert len(after.cursor["files"]) == 1


def test_too_many_files(box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A glob that names too many files is a mistake to mend, not a cursor without bound."""
    monkeypatch.setattr("syncd.sources.file_settle.FILES_MAX", 2)
    for name in "abc":
        box.put(TEXT, f"{name}.csv")
    with pytest.raises(ConfigError, match="more than 2 files"):
        box.read("*.csv")


def test_nothing_there(box: Any) -> None:
    """A glob may find nothing; a named file, or the folder of a glob, has to be there."""
    assert box.read("*.csv").pages == []
    with pytest.raises(SourceDown, match="not there") as caught:
        box.read("leads.csv")
    assert str(box.folder) not in str(caught.value)
    with pytest.raises(SourceDown):
        box.read("away/*/*.csv")


def test_only_regular_files(box: Any) -> None:
    """Folders and pipes are refused when named and left out of a glob; links are followed."""
    (box.folder / "d.csv").mkdir()
    os.mkfifo(box.folder / "p.csv")
    (box.folder / "dead.csv").symlink_to(box.folder / "nowhere")
    path = box.put(TEXT, "real.txt")
    (box.folder / "link.csv").symlink_to(path)
    assert [Path(page.origin).name for page in box.read("*.csv").pages] == ["link.csv"]
    for name in ("d.csv", "p.csv"):
        with pytest.raises(ConfigError, match="no regular file"):
            box.read(name)


def test_brackets_in_a_real_name(box: Any) -> None:
    """A file that is there under the very name is meant, though the name reads like a glob."""
    box.put(TEXT, "leads[1].csv")
    assert box.read("leads[1].csv").rows == ROWS


def test_an_empty_file_gives_nothing(box: Any) -> None:
    """A file of no bytes is as if it was not there yet."""
    box.put("")
    assert box.read().pages == []


def test_unreadable_file_does_not_hold_up_the_others(
    box: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without permission is reported after the others were read."""
    bad = box.put(TEXT, "a.csv", age=timedelta(hours=3))
    box.put(TEXT, "b.csv")
    opened = Path.open

    def guarded(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self == bad:
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", guarded)
    pages = box.source("*.csv").read(None, now=NOW)
    assert next(pages).rows == ROWS
    with pytest.raises(SourceDown, match="Permission denied"):
        next(pages)


def test_named_file_that_cannot_be_looked_at(box: Any) -> None:
    """An error of the system about a named file is the source being down, with a hint."""
    box.put(TEXT)
    with pytest.raises(SourceDown, match="cannot read") as caught:
        box.read("leads.csv/below.csv")
    assert caught.value.hint


def test_names_that_no_file_can_have(box: Any) -> None:
    """A glob or a marker that is too long for the file system: no such file, or the folder away."""
    box.put(TEXT)
    assert box.read(f"{'n' * 300}*.csv").pages == []
    assert box.read(complete_marker="m" * 300).rows == []
    with pytest.raises(SourceDown, match="too long"):
        box.read(f"{'n' * 300}/*.csv")
    with pytest.raises(SourceDown, match="too long"):
        box.read("n" * 300)


def test_s4_change_while_reading_stops_before_the_next_page(box: Any) -> None:
    """A file that grows under our hands gives no more pages, and is read again when it is still."""
    path = box.put("id,name\n" + "".join(f"{i},b\n" for i in range(100)))
    pages = box.source(page_records=10).read(None, now=NOW)
    first = next(pages)
    with path.open("a") as file:
        file.write("100,b\n")
    assert [(page.rows, page.unread) for page in pages] == [([], Unread(1))]
    box.date(path, timedelta(minutes=5))
    assert len(box.read(cursor=first.cursor).rows) == 101


def test_change_at_the_end_keeps_the_last_page(box: Any) -> None:
    """The last page is given only when the file is still what it was at its opening."""
    path = box.put("id,name\n" + "".join(f"{i},b\n" for i in range(15)))
    pages = box.source(page_records=10).read(None, now=NOW)
    assert len(next(pages).rows) == 10
    box.date(path, timedelta(minutes=5))
    assert [(page.rows, page.unread) for page in pages] == [([], Unread(1))]


def test_s4_change_between_listing_and_opening(box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is another one when it is opened is left to the next poll."""
    path = box.put(TEXT)
    opened = Path.open

    def swap(self: Path, *args: Any, **kwargs: Any) -> Any:
        os.utime(path)
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", swap)
    assert [(page.rows, page.unread) for page in box.read().pages] == [([], Unread(1))]


def test_stopping_closes_the_file(box: Any) -> None:
    """Closing the iterator between two pages leaves no file open."""
    box.put("id,name\n" + "1,b\n" * 100)
    before = len(list(Path("/proc/self/fd").iterdir()))
    pages = box.source(page_records=10).read(None, now=NOW)
    next(pages)
    pages.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
