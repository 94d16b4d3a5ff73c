"""How a file is laid out: delimiter, quote, and where its header stands; from a bounded sample.

Says no rather than guessing where a wrong guess would make names out of data.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from syncd.errors import ConfigError
from syncd.sources.csv_grammar import Format
from syncd.sources.csv_options import CsvOptions
from syncd.sources.csv_text import MARK, split_lines

SAMPLE_CHARS = 64 * 1024
_DELIMITERS = ";\t|,"  # in the order of preference between equals
COLUMNS_MAX = 4096
_ROWS = 200  #: how many rows of the sample are weighed
_TITLE_ROWS_MAX = 20  #: how many lines may stand over the header
_DATA_CHARS_MAX = 100
_SEP_LINE = re.compile(r"sep=(.)[\r\n]*", re.IGNORECASE)
_DATA_LIKE = re.compile(r"[+\-(]?\d[\d\s()+\-.,:/TZ]*|[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """Format, names of the columns, and how many physical lines stand before the first record."""

    form: Format
    columns: tuple[str, ...]
    skip: int


@dataclass(frozen=True, slots=True)
class _Row:
    values: list[str]
    line: int  #: the physical line on which it begins, from 1
    end: int


def find_layout(text: str, options: CsvOptions, *, where: str) -> Layout | None:
    """The layout of a file that begins with `text`, in whole lines; None when all are blank.

    Raises ConfigError when there is no header to be found or it cannot be read.
    """
    lines = split_lines(text)
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return None
    announced = _SEP_LINE.fullmatch(lines[first])
    delimiter = options.delimiter or (announced[1] if announced else None)
    body = first + 1 if announced else first
    form = _find_format(lines[body:], options, delimiter)
    rows = _rows(form, lines, body)
    if options.header is False:
        return Layout(form, options.columns, body)
    at = _header_at(rows, options, where)
    if at is None:
        return Layout(form, options.columns, body)
    return Layout(form, _names(rows[at].values, where), rows[at].end)


def _find_format(lines: list[str], options: CsvOptions, delimiter: str | None) -> Format:
    quote = options.quote
    if quote is None:
        quote = "'" if _single_quoted(lines, delimiter) else '"'
    if delimiter is not None:
        return Format(delimiter, quote)
    scores = {d: _score(Format(d, quote), lines) for d in _DELIMITERS}
    best = max(_DELIMITERS, key=scores.__getitem__)  # of equals the first
    if scores[best] == _NO_FIT:  # one column: take what splits no value
        best = min(_DELIMITERS, key=lambda d: sum(d in line for line in lines))
    return Format(best, quote)


def _single_quoted(lines: list[str], delimiter: str | None) -> bool:
    """Whether values stand in single quotes; an apostrophe in a name is no quote."""
    if any('"' in line for line in lines):
        return False
    ends = re.escape(delimiter or _DELIMITERS)
    pattern = re.compile(f"(?:^|[{ends}])'[^'\r\n]*'(?=[{ends}\r\n]|$)")
    seen = [line for line in lines[:_ROWS] if line.strip()]
    return len([line for line in seen if pattern.search(line)]) * 3 > len(seen) * 2


def _score(form: Format, lines: list[str]) -> tuple[float, int]:
    """How well a delimiter fits: the share of rows of the commonest width; then that width."""
    rows = _rows(form, lines, 0)
    width = _common_width(rows)
    if width <= 1:
        return _NO_FIT
    share = sum(len(row.values) == width for row in rows) / len(rows)
    # The header counts: a decimal comma stands in the rows but not in the names over them.
    if len(rows[0].values) == width:
        return share + _HEADER_FITS, width
    return (share, width) if share >= _SHARE_MIN else _NO_FIT


_NO_FIT = (0.0, 0)
_HEADER_FITS = 0.5
_SHARE_MIN = 0.5  #: less without a header that fits is chance


def _common_width(rows: list[_Row]) -> int:
    """The commonest width; rows of one value are titles or trouble where there are wider ones."""
    widths = [len(row.values) for row in rows]
    wide = [width for width in widths if width > 1]
    return Counter(wide or widths or [0]).most_common(1)[0][0]


def _rows(form: Format, lines: Sequence[str], at: int) -> list[_Row]:
    """The first rows that can be read, blank ones left out; trouble costs the line it begins on."""
    rows: list[_Row] = []
    while at < len(lines) and len(rows) < _ROWS:
        first = at
        reader = form.reader(lines[i] for i in range(at, len(lines)))
        try:
            for row in reader:
                end = at + reader.line_num
                if any(value.strip() for value in row):
                    rows.append(_Row(row, first + 1, end))
                first = end
                if len(rows) == _ROWS:
                    return rows
        except csv.Error:
            at = first + 1
        else:
            break
    return rows


def _header_at(rows: list[_Row], options: CsvOptions, where: str) -> int | None:
    """Which of `rows` is the header; None when `columns` names them and no row repeats them."""
    if options.header is not None:
        for at, row in enumerate(rows):
            if row.line >= options.header:
                return at
        raise ConfigError(
            "the header is not in the first lines of the file",
            where=where,
            hint="set header to the number of the line with the names",
        )
    if options.columns:
        named = bool(rows) and [_folded(v) for v in rows[0].values] == [
            _folded(name) for name in options.columns
        ]
        return 0 if named else None
    found = _found_header(rows)
    if found is not None:
        return found
    raise ConfigError(
        "no header row found: the first full row looks like data",
        where=where,
        hint="set header to the number of its line, or header = false and columns = [...]",
    )


def _found_header(rows: list[_Row]) -> int | None:
    """The first row of more than one value, if it can hold names; lines over it are titles.

    Never a later row: a record taken for the header would be lost in silence, while a title taken
    for it makes the rows bad, which is seen.
    """
    titles = _common_width(rows) > 1
    for at, row in enumerate(rows[: _TITLE_ROWS_MAX + 1]):
        if titles and sum(bool(value.strip()) for value in row.values) == 1:
            continue
        return at if _can_be_header(row.values) else None
    return None


def _can_be_header(values: list[str]) -> bool:
    """Names are neither numbers, dates, phones nor addresses, and most are there."""
    named = [value.strip() for value in values if value.strip()]
    return len(named) * 2 > len(values) and not any(
        len(value) <= _DATA_CHARS_MAX and _DATA_LIKE.fullmatch(value) for value in named
    )


def _folded(name: str) -> str:
    return name.strip().casefold()


def _names(values: list[str], where: str) -> tuple[str, ...]:
    """Names without outer blanks; an empty one becomes `column_3`, a repeated one `name_2`."""
    if any(MARK.search(value) or "\0" in value for value in values):
        raise ConfigError(
            "the header holds bytes that are no text",
            where=where,
            hint="set encoding to the one the file is written in",
        )
    if len(values) > COLUMNS_MAX:
        raise ConfigError(
            f"the header has {len(values)} columns, more than {COLUMNS_MAX}",
            where=where,
            hint="check delimiter",
        )
    wanted = [value.strip() or f"column_{at}" for at, value in enumerate(values, 1)]
    given, counts, names = set(wanted), Counter[str](), dict[str, None]()
    for name in wanted:
        unique = name
        while unique in names or (unique != name and unique in given):
            counts[name] += 1
            unique = f"{name}_{counts[name] + 1}"
        names[unique] = None
    return tuple(names)
