"""Reads `allowedDays` and `allowedTime`: when a person may be called, in that person's local time.

It owns the contract's rules for both (Calls API, "A job in addPhones"), since a batch with one bad
interval is refused whole and no phone is named. It must never widen hours: what cannot be read is
a refusal, not a default.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from syncd.core.refusal import BadValue

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_DAY: Final = "default"

_MAX_INTERVALS = 48  #: of one day
_HH_MM = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_ENDS = ("localTimeFrom", "localTimeTo")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Local time from `start_min` to `end_min`, in minutes since midnight; start before end."""

    start_min: int
    end_min: int

    def __str__(self) -> str:
        return f"{_clock(self.start_min)}-{_clock(self.end_min)}"


#: All of a day that can be written: the contract has no 24:00.
WHOLE_DAY: Final = Interval(0, 23 * 60 + 59)

#: Intervals, in order, by weekday or "default".
Hours = Mapping[str, tuple[Interval, ...]]


def parse_days(value: object) -> tuple[str, ...]:
    """The weekdays that `value` names, Monday first, each once.

    `value` is a list, or text such as `mon, tue` or `mon-fri`. Raises `BadValue`.
    """
    if isinstance(value, str):
        value = [part for part in re.split(r"[\s,;]+", value.strip().lower()) if part]
    if not isinstance(value, Sequence) or isinstance(value, bytes) or not value:
        raise BadValue("expected one to seven weekdays such as mon")
    days: set[str] = set()
    for part in value:
        days.update(_day_range(part))
    return tuple(day for day in DAYS if day in days)


def _day_range(part: object) -> Sequence[str]:
    if not isinstance(part, str):
        raise BadValue("a weekday is a text such as mon")
    first, dash, last = part.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise BadValue(f"a weekday is one of {', '.join(DAYS)}")
    start, end = DAYS.index(first), DAYS.index(last or first)
    if end < start:
        raise BadValue("a range of weekdays runs forward, such as mon-fri")
    return DAYS[start : end + 1]


def parse_hours(value: object) -> Hours:
    """The permitted hours of each day that `value` names, as the contract wants them.

    `value` is the contract's own object, or text for every day, such as `09:00-13:00, 14:00-20:00`.
    Raises `BadValue`.
    """
    if isinstance(value, str):
        return {DEFAULT_DAY: _ordered([_from_text(part) for part in value.split(",")])}
    if not isinstance(value, Mapping) or not value:
        raise BadValue("expected hours by weekday or default")
    hours: dict[str, tuple[Interval, ...]] = {}
    for day, intervals in value.items():
        if day not in DAYS and day != DEFAULT_DAY:
            raise BadValue(f"a day is default or one of {', '.join(DAYS)}")
        if not isinstance(intervals, Sequence) or isinstance(intervals, str | bytes):
            raise BadValue(f"the hours of {day} are a list of intervals")
        hours[day] = _ordered([_from_object(interval) for interval in intervals])
    return hours


def hours_to_wire(hours: Hours) -> dict[str, list[dict[str, str]]]:
    """The contract's `allowedTime` object."""
    return {
        day: [
            dict(zip(_ENDS, (_clock(one.start_min), _clock(one.end_min)), strict=True))
            for one in intervals
        ]
        for day, intervals in hours.items()
    }


def _ordered(intervals: list[Interval]) -> tuple[Interval, ...]:
    """The intervals of one day, sorted; they must not overlap, and there is at least one."""
    if not 1 <= len(intervals) <= _MAX_INTERVALS:
        raise BadValue(f"a day has 1 to {_MAX_INTERVALS} intervals")
    ordered = sorted(intervals)
    for earlier, later in itertools.pairwise(ordered):
        if earlier.end_min > later.start_min:
            raise BadValue("the upper end of one interval is above the lower end of the next")
    return tuple(ordered)


def _from_text(text: str) -> Interval:
    start, _, end = text.partition("-")
    return _interval(start.strip(), end.strip())


def _from_object(value: object) -> Interval:
    if not isinstance(value, Mapping) or set(value) != set(_ENDS):
        raise BadValue("an interval has both ends, localTimeFrom and localTimeTo, and no more")
    return _interval(value[_ENDS[0]], value[_ENDS[1]])


def _interval(start: object, end: object) -> Interval:
    start_min, end_min = _minutes(start), _minutes(end)
    if start_min >= end_min:
        # What the vendor makes of 22:00-06:00 is not documented; two intervals say it plainly.
        raise BadValue("an interval starts before it ends, on one day")
    return Interval(start_min, end_min)


def _minutes(text: object) -> int:
    found = _HH_MM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise BadValue("a local time is HH:mm, from 00:00 to 23:59")
    return int(found[1]) * 60 + int(found[2])


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
