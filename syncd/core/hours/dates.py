"""Dates that are not ordinary days of the week, and the hours that a rule gives them.

It owns what a holiday, its eve, a working Saturday and a closed date mean for the hours. Rules meet
by intersection, each with its own idea of a holiday, so the hours of each kind of day are kept
apart until then. Which dates are holidays, others say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce
from operator import and_
from typing import Final, Literal

from syncd.core.hours.week import Week, of_days

#: What a rule does on a holiday: nothing, no calls, or the hours of Sunday.
Policy = Literal["none", "closed", "weekend"]

_DAY: Final = timedelta(days=1)
_SATURDAY, _SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class Dates:
    """holidays: no working days. workdays: days of a weekend that work was moved to.

    closed: never called, whatever the rule. decreed_until: the last year whose moved days are
    known; None where no decree moves any.
    """

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    closed: frozenset[date] = frozenset()
    decreed_until: int | None = None

    def with_own(
        self, closed: Iterable[date] = (), opened: Iterable[date] = (), added: Iterable[date] = ()
    ) -> Dates:
        """The dates with a person's own: closed, no holiday after all, or one more holiday."""
        return replace(
            self,
            holidays=(self.holidays | frozenset(added)) - frozenset(opened),
            closed=self.closed | frozenset(closed),
        )

    def undecreed(self, last: date) -> bool:
        """Whether days that are moved by a decree are not known yet on a date as late as `last`."""
        return self.decreed_until is not None and last.year > self.decreed_until

    def __or__(self, other: Dates) -> Dates:
        """A holiday of either is one; a day of a weekend works where both say so."""
        known = [year for year in (self.decreed_until, other.decreed_until) if year is not None]
        return Dates(
            self.holidays | other.holidays,
            self.workdays & other.workdays,
            self.closed | other.closed,
            min(known, default=None),
        )


@dataclass(frozen=True, slots=True)
class Weeks:
    """The hours of a rule by kind of day; of each kind the weekdays Monday to Sunday."""

    ordinary: Week
    holiday: Week
    eve: Week
    workday: Week

    def __and__(self, other: Weeks) -> Weeks:
        return Weeks(
            self.ordinary & other.ordinary,
            self.holiday & other.holiday,
            self.eve & other.eve,
            self.workday & other.workday,
        )

    def day(self, day: date, dates: Dates) -> int:
        """The 1,440 bits of a local date."""
        if day in dates.closed:
            return 0
        kind = self.ordinary
        if day in dates.holidays:
            kind = self.holiday
        elif day in dates.workdays:
            kind = self.workday
        elif day + _DAY in dates.holidays:
            kind = self.eve
        return kind.day(day.weekday())

    def differ(self, dates: Dates, first: date, last: date) -> bool:
        """Whether a date from first to last has other hours than its weekday usually has."""
        near = {*dates.holidays, *dates.workdays, *dates.closed}
        near |= {day - _DAY for day in dates.holidays}
        return any(
            self.day(day, dates) != self.ordinary.day(day.weekday())
            for day in near
            if first <= day <= last
        )


def weeks_of(week: Week, policy: Policy = "none", *, eves: bool = False) -> Weeks:
    """The hours of each kind of day, from those of ordinary weekdays.

    A holiday is as `policy` says. A working day of a weekend has the hours that Monday to Friday
    share, unless the rule looks at no calendar. With `eves`, the day before a holiday has no
    hours that Saturday lacks.
    """
    days = [week.day(at) for at in range(7)]
    working = reduce(and_, days[:_SATURDAY])
    holiday = {"none": week, "closed": Week(0), "weekend": of_days([days[_SUNDAY]] * 7)}[policy]
    return Weeks(
        ordinary=week,
        holiday=holiday,
        eve=of_days([day & days[_SATURDAY] for day in days]) if eves else week,
        workday=week if policy == "none" else of_days([*days[:_SATURDAY], working, working]),
    )
