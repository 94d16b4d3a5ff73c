"""Blocks of whole lines to rows and bad records, in the order of the file.

Two ways to the same result: the C reader over a whole block when nothing is wrong with it, and the
careful walk when something is. Holds at most one open record; never drops a line that is not blank.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from syncd.sources.base import BadRecord
from syncd.sources.csv_text import MARK, Block, split_lines
from syncd.sources.csv_walk import OPEN_CHARS_MAX, Parsed, Shape, Walk


class Records:
    """Reads the blocks of one file in order: `feed` each, then `finish`."""

    def __init__(self, shape: Shape, *, consumed: int) -> None:
        self._shape = shape
        self._consumed = consumed
        self._held: list[str] = []  # text from an open quote on, not yet a record
        self._held_chars = 0
        self._parse_at = 0
        self._plain_max = min(shape.field_max, shape.line_max)
        self._suspect = False
        if csv.field_size_limit() < shape.field_max:
            # Global to the process: only ever raised, and the exact limit is checked by us.
            csv.field_size_limit(shape.field_max)

    @property
    def waiting(self) -> bool:
        """A record is held that has no end yet."""
        return self._held_chars > 0

    def feed(self, block: Block) -> Iterator[Parsed]:
        """Take a block; a record that is open at its end is held for the next one."""
        if block.long_line is not None:
            yield from self.finish()
            yield self._long_line(block.long_line)
            return
        self._held.append(block.text)
        self._held_chars += len(block.text)
        self._suspect |= block.suspect
        # An open quote is looked at again when the text has doubled: linear, not quadratic.
        if self._held_chars >= min(self._parse_at, OPEN_CHARS_MAX + 1):
            yield from self._parse(final=False)

    def finish(self) -> Iterator[Parsed]:
        """Read what is held as if the file ended here: an open quote becomes a bad record."""
        return self._parse(final=True)

    def _long_line(self, digest: str) -> Parsed:
        self._consumed += 1
        detail = f"a line of more than {self._shape.line_max} characters"
        bad = BadRecord(self._consumed, "record_too_long", None, detail, digest)
        return Parsed(bad=[bad], consumed=self._consumed)

    def _parse(self, *, final: bool) -> Iterator[Parsed]:
        """Read what is held, in bounded parts, until nothing is left but what has to wait."""
        waits = False
        while self._held_chars and not waits:
            parsed, waits = self._parse_part(final=final)
            yield parsed

    def _parse_part(self, *, final: bool) -> tuple[Parsed, bool]:
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
            walk = Walk(self._shape, lines, consumed=self._consumed, plain=plain, final=final)
            out, end = walk.run()
            waits = walk.waits
        self._hold("".join(lines[end:]))
        self._consumed += end
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
