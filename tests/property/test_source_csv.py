"""Laws of reading CSV: what was written is read, nothing is lost, and a stop changes nothing."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from syncd.errors import ConfigError, SourceDown
from syncd.sources import csv_grammar, csv_text
from syncd.sources.base import Page
from syncd.sources.csv_file import CsvSource
from syncd.sources.csv_text import split_lines

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
OLD_NS = int(NOW.timestamp() - 3600) * 10**9
QUOTINGS = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]


def _read(content: bytes, cursor: Any = None, now: datetime = NOW, **options: Any) -> list[Page]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "leads.csv"
        path.write_bytes(content)
        os.utime(path, ns=(OLD_NS, OLD_NS))
        opened = CsvSource.open(
            "crm", CsvSource.Options.model_validate({"path": str(path)} | options)
        )
        return list(opened.read(cursor, now=now))


def _rows(pages: list[Page]) -> list[list[Any]]:
    return [list(row) for page in pages for row in page.rows]


@st.composite
def tables(draw: st.DrawFn, encoding: str) -> list[list[str]]:
    width = draw(st.integers(1, 5))
    letters = st.characters(codec=encoding, exclude_characters="\0\ufeff")
    value = st.text(
        letters | st.sampled_from("\",;'\t\r\n \u2028\x85" if "utf" in encoding else "\",;'\r\n "),
        max_size=8,
    )
    row = st.lists(value, min_size=width, max_size=width)
    return draw(st.lists(row, max_size=12))


@settings(max_examples=120, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_what_a_writer_wrote_is_read_back(encoding: str, data: st.DataObject) -> None:
    """Any table, in any dialect and encoding that csv.writer makes, is read back equal."""
    table = data.draw(tables(encoding))
    delimiter = data.draw(st.sampled_from(",;\t|^"))
    quote = data.draw(st.sampled_from("\"'`"))
    out = io.StringIO(newline="")
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    # QUOTE_MINIMAL leaves a line end bare when it is not the one of the dialect (Python's own bug).
    quotings = QUOTINGS if end == "\r\n" else QUOTINGS[1:]
    writer = csv.writer(
        out,
        delimiter=delimiter,
        quotechar=quote,
        quoting=data.draw(st.sampled_from(quotings)),
        lineterminator=end,
    )
    columns = [f"c{i}" for i in range(len(table[0]))] if table else ["c0"]
    writer.writerow(columns)
    writer.writerows(table)
    text = out.getvalue()
    # A line of blanks alone is no record by our rule.
    assume(all(len(row) == 1 or any(v.strip() for v in row) or delimiter != "\t" for row in table))
    pages = _read(
        text.encode(encoding),
        delimiter=delimiter,
        quote=quote,
        encoding=encoding,
        page_records=data.draw(st.integers(1, 5)),
    )
    assert [bad for page in pages for bad in page.bad] == []
    assert _rows(pages) == table
    assert all(page.columns == tuple(columns) for page in pages)


@settings(max_examples=120, deadline=None)
@given(data=st.data(), delimiter=st.sampled_from(",;\t|"))
def test_the_delimiter_of_a_written_table_is_found(data: st.DataObject, delimiter: str) -> None:
    """A table of words and numbers is read back without being told how it was written."""
    words = st.text("abcdefghijk lmnop-XYZ", min_size=1, max_size=9).filter(str.strip)
    width = data.draw(st.integers(2, 6))
    rows = data.draw(
        st.lists(st.lists(words, min_size=width, max_size=width), min_size=1, max_size=9)
    )
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([[f"name {i}" for i in range(width)], *rows])
    assert _rows(_read(out.getvalue().encode())) == rows


ugly_line = st.one_of(
    st.sampled_from(
        ["", "  ", "1,a", "2,b", "3,c,", "4", ",", '5,"open', '6,"a""b"', '7,"a"b', '"', "\x1a"]
    ),
    st.text('ab,"\0\u0416', max_size=6),
)


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(ugly_line, max_size=30),
    end=st.sampled_from(["\n", "\r\n"]),
    ended=st.booleans(),
    page_records=st.integers(1, 4),
    block=st.sampled_from([7, 16, 64, 1 << 18]),
)
def test_every_line_is_a_record_or_bad_or_blank(
    lines: list[str], end: str, ended: bool, page_records: int, block: int
) -> None:
    """Records and bad records stand in order, and cover every line that is not blank, once."""
    text = "id,name" + end + end.join(lines) + (end if ended else "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "BLOCK_BYTES", block)
        pages = _read(text.encode(), page_records=page_records, delimiter=",", quote='"')
    starts: dict[int, list[Any] | None] = {}
    for page in pages:
        assert len(page.rows) + len(page.bad) <= page_records
        starts |= dict.fromkeys((bad.line for bad in page.bad), None)
        starts |= {line: list(row) for line, row in zip(page.lines, page.rows, strict=True)}
    physical = split_lines(text)
    assert len(starts) == sum(len(page.rows) + len(page.bad) for page in pages)
    ordered = sorted(starts)
    for at, line in enumerate(physical[1:], 2):
        covered = at in starts or any(start < at for start in ordered)
        assert covered or not line.strip(" \t\r\n\x1a")
    for start, after in zip(ordered, [*ordered, len(physical) + 1][1:], strict=True):
        row = starts[start]
        raw = "".join(physical[start - 1 : after - 1])
        if row is not None:  # the row is what the csv module makes of these lines alone
            assert next(csv.reader(io.StringIO(raw, newline=""), strict=True)) == row


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(ugly_line, max_size=30),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    ended=st.booleans(),
    complete=st.booleans(),
    block=st.sampled_from([7, 64, 1 << 18]),
    held=st.integers(0, 40),
)
def test_how_much_is_held_changes_no_line(
    lines: list[str], end: str, ended: bool, complete: bool, block: int, held: int
) -> None:
    """Records begin at the same lines, whether their ends are waited for or looked for ahead."""
    # Half a last line that waits is seen only by the one that looks ahead.
    text = "id,name" + end + end.join(lines) + (end if ended or not complete else "")
    age = timedelta(seconds=0 if complete else 3000)  # 10 minutes old: an open record waits
    options: dict[str, Any] = {"delimiter": ",", "quote": '"', "last_line_after": "1h"}

    def read(chars: int) -> tuple[dict[int, list[Any]], list[int], Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_text, "BLOCK_BYTES", block)
            patch.setattr(csv_grammar.Shape, "open_max", chars)
            pages = _read(text.encode(), now=NOW - age, **options)
        rows = {n: list(r) for page in pages for n, r in zip(page.lines, page.rows, strict=True)}
        starts = sorted([*rows, *(bad.line for page in pages for bad in page.bad)])
        files = pages[-1].cursor["files"] if pages else {}
        assert isinstance(files, dict)
        return rows, starts, [(entry["lines"], entry["state"]) for entry in files.values()]

    rows, starts, ends = read(1 << 30)
    few_rows, few_starts, few_ends = read(held)
    assert (few_starts, few_ends) == (starts, ends)
    assert few_rows.items() <= rows.items()


@st.composite
def long_records(draw: st.DrawFn) -> tuple[list[list[str]], list[int]]:
    """Rows of three values, and which of them hold more than a value may."""
    line = st.one_of(
        st.sampled_from(["9,Eve,10", '9,"Eve",10', '"', '""', '",', ',"', "", "word " * 10]),
        st.text('ab",;\r\n ', max_size=12),
        st.integers(900, 2200).map("x".__mul__),
    )
    value = st.lists(line, min_size=1, max_size=8).map("\n".join)
    long = st.builds(lambda text, n: (text + "y") * n, value, st.integers(60, 120))
    rows, at = [], []
    for i in range(draw(st.integers(0, 6))):
        row = [str(i), draw(st.text('ab",\n', max_size=6)), "10"]
        if draw(st.booleans()):
            row[draw(st.integers(0, 2))] = draw(long)
            at.append(i)
        rows.append(row)
    return rows, at


@settings(max_examples=120, deadline=None)
@given(
    made=long_records(),
    end=st.sampled_from(["\n", "\r\n"]),
    ended=st.booleans(),
    page_records=st.integers(1, 3),
    block=st.sampled_from([61, 256, 4096, 1 << 18]),
)
def test_a_long_record_is_one_bad_record(
    made: tuple[list[list[str]], list[int]], end: str, ended: bool, page_records: int, block: int
) -> None:
    """However its lines look and wherever it is cut, it is bad once; the others are read."""
    table, long = made
    out, starts = io.StringIO(newline=""), []
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=end)
    for row in [["id", "name", "phone"], *table]:
        starts.append(len(split_lines(out.getvalue())) + 1)
        writer.writerow(row)
    text = out.getvalue() if ended else out.getvalue().removesuffix(end)
    options: dict[str, Any] = {"field_bytes_max": 59, "record_bytes_max": 1024}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "BLOCK_BYTES", block)
        patch.setattr(csv_grammar, "OPEN_CHARS_MAX", 0)
        pages = _read(text.encode(), page_records=page_records, delimiter=",", quote='"', **options)
    assert _rows(pages) == [row for i, row in enumerate(table) if i not in long]
    bad = [bad for page in pages for bad in page.bad]
    assert [one.line for one in bad] == [starts[i + 1] for i in long]
    assert {one.reason for one in bad} <= {"field_too_long", "record_too_long"}
    assert all(len(page.rows) + len(page.bad) <= page_records for page in pages)


@settings(max_examples=80, deadline=None)
@given(lines=st.lists(ugly_line, max_size=20), page_records=st.integers(1, 3))
def test_a_stop_after_any_page_changes_nothing(lines: list[str], page_records: int) -> None:
    """Reading on from the cursor of any page gives exactly the pages that were left."""
    content = ("id,name\n" + "\n".join(lines) + "\n").encode()
    options = {"page_records": page_records, "delimiter": ",", "quote": '"'}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "leads.csv"
        path.write_bytes(content)
        os.utime(path, ns=(OLD_NS, OLD_NS))
        source = CsvSource.open(
            "crm", CsvSource.Options.model_validate({"path": str(path)} | options)
        )
        whole = list(source.read(None, now=NOW))
        for at, page in enumerate(whole):
            rest = list(source.read(page.cursor, now=NOW))
            assert [(p.rows, p.lines, p.bad, p.cursor) for p in rest] == [
                (p.rows, p.lines, p.bad, p.cursor) for p in whole[at + 1 :]
            ]


@settings(max_examples=120, deadline=None)
@given(content=st.binary(max_size=300), header=st.booleans())
def test_no_bytes_crash_the_reader(content: bytes, header: bool) -> None:
    """Whatever the bytes, reading ends with pages or an error of ours."""
    try:
        pages = _read((b"id,name\n" if header else b"") + content)
    except (ConfigError, SourceDown):
        return
    for page in pages:
        assert all(len(row) == len(page.columns) for row in page.rows)
