"""Reads back when a call job may be called, from the fields that are sent for it.

The counterpart of what core/call_times.py works out. It must never be kinder than the vendor: where
the campaign's own hours count, nobody here knows when it calls, and that is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from syncd.core.fields import DAYS, FINISH, GMT_ZONE, START, TIME
from syncd.core.hours.common import CommonHours, gmt_zone
from syncd.core.hours.feasible import minutes_ahead, next_minute
from syncd.core.hours.offsets import minute_of, offset_at, pieces
from syncd.core.hours.week import of_hours
from syncd.core.window import DEFAULT_DAY, WHOLE_DAY, Hours, parse_hours

_HORIZON_MIN: Final = 54 * 7 * 1440


@dataclass(frozen=True, slots=True)
class SentHours:
    """The hours of one call job, in the local time of `common.gmt_zone`.

    start, finish: the first instant at which it may be called, and the first at which it may not.
    """

    common: CommonHours
    start: datetime | None = None
    finish: datetime | None = None

    def next_at(self, now: datetime) -> datetime | None:
        """The first instant from `now` on that may be called in; None: there is none any more."""
        if not self.common.week.mask:
            return None
        begin = now if self.start is None else max(now, self.start)
        if self.finish is not None and begin >= self.finish:
            return None
        found = next_minute(self.common, begin)
        return None if self.finish is not None and found >= self.finish else found

    def ahead(self, first: int, length: int) -> int:
        """The minutes [first, first + length), see `offsets`, as bits: may one call?"""
        bits = minutes_ahead(self.common, first, length)
        if self.start is not None:
            bits &= -1 << max(0, minute_of(self.start) - first)
        if self.finish is not None:
            bits &= (1 << max(0, minute_of(self.finish) - first)) - 1
        return bits


def read_sent(item: Mapping[str, Any]) -> SentHours | None:
    """The hours of an item of `addPhones`; None: the campaign's own count, or its zone is unknown.

    Without `allowedTime` on the days of `allowedDays` the whole day is open.
    """
    zone, days, told = (item.get(name) for name in (GMT_ZONE, DAYS, TIME))
    if zone is None or (days is None and told is None):
        return None
    hours: Hours = {DEFAULT_DAY: (WHOLE_DAY,)} if told is None else parse_hours(told)
    if days is not None:
        default = hours.get(DEFAULT_DAY, ())
        hours = {day: hours.get(day, default) for day in days}
    common = CommonHours(zone, zone, hours, of_hours(hours))
    return SentHours(common, _instant(item.get(START)), _instant(item.get(FINISH)))


def anchor_of(zone: str, candidates: Sequence[str], at: datetime) -> str | None:
    """Which candidate stands behind the zone that is sent: itself, or one of that offset.

    None when none of them has it any more.
    """
    if zone in candidates:
        return zone
    first = minute_of(at)
    steady = (
        one
        for one in candidates
        if {gmt_zone(piece.offset) for piece in pieces(one, first, first + _HORIZON_MIN)} == {zone}
    )
    now = (one for one in candidates if gmt_zone(offset_at(one, first)) == zone)
    return next(steady, None) or next(now, None)


def _instant(told: object) -> datetime | None:
    return datetime.fromisoformat(told) if isinstance(told, str) else None
