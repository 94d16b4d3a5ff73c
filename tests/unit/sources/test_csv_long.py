"""Records over many lines that are too long to hold: one rejection each, and no line is misread."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from syncd.sources.base import Unread
from syncd.sources.csv_text import digest_of

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
HEADER = "id,name,phone\n"
#: More text than is held, in lines each of which would be a record by itself.
LINES = 25_000
ROW = f"9,{'Eve ' * 25},10\n"
LIKE_RECORDS = (ROW * LINES).removesuffix("\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_value_of_megabytes_with_line_ends_is_one_bad_record(read_text: Any, end: str) -> None:
    """No line of such a value is a record, whatever it looks like; reading goes on after it."""
    text = f'{HEADER}1,a,10\n2,"{LIKE_RECORDS}",20\n3,c,30\n4,"d\nd",40\n'.replace("\n", end)
    got = read_text(text)
    assert got.reasons == [(3, "field_too_long")]
    assert (got.bad[0].column, got.bad[0].detail) == ("name", f"lines 3 to {LINES + 2}")
    assert got.rows == [["1", "a", "10"], ["3", "c", "30"], ["4", f"d{end}d", "40"]]
    assert got.lines == [2, LINES + 3, LINES + 4]


def test_its_digest_is_that_of_its_text(read_text: Any) -> None:
    """A long record is known again by its text, wherever it stands and whatever ends it."""
    record = f'2,"{LIKE_RECORDS}\n\n",20'
    got = read_text(f"{HEADER}1,a,10\n{record}\n{record}\r\n{record}")
    assert [bad.digest for bad in got.bad] == [digest_of(record)] * 3
    assert [bad.line for bad in got.bad] == [3, LINES + 5, 2 * LINES + 7]


def test_doubled_quotes_do_not_end_it(read_text: Any) -> None:
    """A pair of quotes is text, also before a delimiter, a line end and the end of a block."""
    pairs = 'say ""hi"",\n""\n"""",\n""""""' * 100_000
    got = read_text(f'{HEADER}1,"{pairs}",10\n2,b,20\n')
    assert got.reasons == [(2, "field_too_long")]
    assert got.rows == [["2", "b", "20"]]


@pytest.mark.parametrize(
    "value",
    [
        "first\n" + "x" * 3_000_000 + "\nlast",
        "x" * 3_000_000 + "\n9,Eve,10\nlast",
        "x" * 3_000_000 + "\n" + "y" * 3_000_000,
        '""' * 1_500_000 + "\n9,Eve,10\n" + '""' * 1_500_000,
        LIKE_RECORDS + "\n" + "x" * 3_000_000 + "\n" + LIKE_RECORDS,
    ],
    ids=["inner", "first", "both", "quotes", "between"],
)
def test_lines_that_are_too_long_belong_to_it(read_text: Any, value: str) -> None:
    """A line over record_bytes_max inside a quoted value is a part of its record."""
    got = read_text(f'{HEADER}1,a,10\n2,"{value}",20\n3,c,30\n')
    assert got.reasons == [(3, "field_too_long")]
    assert got.rows == [["1", "a", "10"], ["3", "c", "30"]]


@pytest.mark.parametrize("kind", ["gzip", "zstd", "zip", "utf-16"])
def test_packed_and_in_other_encodings(box: Any, kind: str) -> None:
    """Looking ahead works in everything that can be read."""
    text = f'{HEADER}1,a,10\n2,"{LIKE_RECORDS}",20\n3,c,30\n'
    raw = text.encode("utf-16" if kind == "utf-16" else "utf-8")
    if kind == "gzip":
        raw = gzip.compress(raw)
    elif kind == "zstd":
        raw = zstandard.compress(raw)
    elif kind == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("leads.csv", raw)
        raw = packed.getvalue()
    box.put(raw)
    got = box.read(unpacked_ratio_max=100_000)
    assert got.reasons == [(3, "field_too_long")]
    assert got.lines == [2, LINES + 3]


def test_a_record_of_many_long_values(read_text: Any) -> None:
    """A record that is too long to hold, though none of its values is, is bad as a record."""
    value = ("a" * 49 + "\n") * 1000
    columns = [f"c{i}" for i in range(60)]
    long = ",".join(f'"{value}"' for _ in columns)
    row = ",".join(columns)
    got = read_text(f"{row}\n{long}\n{row}\n")
    assert got.reasons == [(2, "record_too_long")]
    assert got.bad[0].column is None
    assert got.rows == [columns]


def test_a_raised_limit_lets_it_through(read_text: Any) -> None:
    """What field_bytes_max allows is held and read, however long."""
    value = LIKE_RECORDS
    got = read_text(f'{HEADER}1,"{value}",10\n2,b,20\n', field_bytes_max=4_000_000)
    assert got.bad == []
    assert got.rows == [["1", value, "10"], ["2", "b", "20"]]


def test_a_page_after_it_can_be_the_start(box: Any) -> None:
    """A stop behind any page loses and repeats nothing, with long records before and after."""
    long = f'2,"{LIKE_RECORDS}",20\n'
    box.put(f"{HEADER}1,a,10\n{long}\n{long}3,c,30\n4,d,40\n")
    whole = box.read(page_records=1)
    seen, cursor = 0, None
    while True:
        reading = box.source(page_records=1).read(cursor, now=NOW)
        page = next(reading, None)
        reading.close()
        if page is None:
            break
        expected = whole.pages[seen]
        assert (page.rows, page.lines, page.bad) == (expected.rows, expected.lines, expected.bad)
        seen, cursor = seen + 1, page.cursor
    assert seen == len(whole.pages) == 5


def test_a_stray_quote_far_before_the_next_one(read_text: Any) -> None:
    """A quote whose next one closes it badly costs its line; the rows between are records."""
    rows = ROW * LINES
    got = read_text(f'{HEADER}1,"a,10\n{rows}4,"c",30\n5,"d,30\n{rows}6,"c",30\n')
    assert got.reasons == [(2, "quote_open"), (LINES + 4, "quote_open")]
    assert len(got.rows) == 2 * LINES + 2


def test_a_stray_quote_that_closes_by_chance_far_away(read_text: Any) -> None:
    """A record of the wrong width that ate rows gives them back, however many."""
    rows = ROW * LINES
    got = read_text(f'{HEADER}1,"a,10\n{rows}4,c",30,x\n5,d,30\n')
    assert got.reasons == [(2, "quote_open"), (LINES + 3, "row_too_long")]
    assert len(got.rows) == LINES + 1


def test_a_long_record_of_the_wrong_width_without_rows_in_it(read_text: Any) -> None:
    """Text that holds no rows is one bad record, though values are missing after it."""
    letter = "dear all, of you\n" * 300_000
    got = read_text(f'{HEADER}1,"{letter}"\n2,b,20\n')
    assert got.reasons == [(2, "field_too_long")]
    assert got.rows == [["2", "b", "20"]]


@pytest.mark.parametrize("between", ["", ROW, ROW * LINES], ids=["at once", "near", "far"])
def test_a_stray_quote_before_a_long_record(read_text: Any, between: str) -> None:
    """The quote that ends a stray one may begin a long value: its lines are no records."""
    long = f'2,"{LIKE_RECORDS}\n{"x" * 3_000_000}",20\n'
    got = read_text(f'{HEADER}1,"a,10\n{between}{long}5,c,30\n')
    line = 3 + between.count("\n")
    assert got.reasons == [(2, "quote_open"), (line, "field_too_long")]
    assert len(got.rows) == between.count("\n") + 1


@pytest.mark.parametrize("rest", [LIKE_RECORDS + "\n", "x" * 3_000_000 + "\n" + ROW])
@pytest.mark.parametrize("last", ["", '",20', '",20\n'])
def test_a_long_value_that_is_still_being_written_waits(box: Any, rest: str, last: str) -> None:
    """Its lines are no records while its end may come; when it does, the record is one."""
    box.put(f'{HEADER}1,a,10\n2,"{rest}{last}', age=timedelta(minutes=1))
    early = box.read()
    assert early.rows == [["1", "a", "10"]]
    whole = last.endswith("\n")
    assert early.pages[-1].unread == Unread(last_lines=not whole)
    assert early.reasons == ([(3, "field_too_long")] if whole else [])
    late = box.read(cursor=early.cursor, now=NOW + timedelta(minutes=10))
    if last:
        assert late.rows == []
        assert early.reasons + late.reasons == [(3, "field_too_long")]
    else:  # the quote never closes: its line is bad, and the next ones are records
        assert late.reasons[0] in [(3, "quote_open"), (3, "record_too_long")]
        assert {row[0] for row in late.rows} == {"9"}
    assert box.read(cursor=(late if late.pages else early).cursor).pages == []


def test_without_quotes_each_long_line_is_alone(read_text: Any) -> None:
    """Where nothing is quoted, a quote at the start of a long line opens nothing."""
    got = read_text(f'{HEADER}1,"{"x" * 3_000_000}\n2,b,20\n3,c",30\n', quote="")
    assert got.reasons == [(2, "record_too_long")]
    assert got.rows == [["2", "b", "20"], ["3", 'c"', "30"]]


def test_a_file_that_is_replaced_while_looking_ahead(
    box: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When another file stands there at the second look, no page comes of what the first saw."""
    path = box.put(f'{HEADER}1,a,10\n2,"{LIKE_RECORDS}",20\n3,c,30\n')
    opened = Path.open
    seen = []

    def replace(self: Path, *args: Any, **kwargs: Any) -> Any:
        seen.append(self)
        if len(seen) == 2:
            path.rename(path.with_suffix(".old"))
            box.put(HEADER)
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", replace)
    got = box.read(page_records=1)
    assert [(page.rows, page.bad, page.unread) for page in got.pages] == [([], [], Unread(1))]


def test_stopping_closes_the_second_reading(box: Any) -> None:
    """Closing the iterator between two pages leaves no file open, though it looked ahead."""
    box.put(f'{HEADER}2,"{LIKE_RECORDS}",20\n1,a,10\n3,c,30\n')
    before = len(list(Path("/proc/self/fd").iterdir()))
    pages = box.source(page_records=1).read(None, now=NOW)
    next(pages)
    pages.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
