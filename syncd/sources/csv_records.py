"""Blocks of whole lines to rows and bad records, in the order of the file.

Two ways to the same result: the C reader over a whole block when nothing is wrong with it, and the
careful walk when something is. Holds at most one open record, and of one that is too long no more
than where it ends; never drops a line that is not blank.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from syncd.sources.base import BadRecord
from syncd.sources.csv_ahead import Ahead, LookAhead
from syncd.sources.csv_grammar import Shape
from syncd.sources.csv_text import MARK, Block, drop_lines, split_lines
from syncd.sources.csv_walk import Follows, Parsed, Walk


class Records:
    """Reads the blocks of one file in order: `feed` each, then `finish`."""

    def __init__(self, shape: Shape, ahead: LookAhead, *, consumed: int) -> None:
        self._shape = shape
        self._ahead = ahead
        self._consumed = consumed
        self._held: list[str] = []  # text from an open quote on, not yet a record
        self._held_chars = 0
        self._parse_at = 0
        self._beyond = 0  # lines still to come of a long record that was told already
        self._plain_max = min(shape.field_max, shape.line_max)
        self._suspect = False
        #: a record began that may still be being written: nothing after it can be read
        self.unfinished = False
        if csv.field_size_limit() < shape.field_max:
            # Global to the process: only ever raised, and the exact limit is checked by us.
            csv.field_size_limit(shape.field_max)

    @property
    def waiting(self) -> bool:
        """A record began that has no end yet."""
        return self._held_chars > 0 or self.unfinished

    def feed(self, block: Block) -> Iterator[Parsed]:
        """Take a block; a record that is open at its end is held for the next one."""
        left, self._beyond = drop_lines(block, self._beyond)
        if left is None:
            return
        if left.long_line is not None:
            yield from self._parse(Follows.LONG_LINE)
            if not self.unfinished:
                yield from self._long_line(left.long_line)
            return
        self._held.append(left.text)
        self._held_chars += len(left.text)
        self._suspect |= left.suspect
        # An open quote is looked at again when the text has doubled: linear, not quadratic.
        if self._held_chars >= min(self._parse_at, self._shape.open_max + 1):
            yield from self._parse(Follows.TEXT)

    def finish(self, *, tail: bool) -> Iterator[Parsed]:
        """Read what is held; with `tail` nothing follows, so an open quote makes a bad record."""
        return self._parse(Follows.NOTHING if tail else Follows.TEXT)

    def _long_line(self, digest: str) -> Iterator[Parsed]:
        """A line that could not be held: a bad record, alone or with lines that belong to it."""
        if self._beyond:
            self._beyond -= 1
            return
        line = self._consumed + 1
        found = self._ahead.record_at(line) if self._shape.form.quote else Ahead.STRAY
        if found is Ahead.WAITS:
            self.unfinished = True
            return
        if found is Ahead.STRAY or found.end == line:
            detail = f"a line of more than {self._shape.line_max} characters"
            bad = BadRecord(line, "record_too_long", None, detail, digest)
            self._consumed = line
        else:
            bad = found.as_bad(self._shape.columns)
            self._beyond = found.end - line
            self._consumed = found.end
        yield Parsed(bad=[bad], consumed=self._consumed)

    def _parse(self, follows: Follows) -> Iterator[Parsed]:
        """Read what is held, in bounded parts, until nothing is left but what has to wait."""
        waits = False
        while self._held_chars and not waits:
            parsed, waits = self._parse_part(follows)
            yield parsed

    def _parse_part(self, follows: Follows) -> tuple[Parsed, bool]:
        text = "".join(self._held)
        lines = split_lines(text)
        waits = False
        plain = not self._suspect and "\0" not in text
        plain = plain and max(map(len, lines)) <= self._plain_max
        chars = len(text)
        self._held.clear()
        del text  # the lines are enough: a held open quote may be long
        if plain and (good := self._all_rows(lines, self._consumed + 1)) is not None:
            out, end = Parsed(*good), len(lines)
        else:
            walk = Walk(
                self._shape,
                lines,
                consumed=self._consumed,
                plain=plain,
                follows=follows,
                ahead=self._ahead,
            )
            out, end = walk.run()
            waits, self.unfinished, self._beyond = walk.waits, walk.unfinished, walk.beyond
        self._hold("".join(lines[end:]))
        self._consumed += end + self._beyond
        out.consumed, out.chars = self._consumed, chars - self._held_chars
        return out, waits

    def _hold(self, text: str) -> None:
        self._held = [text] if text else []
        self._held_chars = len(text)
        self._parse_at = 2 * len(text)
        self._suspect = self._suspect and MARK.search(text) is not None

    def _all_rows(
        self, lines: list[str], first: int
    ) -> tuple[list[Sequence[object]], list[int]] | None:
        """Rows and line numbers, when each line is a row of the right width or empty; else None."""
        try:
            rows: list[Sequence[object]] = list(self._shape.form.reader(lines))
        except csv.Error:
            return None
        widths = set(map(len, rows))
        if len(rows) != len(lines) or widths - {len(self._shape.columns), 0}:
            return None
        numbers = list(range(first, first + len(rows)))
        if 0 in widths:
            numbers = [number for number, row in zip(numbers, rows, strict=True) if row]
            rows = [row for row in rows if row]
        return rows, numbers
