"""Whether so many calls fit into the permitted minutes that are left before they end.

It owns a bound, not a schedule: minutes in which any of the call jobs may be called count for all
of them. What it says does not fit surely does not; what it lets pass may still be tight.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from syncd.core.hours.common import CommonHours
from syncd.core.hours.feasible import minutes_ahead, minutes_needed
from syncd.core.hours.offsets import instant, minute_at_or_after, minute_of
from syncd.core.hours.week import WEEK_MIN, WHOLE_WEEK, Week

#: An end that is further away leaves time enough.
FAR: Final = timedelta(weeks=54)
_HOUR_MIN: Final = 60
_ENDS_MAX: Final = 48  #: that are looked at, the first and the last among them
_WEEKS_MAX: Final = 256  #: different hours; of more, all the others count as always open
_ALWAYS: Final = CommonHours("+00:00", "+00:00", Week(WHOLE_WEEK).hours(), Week(WHOLE_WEEK))
_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Fit:
    """Call jobs that end until then, the minutes that they take, and those that there are."""

    until: datetime
    jobs: int
    minutes_needed: int
    minutes_left: int


class Fitting:
    """Gathers call jobs with an end of their own."""

    def __init__(self, now: datetime) -> None:
        """`now` is aware."""
        self._first = minute_of(now)
        self._jobs: Counter[int] = Counter()  # by the hour in which they end
        self._weeks: dict[tuple[str, int], tuple[CommonHours, int]] = {}

    def add(self, common: CommonHours, until: datetime, jobs: int) -> None:
        """So many call jobs with these hours; from `until` on they are not called."""
        end = -(-minute_at_or_after(until) // _HOUR_MIN) * _HOUR_MIN
        if end - self._first > FAR // timedelta(minutes=1):
            return
        self._jobs[end] += jobs
        key = (common.gmt_zone, common.week.mask)
        if key not in self._weeks and len(self._weeks) >= _WEEKS_MAX:
            common, key = _ALWAYS, (_ALWAYS.gmt_zone, WHOLE_WEEK)
        _, before = self._weeks.get(key, (common, end))
        self._weeks[key] = (common, min(before, end))

    def too_many(self, minutes: float, lines: int) -> Fit | None:
        """The first end before which its calls do not fit; None when nothing is known to be wrong.

        Args:
            minutes: of talking that one call job takes, all its attempts together.
            lines: calls at once.
        """
        for end in self._ends():
            jobs = sum(n for at, n in self._jobs.items() if at <= end)
            needed = minutes_needed(jobs, minutes * _MINUTE_S, lines)
            left = self._left(end)
            if needed > left:
                return Fit(instant(end), jobs, needed, left)
        return None

    def _ends(self) -> list[int]:
        ends = sorted(self._jobs)
        step = -(-len(ends) // _ENDS_MAX) or 1
        return sorted({*ends[::step], *ends[-1:]})

    def _left(self, end: int) -> int:
        """The minutes until `end` in which at least one of the call jobs may be called."""
        open_by_then = [common for common, first in self._weeks.values() if first <= end]
        found = 0
        for at in range(self._first, end, WEEK_MIN):
            bits = 0
            for common in open_by_then:
                bits |= minutes_ahead(common, at, min(WEEK_MIN, end - at))
            found += bits.bit_count()
        return found
