"""A week of permitted hours as one number of 10,080 bits: bit 0 is Monday 00:00, local time.

It owns the arithmetic of weeks: reading the configuration's texts, intersection, shifts that carry
hours over midnight and into another weekday, and the way back to intervals. A minute is open when
its bit is set; intervals are half-open. It knows no zone and no date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from syncd.core.refusal import BadValue
from syncd.core.window import DAYS, DEFAULT_DAY, Hours, Interval, parse_days

DAY_MIN: Final = 1440
WEEK_MIN: Final = 7 * DAY_MIN
WHOLE_DAY: Final = (1 << DAY_MIN) - 1
WHOLE_WEEK: Final = (1 << WEEK_MIN) - 1

#: The last minute that the contract can write: its HH:mm has no 24:00, and Java reads one as 00:00.
_LAST_END = DAY_MIN - 1
_SPAN = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9])\s*-\s*(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)"
)


@dataclass(frozen=True, slots=True)
class Week:
    """`mask`: bit m is set when minute m since Monday 00:00 is open, 0 <= m < 10,080."""

    mask: int

    def __and__(self, other: Week) -> Week:
        return Week(self.mask & other.mask)

    @property
    def minutes(self) -> int:
        """How many minutes a week are open."""
        return self.mask.bit_count()

    def day(self, weekday: int) -> int:
        """The 1,440 bits of a weekday; Monday is 0."""
        return self.mask >> weekday * DAY_MIN & WHOLE_DAY

    def shift(self, minutes: int) -> Week:
        """The week of clocks that are `minutes` behind: its minute m is our minute m + minutes."""
        return Week(rotated(self.mask, minutes))

    def hours(self) -> Hours:
        """The intervals of each weekday that is open, cut at midnight; 24:00 is written 23:59."""
        found: dict[str, tuple[Interval, ...]] = {}
        for at, day in enumerate(DAYS):
            spans = ((start, min(end, _LAST_END)) for start, end in runs(self.day(at)))
            intervals = tuple(Interval(start, end) for start, end in spans if start < end)
            if intervals:
                found[day] = intervals
        return found


def of_hours(hours: Hours) -> Week:
    """The week that intervals by weekday mean; `default` stands for the days that are not named."""
    default = hours.get(DEFAULT_DAY, ())
    return of_days([_mask(hours.get(day, default)) for day in DAYS])


def of_days(days: Sequence[int]) -> Week:
    """A week of seven masks of 1,440 bits, Monday first."""
    return Week(sum(day << at * DAY_MIN for at, day in enumerate(days)))


def parse(told: Mapping[str, Iterable[str]]) -> Week:
    """The week of texts such as `{"mon-fri": ["10:00-13:00", "14:00-24:00"]}`.

    A day that no key names is closed; one that two keys name is refused, as is an interval over
    midnight: two intervals say plainly whose night it is. Raises `BadValue`.
    """
    days = dict.fromkeys(DAYS, 0)
    named: set[str] = set()
    for key, spans in told.items():
        for day in parse_days(key):
            if day in named:
                raise BadValue(f"{day} is named twice")
            named.add(day)
            days[day] = _mask(_interval(text) for text in spans)
    return of_days([days[day] for day in DAYS])


def runs(mask: int) -> Iterator[tuple[int, int]]:
    """The runs of set bits, in order, as (first, last + 1)."""
    at = 0
    while mask:
        closed = (mask & -mask).bit_length() - 1
        mask >>= closed
        opened = (mask + 1 & ~mask).bit_length() - 1
        mask >>= opened
        yield at + closed, at + closed + opened
        at += closed + opened


def rotated(mask: int, minutes: int) -> int:
    """Bit m of the answer is bit (m + minutes) mod 10,080 of the mask."""
    by = minutes % WEEK_MIN
    return mask >> by | (mask << WEEK_MIN - by & WHOLE_WEEK)


def span(start: int, length: int) -> int:
    """The minutes of the week from `start` on, round its end; all when `length` is a week."""
    if length >= WEEK_MIN:
        return WHOLE_WEEK
    return rotated((1 << length) - 1, -start)


def guarded(mask: int, minutes: int) -> int:
    """The mask with `minutes` taken off the end of each run of open minutes, round the week."""
    kept = mask
    for ahead in range(1, minutes + 1):
        kept &= rotated(mask, ahead)
    return kept


def _mask(intervals: Iterable[Interval]) -> int:
    mask = 0
    for one in intervals:
        mask |= (1 << one.end_min) - (1 << one.start_min)
    return mask


def _interval(text: str) -> Interval:
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise BadValue("hours are HH:mm-HH:mm, from 00:00 to 24:00")
    start = int(found[1]) * 60 + int(found[2])
    end = DAY_MIN if found[3] is None else int(found[3]) * 60 + int(found[4])
    if start >= end:
        raise BadValue("hours start before they end, on one day: a night is two of them")
    return Interval(start, end)
