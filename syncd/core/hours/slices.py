"""Slices of at most seven local days, in which hours by weekday are exact to the date.

The campaign knows weekly hours only. Where a holiday matters, a call job gets the hours of one
slice and ends with it; the rest is pushed again as the next slice. It owns where a slice ends and
which hours it has. Each zone closes its own local date. It must never let a weekday of the anchor
occur twice in a slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from syncd.core.hours.common import HORIZON_MAX, CommonHours, Offer, choose
from syncd.core.hours.dates import Dates, Weeks
from syncd.core.hours.offsets import (
    instant,
    minute_at_or_after,
    minute_of,
    offset_at,
    pieces,
)
from syncd.core.hours.week import DAY_MIN, WEEK_MIN, Week, rotated

_MONDAY: Final = date(1970, 1, 5)
_DAYS: Final = 7
_MAX_KEPT: Final = 4096
#: A midnight seven days on is found within so many minutes, whatever the clocks do.
_REACH_MIN: Final = WEEK_MIN + 2 * DAY_MIN


@dataclass(frozen=True, slots=True)
class Slice:
    """From `start` to `finish` (aware, UTC) the hours hold; None when there are none."""

    start: datetime
    finish: datetime
    hours: CommonHours | None


def slice_at(
    zones: Sequence[str],
    weeks: Weeks,
    dates: Dates,
    start: datetime,
    finish: datetime,
    guard_min: int = 0,
) -> Slice:
    """The slice that begins at `start`: to the anchor's midnight seven dates on, or to `finish`.

    Args:
        zones: as for `common_hours`; among them the anchor is chosen alike, by the minutes of the
            time that the slices of all of them share.
        start: aware, before `finish`.
        guard_min: minutes taken off the end of every interval, and off the end of the slice.
    """
    first = minute_of(start)
    last = max(first, minute_at_or_after(finish))
    ends = [min(last, _midnight(zone, first)) for zone in zones]
    everywhere = (1 << max(ends) - first) - 1
    for zone in zones:
        everywhere &= _open(zone, weeks, dates, first, max(ends))
    offers = []
    for anchor, end in zip(zones, ends, strict=True):
        week, shared = (
            _folded(anchor, _guarded(everywhere, until - first, guard_min), first, until)
            for until in (end, min(ends))
        )
        offers.append(Offer(anchor, week, shared.minutes, end))
    hours = choose(offers, first)
    end = min(ends) if hours is None else ends[zones.index(hours.anchor)]
    return Slice(start, min(instant(end), finish), hours)


def next_slice(
    zones: Sequence[str],
    weeks: Weeks,
    dates: Dates,
    start: datetime,
    finish: datetime,
    guard_min: int = 0,
) -> Slice:
    """The first slice from `start` on that has hours, or the last one looked at, without any."""
    return _next(tuple(zones), weeks, dates, start, finish, guard_min)


@lru_cache(maxsize=_MAX_KEPT)
def _next(
    zones: tuple[str, ...],
    weeks: Weeks,
    dates: Dates,
    start: datetime,
    finish: datetime,
    guard_min: int,
) -> Slice:
    """Kept: thousands of prefixes share some hundred sets of zones."""
    found = slice_at(zones, weeks, dates, start, finish, guard_min)
    last = min(finish, start + HORIZON_MAX)
    while found.hours is None and found.finish < last:
        found = slice_at(zones, weeks, dates, found.finish, finish, guard_min)
    return found


def _midnight(zone: str, first: int) -> int:
    """The first minute of the local date seven days after that of `first`."""
    target = ((first + offset_at(zone, first)) // DAY_MIN + _DAYS) * DAY_MIN
    return next(
        max(target - piece.offset, piece.start)  # a clock may be put forward at midnight
        for piece in pieces(zone, first, first + _REACH_MIN)
        if target - piece.offset < piece.end
    )


def _open(zone: str, weeks: Weeks, dates: Dates, first: int, last: int) -> int:
    """A bit for each minute of [first, last): the zone is inside its hours."""
    found = 0
    for piece in pieces(zone, first, last):
        begin, end = piece.start + piece.offset, piece.end + piece.offset
        day, local = begin // DAY_MIN, 0
        for at in range(day, -(-end // DAY_MIN)):
            hours = weeks.day(_MONDAY + timedelta(days=at), dates)
            local |= hours << (at - day) * DAY_MIN
        local = local >> begin - day * DAY_MIN & (1 << end - begin) - 1
        found |= local << piece.start - first
    return found


def _guarded(everywhere: int, length: int, guard_min: int) -> int:
    """The first `length` minutes, with the guard taken off each end, the last one too."""
    whole = kept = everywhere & (1 << length) - 1
    for ahead in range(1, guard_min + 1):
        kept &= whole >> ahead
    return kept


def _folded(anchor: str, everywhere: int, first: int, last: int) -> Week:
    """The anchor's local week: open where a minute occurs, and all that occur are open."""
    opened = shut = 0
    for piece in pieces(anchor, first, last):
        every = (1 << piece.end - piece.start) - 1
        part = everywhere >> piece.start - first & every
        opened |= rotated(part, -(piece.start + piece.offset))
        shut |= rotated(part ^ every, -(piece.start + piece.offset))
    return Week(opened & ~shut)
