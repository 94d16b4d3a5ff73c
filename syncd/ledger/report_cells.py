"""How values of reports are kept in columns: counts in bounds, times in Unix milliseconds."""

from __future__ import annotations

from datetime import datetime

from syncd.clock import to_ms

#: Of attempts and call-backs; one absurd number must not stop all reports.
COUNT_MAX = 2**31 - 1


def count_cell(n: int | None) -> int | None:
    """A count that a column of 32 bits can hold; any other stands in `raw` only."""
    return n if n is not None and 0 <= n <= COUNT_MAX else None


def time_cell(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)
