"""When a number may be called: weekly hours in its zone, between a start and a finish.

Owns two answers that are computed in two ways: `span`, by which the dialer plans, and `inside`,
by which the ground truth judges each call that was dialled.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

FOREVER_MS = 1 << 53
MINUTES_A_DAY = 24 * 60
WHOLE_DAY = ((0, MINUTES_A_DAY),)
#: A week and one day more see every weekday twice; the rest is for nights that a DST change eats.
_HORIZON_DAYS = 15

Week = tuple[tuple[tuple[int, int], ...], ...]
"""Monday to Sunday: half-open intervals of local minutes, in order."""


class Span(NamedTuple):
    """An interval in which calls are permitted: [opens_ms, closes_ms)."""

    opens_ms: int
    closes_ms: int


_NEVER = Span(FOREVER_MS, FOREVER_MS)


class Hours:
    """Permitted hours of one zone. Jobs with the same settings and zone share one object.

    `week` None permits any hour. `start_ms` and `finish_ms` bound everything.
    """

    __slots__ = ("_asked_ms", "_span", "finish_ms", "start_ms", "week", "zone", "zone_name")

    def __init__(
        self,
        zone: tzinfo,
        zone_name: str,
        week: Week | None,
        start_ms: int | None = None,
        finish_ms: int | None = None,
    ) -> None:
        self.zone = zone
        self.zone_name = zone_name
        self.week = week
        self.start_ms = 0 if start_ms is None else start_ms
        self.finish_ms = FOREVER_MS if finish_ms is None else finish_ms
        self._asked_ms = 1
        self._span = Span(0, 0)

    def span(self, at_ms: int) -> Span | None:
        """The earliest interval that is open at `at_ms` or opens later; None: no more of them.

        On the night of a clock change the answer is on the careful side: an ambiguous or missing
        local time opens at its later and closes at its earlier meaning.
        """
        if not self._asked_ms <= at_ms < self._span.closes_ms:
            # Any instant from the one asked for until that interval closes has the same answer.
            self._asked_ms, self._span = at_ms, self._find(at_ms)
        return None if self._span is _NEVER else self._span

    def inside(self, at_ms: int) -> bool:
        """Whether the wall clock of the zone shows a permitted minute at this instant."""
        if not self.start_ms <= at_ms < self.finish_ms:
            return False
        if self.week is None:
            return True
        local = self.local(at_ms)
        minute = local.hour * 60 + local.minute
        return any(opens <= minute < closes for opens, closes in self.week[local.weekday()])

    def local(self, at_ms: int) -> datetime:
        """The wall clock of the zone."""
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.zone)

    def _find(self, at_ms: int) -> Span:
        if at_ms >= self.finish_ms:
            return _NEVER
        if self.week is None:
            return Span(self.start_ms, self.finish_ms)
        first = self.local(max(at_ms, self.start_ms)).date()
        for days in range(_HORIZON_DAYS):
            day = first + timedelta(days=days)
            for opens, closes in self.week[day.weekday()]:
                opens_ms = max(*self._instants(day, opens), self.start_ms)
                closes_ms = min(*self._instants(day, closes), self.finish_ms)
                if opens_ms >= self.finish_ms:
                    return _NEVER
                if closes_ms > max(at_ms, opens_ms):
                    return Span(opens_ms, closes_ms)
        return _NEVER

    def _instants(self, day: date, minute: int) -> tuple[int, int]:
        """Both meanings of a local time; they differ on the night of a clock change only."""
        wall = datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(minutes=minute)
        first, second = wall.timestamp(), wall.replace(fold=1).timestamp()
        return int(first * 1000), int(second * 1000)
