"""Whether what is to be called can be called in the hours that are left.

It owns the arithmetic of minutes between two instants. It reads what is sent, so the last minute of
a day, which cannot be written, does not count.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from syncd.core.hours.common import CommonHours
from syncd.core.hours.offsets import Piece, instant, minute_at_or_after, minute_of, pieces
from syncd.core.hours.week import WEEK_MIN, Week, of_hours, rotated

#: Hours of a week come again within a week; a clock that is changed can hide them once.
_SEARCH_MIN: Final = 2 * WEEK_MIN
_MIN_S: Final = 60


def minutes_left(common: CommonHours, start: datetime, finish: datetime) -> int:
    """How many minutes of [start, finish), both aware, may be called in."""
    week = of_hours(common.hours)
    first, last, found = minute_of(start), minute_at_or_after(finish), 0
    if first >= last:
        return 0
    for piece in pieces(common.gmt_zone, first, last):
        weeks, rest = divmod(piece.end - piece.start, WEEK_MIN)
        found += weeks * week.minutes + _part(week, piece, rest).bit_count()
    return found


def next_minute(common: CommonHours, at: datetime) -> datetime:
    """The first instant, not before the aware `at`, that may be called in."""
    week, first = of_hours(common.hours), minute_of(at)
    return max(
        at,
        next(
            instant(piece.start + (part & -part).bit_length() - 1)
            for piece in pieces(common.gmt_zone, first, first + _SEARCH_MIN)
            if (part := _part(week, piece, min(piece.end - piece.start, WEEK_MIN)))
        ),
    )


def minutes_ahead(common: CommonHours, first: int, length: int) -> int:
    """The minutes [first, first + length), see `offsets`, as bits: may one call? At most a week."""
    week, found = of_hours(common.hours), 0
    for piece in pieces(common.gmt_zone, first, first + length):
        found |= _part(week, piece, piece.end - piece.start) << (piece.start - first)
    return found


def minutes_needed(leads: int, call_s: float, lines: int) -> int:
    """How many minutes so many calls, of so many seconds each, take on so many lines."""
    return -int(-leads * call_s // (_MIN_S * lines))


def _part(week: Week, piece: Piece, length: int) -> int:
    """The first `length` minutes of a piece, at most a week, as bits: may one call?"""
    return rotated(week.mask, piece.start + piece.offset) & (1 << length) - 1
