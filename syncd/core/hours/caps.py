"""Caps: at most so many calls to one person in a day, a week, a month or 30 days.

It owns what a cap means for a call job's attempts and for the next call to a phone. Every attempt
counts, answered or not, and a day is any 24 hours, a week any seven days, a month any 31 days: no
day of a calendar can then hold more than the cap, in whatever zone the person is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Final

_PERIODS: Final = tuple(timedelta(days=days) for days in (1, 7, 31, 30))
_MIN: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caps:
    """The most calls to one person in each period; None is no cap."""

    day: int | None = None
    week: int | None = None
    month: int | None = None
    days_30: int | None = None

    def __and__(self, other: Caps) -> Caps:
        """The smaller cap of each period."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Caps(
            *(min((one for one in pair if one is not None), default=None) for pair in pairs)
        )

    def each(self) -> Iterator[tuple[timedelta, int]]:
        """(period, most calls) of those that are set."""
        for period, most in zip(_PERIODS, astuple(self), strict=True):
            if most is not None:
                yield period, most


def bounded(caps: Caps, attempts: int, interval_min: int, longest_min: int) -> tuple[int, int]:
    """(maxAttempts, retryIntervalInMinutes) that no cap forbids, near those that are wanted.

    The interval grows before attempts are given up: one more than a cap allows must come a whole
    period after the first. Past `longest_min`, the longest that the campaign takes, attempts go.
    """
    for period, most in caps.each():
        if attempts <= most:
            continue
        needed = -(-(period // _MIN) // most)
        if needed <= longest_min:
            interval_min = max(interval_min, needed)
        else:
            attempts = most
    return attempts, interval_min


def next_call(caps: Caps, past: Iterable[datetime], now: datetime) -> datetime:
    """The first instant, not before `now`, at which one more call breaks no cap.

    Args:
        past: when the phone was called, in any order; aware, as `now`.
    """
    called = sorted(past, reverse=True)
    return max(
        [now, *(called[most - 1] + period for period, most in caps.each() if len(called) >= most)]
    )


def attempts_left(
    caps: Caps, past: Iterable[datetime], start: datetime, attempts: int, interval_min: int
) -> int:
    """How many of these attempts, from `start` on and so far apart, break no cap after `past`.

    Attempts that come later than planned only move further away from the others.
    """
    called = list(past)
    for done in range(attempts):
        at = start + done * interval_min * _MIN
        if next_call(caps, called, at) > at:
            return done
        called.append(at)
    return attempts


def first_fit(
    caps: Caps,
    past: Iterable[datetime],
    open_calls: int,
    now: datetime,
    attempts: int,
    interval_min: int,
) -> datetime | None:
    """The first instant from `now` on at which so many attempts break no cap.

    Args:
        open_calls: attempts that other jobs to the phone may still make, nobody knows when: each
            takes its place in every period.

    Returns:
        None where only the end of those jobs makes room.
    """
    if any(most <= open_calls for _, most in caps.each()):
        return None
    called = [at for at in past if at <= now]
    lessened = Caps(*(None if most is None else most - open_calls for most in astuple(caps)))
    over = {at + period for at in called for period, _ in caps.each()}
    for start in sorted({now, *(at for at in over if at > now)}):
        if attempts_left(lessened, called, start, attempts, interval_min) == attempts:
            return start
    return None
