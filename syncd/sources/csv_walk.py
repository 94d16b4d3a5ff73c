"""The careful way through lines of CSV: each record a row or bad, with a reason.

Owns the reasons. A bad record never takes the ones after it along: when a quote does not end
properly, only its first line is bad and reading goes on at the next line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from syncd.sources.base import BadRecord
from syncd.sources.csv_ahead import Ahead, LookAhead
from syncd.sources.csv_grammar import End, Scan, Shape
from syncd.sources.csv_text import MARK, digest_of

#: Why a record can be bad; the codes are stable.
REASONS = {
    "row_too_short": "fewer values than columns",
    "row_too_long": "more values than columns",
    "field_too_long": "a value is longer than field_bytes_max",
    "record_too_long": "a line is longer than record_bytes_max, or all lines together are",
    "quote_open": "a quoted value that begins on this line does not end properly; "
    "the next line is read as a new record",
    "quote_malformed": "text follows the closing quote of a value",
    "nul_byte": "a value holds a NUL byte",
    "encoding_invalid": "some bytes are no text in the encoding of the file",
}

#: How many records a walk reads before it hands them over.
WALK_RECORDS_MAX = 10_000

_BLANK = " \t\r\n\x1a\ufeff"  # \x1a: the end-of-file character of DOS


@dataclass(slots=True)
class Parsed:
    """What a run of lines gave; `consumed` lines and `chars` characters are behind it."""

    rows: list[Sequence[object]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    consumed: int = 0
    chars: int = 0


class Follows(Enum):
    """What comes after the lines of a walk."""

    TEXT = "text"
    LONG_LINE = "long line"  #: one that cannot be held
    NOTHING = "nothing"


class Walk:
    """One walk over `lines`, of which the first is line `consumed` + 1 of the file.

    `plain` promises that no line holds a NUL, a mark or an overlong value. After the walk: whether
    it `waits` for more text, or for a file that is `unfinished`; and how many lines `beyond` these
    belong to its last record.
    """

    def __init__(
        self,
        shape: Shape,
        lines: list[str],
        *,
        consumed: int,
        plain: bool,
        follows: Follows,
        ahead: LookAhead,
    ) -> None:
        self._shape = shape
        self._width = len(shape.columns)
        self._lines = lines
        self._base = consumed
        self._plain = plain
        self._follows = follows
        self._ahead = ahead
        self._out = Parsed()
        self.waits = False
        self.unfinished = False
        self.beyond = 0

    def run(self) -> tuple[Parsed, int]:
        """What was read, and how many lines it took.

        The lines after those wait for more text when `waits`, and else for the next walk.
        """
        at = 0
        while at < len(self._lines) and not self.waits and not self._is_full():
            at, self.waits = self._stretch(at)
        self._out.consumed = self._base + at + self.beyond
        return self._out, at

    def _is_full(self) -> bool:
        return len(self._out.rows) + len(self._out.bad) >= WALK_RECORDS_MAX

    def _stretch(self, at: int) -> tuple[int, bool]:
        """Read up to the next trouble; where to go on, and whether that must wait for more text."""
        first, width, out = at, self._width, self._out
        reader = self._shape.form.reader(self._from(at))
        try:
            for row in reader:
                end = at + reader.line_num
                if len(row) == width and self._plain and self._fits(first, end):
                    out.rows.append(row)
                    out.lines.append(self._base + first + 1)
                    go_on = end
                else:
                    go_on = self._take(row, first, end)
                if go_on != end or self._is_full():
                    return go_on, False
                first = end
        except csv.Error:
            return self._trouble(first)
        return len(self._lines), False

    def _from(self, at: int) -> Iterator[str]:
        """The lines from `at` on, without a walk over those before."""
        lines = self._lines
        return (lines[i] for i in range(at, len(lines))) if at else iter(lines)

    def _fits(self, first: int, end: int) -> bool:
        """Whether no value can be over the limit, the lines themselves being short enough."""
        if end - first == 1:
            return True
        return sum(map(len, self._lines[first:end])) <= self._shape.field_max

    def _take(self, row: list[str], first: int, end: int) -> int:
        """Keep a record that is not plainly good, or say why it is bad.

        Returns where to go on: `end`, unless a stray quote swallowed lines.
        """
        one_line = end - first == 1
        if one_line and self._is_blank(row, first):
            return end
        if not one_line and len(row) != self._width and self._swallowed(first, end):
            return self._bad(first, first + 1, "quote_open")
        if (problem := self._problem(row, first, end)) is not None:
            reason, column, detail = problem
            return self._bad(first, end, reason, column, detail)
        self._out.rows.append(row)
        self._out.lines.append(self._base + first + 1)
        return end

    def _is_blank(self, row: list[str], first: int) -> bool:
        if not row:
            return True
        return len(row) == 1 and self._width > 1 and not self._lines[first].strip(_BLANK)

    def _problem(self, row: list[str], first: int, end: int) -> tuple[str, str | None, str] | None:
        for at, value in enumerate(row):
            reason = ""
            if "\0" in value:
                reason = "nul_byte"
            elif MARK.search(value) is not None:
                reason = "encoding_invalid"
            elif len(value) > self._shape.field_max:
                reason = "field_too_long"
            if reason:
                return reason, self._shape.columns[at] if at < self._width else None, ""
        if max(map(len, self._lines[first:end])) > self._shape.line_max:
            return "record_too_long", None, ""
        if len(row) != self._width:
            reason = "row_too_short" if len(row) < self._width else "row_too_long"
            return reason, None, f"{len(row)} values for {self._width} columns"
        return None

    def _swallowed(self, first: int, end: int) -> bool:
        """Whether a record of the wrong width ate lines that are records by themselves."""
        width_of = self._shape.form.width_of
        return self._width > 1 and any(
            width_of(self._lines[i]) == self._width for i in range(first + 1, end)
        )

    def _trouble(self, first: int) -> tuple[int, bool]:
        """The C reader refused the record that begins at `first`: say why, and where to go on."""
        how, end = self._span(first)
        if how is End.CLOSED:  # its grammar is right: a value was over the reader's own limit
            return self._bad(first, end, "field_too_long"), False
        if how is End.MALFORMED and end == first + 1:
            return self._bad(first, end, "quote_malformed"), False
        if how is End.OPEN and self._follows is not Follows.NOTHING:
            held = sum(map(len, self._lines[first:]))
            if held <= self._shape.open_max and self._follows is Follows.TEXT:
                return first, True
            return self._look_ahead(first)
        return self._bad(first, first + 1, "quote_open"), False

    def _look_ahead(self, first: int) -> tuple[int, bool]:
        """A quote is open at the end of all that may be held: find out where the record ends."""
        found = self._ahead.record_at(self._base + first + 1)
        if found is Ahead.WAITS:
            self.unfinished = True
            return first, True
        if found is Ahead.STRAY:
            return self._bad(first, first + 1, "quote_open"), False
        self._out.bad.append(found.as_bad(self._shape.columns))
        self.beyond = max(0, found.end - self._base - len(self._lines))
        return len(self._lines), False

    def _span(self, first: int) -> tuple[End, int]:
        """How the record at `first` ends by the grammar alone; and after which line."""
        if not self._shape.form.quote:
            return End.CLOSED, first + 1
        scan = Scan(self._shape.form, self._shape.field_max)
        for at in range(first, len(self._lines)):
            how = scan.feed(self._lines[at])
            if how is not End.OPEN:
                return how, at + 1
        return scan.finish(), len(self._lines)

    def _bad(
        self, first: int, end: int, reason: str, column: str | None = None, detail: str = ""
    ) -> int:
        if end - first > 1:
            span = f"lines {self._base + first + 1} to {self._base + end}"
            detail = f"{detail}, {span}" if detail else span
        digest = digest_of("".join(self._lines[first:end]))
        self._out.bad.append(
            BadRecord(self._base + first + 1, reason, column, detail or REASONS[reason], digest)
        )
        return end
