"""The grammar of a CSV file: what separates and quotes values, and where a record ends by it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Reader

#: How much text an open quote may hold back, in characters, before its end is looked for ahead.
OPEN_CHARS_MAX = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Format:
    """How values are separated and quoted; quote "" means that nothing is quoted."""

    delimiter: str = ","
    quote: str = '"'

    def reader(self, lines: Iterable[str]) -> Reader:
        """A strict C reader: it refuses text after a closing quote, and an unclosed quote."""
        if not self.quote:
            return csv.reader(
                lines, delimiter=self.delimiter, quotechar=None, quoting=csv.QUOTE_NONE, strict=True
            )
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=True)

    def width_of(self, line: str) -> int:
        """How many values a line has as a record of its own; -1 when it is none."""
        try:
            return len(next(self.reader([line])))
        except csv.Error:
            return -1


@dataclass(frozen=True, slots=True)
class Shape:
    """What a good record of this file looks like; lengths are in characters."""

    form: Format
    columns: tuple[str, ...]
    field_max: int
    line_max: int

    @property
    def open_max(self) -> int:
        """How much text of one record is held: never less than a value at its limit needs."""
        return max(OPEN_CHARS_MAX, self.field_max + self.line_max)


class End(Enum):
    """How a record stands after some of its text."""

    CLOSED = "closed"
    OPEN = "open"
    MALFORMED = "malformed"


class _At(Enum):
    START = "start"  #: where a value begins
    PLAIN = "plain"  #: in a value without quotes
    QUOTED = "quoted"
    QUOTE = "quote"  #: after a quote in a quoted value: its end, or the first of a pair


class Scan:
    """Follows one record through its text, which comes in parts of lines, cut anywhere.

    `values` is the number of its values so far, `long_at` the place of the first one that is
    longer than `field_max` characters.
    """

    def __init__(self, form: Format, field_max: int) -> None:
        quote = re.escape(form.quote)
        self._quote, self._delimiter = form.quote, form.delimiter
        self._text = re.compile(f"(?:[^{quote}]++|{quote * 2})*+")
        self._field_max = field_max
        self._at = _At.START
        self._chars = 0
        self.values = 1
        self.long_at: int | None = None

    def feed(self, part: str) -> End:
        """Take the next text; a line end may stand at its end only."""
        at, size = 0, len(part)
        if self._at is _At.QUOTED and self._quote not in part:  # by far the most lines
            self._chars += size
            return End.OPEN
        while at < size:
            if self._at is _At.QUOTED:
                at = self._quoted(part, at)
            elif self._at is _At.QUOTE:
                after = part[at]
                if after not in (self._quote, self._delimiter):
                    return self._end() if after in "\r\n" else End.MALFORMED
                if after == self._quote:
                    self._at, self._chars = _At.QUOTED, self._chars + 1
                else:
                    self._next_value()
                at += 1
            elif self._at is _At.START and part[at] == self._quote:
                self._at, at = _At.QUOTED, at + 1
            elif (end := part.find(self._delimiter, at)) >= 0:
                self._chars += end - at
                self._next_value()
                at = end + 1
            else:
                self._at, self._chars = _At.PLAIN, self._chars + size - at
                return self._end() if part[-1] in "\r\n" else End.OPEN
        return End.OPEN

    def finish(self) -> End:
        """How the record stands when no text follows."""
        return End.OPEN if self._at is _At.QUOTED else self._end()

    def _quoted(self, part: str, at: int) -> int:
        """Go to after the next quote that is not the first of a pair; pairs count as one."""
        found = self._text.match(part, at)
        end = at if found is None else found.end()
        self._chars += end - at - part.count(self._quote, at, end) // 2
        if end < len(part):
            self._at = _At.QUOTE
        return end + 1

    def _end(self) -> End:
        self._note_length()
        return End.CLOSED

    def _next_value(self) -> None:
        self._note_length()
        self._at, self._chars = _At.START, 0
        self.values += 1

    def _note_length(self) -> None:
        if self._chars > self._field_max and self.long_at is None:
            self.long_at = self.values - 1
