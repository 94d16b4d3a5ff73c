"""Gathers rows and bad records into pages of bounded size, in the order of the file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from syncd.sources.csv_walk import Parsed

#: A page is cut early when the text behind it is longer, whatever its number of records.
PAGE_CHARS_MAX = 4 * 1024 * 1024


class Pager:
    """Holds what was read until it is more than a page: the last page is known only at the end."""

    def __init__(self, page_records: int) -> None:
        self._page_records = page_records
        self._pending = Parsed()
        self._chars = 0

    def add(self, parsed: Parsed) -> Iterator[Parsed]:
        """Take what was read; gives the full pages after which more is known to follow."""
        held = self._pending
        held.rows += parsed.rows
        held.lines += parsed.lines
        held.bad += parsed.bad
        held.consumed = parsed.consumed
        self._chars += parsed.chars
        while (count := len(held.rows) + len(held.bad)) > 1:
            if count <= self._page_records and self._chars <= PAGE_CHARS_MAX:
                break
            yield self._cut(min(self._page_records, count - 1))
            if count <= self._page_records:
                self._chars = 0

    def rest(self) -> Parsed:
        """What is left at the end: at most one page."""
        held, self._pending = self._pending, Parsed(consumed=self._pending.consumed)
        return held

    def _cut(self, count: int) -> Parsed:
        held = self._pending
        if held.bad:
            starts = sorted([*held.lines, *(bad.line for bad in held.bad)])
            until = starts[count]
            at = bisect_left(held.lines, until)
            bad_at = bisect_left(held.bad, until, key=lambda bad: bad.line)
        else:
            until, at, bad_at = held.lines[count], count, 0
        page = Parsed(held.rows[:at], held.lines[:at], held.bad[:bad_at], until - 1)
        del held.rows[:at], held.lines[:at], held.bad[:bad_at]
        return page
