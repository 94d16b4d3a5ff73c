"""The hours of a week at which it is permitted in every zone that a number may be in.

It owns the intersection over candidate zones. For an anchor zone, a minute of its local week is
open only if at every instant of the horizon that has this local minute, each zone is inside the
window at its own weekday and time. Weeks are masks, so the work is a few shifts for each stretch of
time in which no clock changes. It must never widen: a minute that the horizon does not meet is not
open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from syncd.core import zone
from syncd.core.hours.offsets import minute_at_or_after, minute_of, pieces
from syncd.core.hours.week import WEEK_MIN, Week, guarded, rotated, span
from syncd.core.window import Hours

#: A horizon is looked at so far: past it the years of every clock repeat. A person may well write
#: "until 9999", and a search through all its changes would take minutes.
HORIZON_MAX: Final = timedelta(weeks=3 * 54)

_MIN_S: Final = 60
_MAX_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class CommonHours:
    """What is sent for a call job.

    gmt_zone: `+HH:MM` when the anchor's offset does not change over the horizon, else its id.
    anchor: the candidate zone in whose local time the hours are.
    hours: intervals by weekday; a day without any is absent.
    week: the same as a mask, with the last minute of the day, which `hours` cannot write.
    """

    gmt_zone: str
    anchor: str
    hours: Hours
    week: Week

    @property
    def minutes_a_week(self) -> int:
        """How many minutes a week are open."""
        return self.week.minutes


def common_hours(
    zones: Sequence[str], week: Week, start: datetime, end: datetime, guard_min: int = 0
) -> CommonHours | None:
    """The common hours of the zones over [start, end), or None when no minute survives.

    Args:
        zones: ids or `+HH:MM`, the likeliest first; at least one.
        start: aware; with `end` the horizon. Less than a week is taken as the week from its start,
            since the answer is a plan of a week.
        guard_min: minutes taken off the end of every interval.

    The anchor is the zone with most minutes; among equals one with a constant offset, then the
    likelier.
    """
    return _common(tuple(zones), week, start, end, guard_min)


@lru_cache(maxsize=_MAX_KEPT)
def _common(
    zones: tuple[str, ...], week: Week, start: datetime, end: datetime, guard_min: int
) -> CommonHours | None:
    """Kept: thousands of prefixes share some hundred sets of zones."""
    first, last = minute_of(start), minute_at_or_after(min(end, start + HORIZON_MAX))
    least = max(last, first + WEEK_MIN)
    masks = (guarded(_open(anchor, zones, week, first, least), guard_min) for anchor in zones)
    weeks = map(Week, masks)
    return choose(
        (Offer(*one, one[1].minutes, last) for one in zip(zones, weeks, strict=True)), first
    )


def likely(
    zones: Sequence[str], week: Week, start: datetime, end: datetime, guard_min: int = 0
) -> tuple[CommonHours, tuple[str, ...]] | None:
    """The common hours of the likeliest zones, and these: as many as leave a minute.

    None when the window itself is empty. Arguments as for `common_hours`.
    """
    for kept in range(len(zones), 0, -1):
        found = common_hours(zones[:kept], week, start, end, guard_min)
        if found is not None:
            return found, tuple(zones[:kept])
    return None


class Offer(NamedTuple):
    """What one anchor would give: its week, and how many minutes of it are compared."""

    anchor: str
    week: Week
    minutes: int
    last: int  #: the minute (see `offsets`) until which the week holds


def choose(offers: Iterable[Offer], first: int) -> CommonHours | None:
    """The best offer: most minutes, then an offset that stays from `first` on, then the order.

    None when no offer has a minute that can be written.
    """
    known = [
        (offer, hours, _constant(offer.anchor, first, offer.last))
        for offer in offers
        if (hours := offer.week.hours())
    ]
    if not known:
        return None
    best, hours, offset = max(known, key=lambda one: (one[0].minutes, one[2] is not None))
    zone_sent = best.anchor if offset is None else gmt_zone(offset)
    return CommonHours(zone_sent, best.anchor, hours, best.week)


def gmt_zone(offset: int) -> str:
    """`+03:00` for 180 minutes."""
    return zone.offset_text(offset * _MIN_S)


def _constant(anchor: str, first: int, last: int) -> int | None:
    """The anchor's one offset in minutes, or None when it changes."""
    found = {piece.offset for piece in pieces(anchor, first, max(last, first + 1))}
    return found.pop() if len(found) == 1 else None


def _open(anchor: str, zones: Sequence[str], week: Week, first: int, last: int) -> int:
    """The open minutes of the anchor's local week, as a mask."""
    if list(zones) == [anchor]:
        return week.mask  # the zone itself follows its changes
    met = barred = 0
    for piece in pieces(anchor, first, last):
        met |= span(piece.start + piece.offset, piece.end - piece.start)
        for other in zones:
            for start, end, offset in pieces(other, piece.start, piece.end):
                inside = rotated(week.mask, offset - piece.offset)
                barred |= span(start + piece.offset, end - start) & ~inside
    return met & ~barred
