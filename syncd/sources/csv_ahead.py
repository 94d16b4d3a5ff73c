"""Looks ahead for the end of a record that is too long to hold.

Reads the same text a second time, beside the reading of records, only from where it is needed on,
and only forward: however many such records there are, the file is gone through twice at most. Holds
a line and a block. Must never decide by what it could not see: a quote that does not close is told
apart from a long value only by its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self

from syncd.sources.base import BadRecord
from syncd.sources.csv_grammar import End, Scan, Shape
from syncd.sources.csv_text import TextDigest, count_lines, split_lines


class Ahead(Enum):
    """What there is to say when no long record was found."""

    STRAY = "stray"  #: the quote does not end properly, or it took whole records into itself
    WAITS = "waits"  #: the file ends first, and its last record may still be being written


@dataclass(frozen=True, slots=True)
class LongRecord:
    """A record over several lines that ends properly, and is too long to be kept."""

    line: int
    end: int  #: its last line
    column: int | None  #: the place of the value that is too long; None when none is by itself
    digest: str

    def as_bad(self, columns: tuple[str, ...]) -> BadRecord:
        """The one rejection that all its lines make."""
        reason = "record_too_long" if self.column is None else "field_too_long"
        known = self.column is not None and self.column < len(columns)
        name = columns[self.column] if known and self.column is not None else None
        detail = f"lines {self.line} to {self.end}"
        return BadRecord(self.line, reason, name, detail, self.digest)


class _Trail:
    """A record that is followed from the beginning of `line` on."""

    def __init__(self, shape: Shape, line: int) -> None:
        self.line = line
        self.scan = Scan(shape.form, shape.field_max)
        self.digest = TextDigest()
        self.how = End.OPEN
        self.swallowed = False  #: a line of it is a whole record by itself

    def take(self, part: str) -> None:
        if self.how is End.OPEN:
            self.how = self.scan.feed(part)
            self.digest.update(part)


class LookAhead:
    """A second, forward reading of a file: `record_at` tells where a record ends.

    Args:
        open_again: gives the text from its start, in runs of whole lines; a line that is too long
            comes in parts.
        tail: a last line that has no end counts as complete.
    """

    def __init__(
        self,
        shape: Shape,
        open_again: Callable[[], AbstractContextManager[Iterator[str]]],
        *,
        tail: bool,
    ) -> None:
        self._shape = shape
        self._open_again = open_again
        self._tail = tail
        self._stack = ExitStack()
        self._texts: Iterator[str] | None = None
        self._parts: list[str] = []  # lines that were read and not yet taken, the next one last
        self._line = 1  # of the part that comes next
        self._inside = False  # that part does not begin its line
        self._other: _Trail | None = None  # from the beginning of a long line, for the next ask

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def record_at(self, line: int) -> LongRecord | Ahead:
        """How the record that begins at `line` ends; lines have to be asked for in their order."""
        trail = self._begin(line)
        if trail is None:
            return Ahead.STRAY
        self._other = None
        part, begins = "", False
        while trail.how is End.OPEN:
            begins = not self._inside
            if not (part := self._take()):
                break
            trail.take(part)
            if self._line > line + 1 or self._inside:
                self._look_aside(trail, part, begins=begins)
        if trail.how is End.OPEN:  # the text has ended
            if not self._tail:
                return Ahead.WAITS
            trail.how = trail.scan.finish()
        if self._is_stray(trail):
            if part and begins:  # this line may begin a long record itself
                self._put_back(part)
            return Ahead.STRAY
        self._other = None
        end = self._line if self._inside else self._line - 1
        return LongRecord(line, end, trail.scan.long_at, trail.digest.hexdigest())

    def _begin(self, line: int) -> _Trail | None:
        """The record that begins at `line`; None when that was passed, and opened nothing."""
        if self._other is not None and self._other.line == line:
            return self._other
        return _Trail(self._shape, line) if self._go_to(line) else None

    def _look_aside(self, trail: _Trail, part: str, *, begins: bool) -> None:
        """Note what a part of a line is by itself, beside being a part of `trail`."""
        if begins and not self._inside:
            trail.swallowed = trail.swallowed or self._is_record(part)
        if begins:  # a long line cannot be put back: should it be asked for, this one goes on
            new = self._inside and self._line != trail.line
            self._other = _Trail(self._shape, self._line) if new else None
        if self._other is not None:
            self._other.take(part)

    def _is_stray(self, trail: _Trail) -> bool:
        wrong = trail.scan.values != len(self._shape.columns)
        return trail.how is not End.CLOSED or (trail.swallowed and wrong)

    def _go_to(self, line: int) -> bool:
        """Whether the next part is the beginning of `line`, after going on to it."""
        while self._line < line:
            self._other = None
            if not self._parts:
                text = self._next_text()
                ends = count_lines(text)
                if not text:
                    return False
                if self._line + ends < line:
                    self._line += ends
                    self._inside = text[-1] not in "\r\n"
                    continue
                self._parts = split_lines(text)[::-1]
            self._take()
        return self._line == line and not self._inside

    def _take(self) -> str:
        """The next line, or the next part of a long one; "" at the end."""
        if not self._parts:
            self._parts = split_lines(self._next_text())[::-1]
        if not self._parts:
            return ""
        part = self._parts.pop()
        self._inside = part[-1] not in "\r\n"
        self._line += not self._inside
        return part

    def _put_back(self, part: str) -> None:
        """Undo a `_take` of a part that begins its line."""
        self._line -= not self._inside
        self._inside = False
        self._other = None
        self._parts.append(part)

    def _is_record(self, line: str) -> bool:
        """Whether a line by itself has a value for each of several columns."""
        form, width = self._shape.form, len(self._shape.columns)
        enough = width > 1 and line.count(form.delimiter) >= width - 1
        return enough and form.width_of(line) == width

    def _next_text(self) -> str:
        if self._texts is None:
            self._texts = self._stack.enter_context(self._open_again())
        return next(self._texts, "")
