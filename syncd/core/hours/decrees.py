"""Where holidays are not known far enough: days off that a government moves by a yearly decree.

Of years without a decree only the days are known that the law names, so a call may fall on a day
that will be a holiday. The years are those of the `holidays` package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from syncd.core.hours.holiday_dates import Place, holiday_dates
from syncd.core.hours.presets import Preset, named
from syncd.core.refusal import BadValue
from syncd.core.spec import HoursSpec

#: So far ahead hours are worked out for jobs without an end of their own.
_AHEAD: Final = timedelta(weeks=54)


def undecreed(spec: HoursSpec, names: Iterable[str], now: datetime) -> Mapping[str, int]:
    """The last year with decree data, by country, where that is before the horizon's end.

    Args:
        names: of the presets in force, with or without their versions, as windows tell them.
    """
    last = (now + _AHEAD).date()
    years = range(now.year, last.year + 1)
    found: dict[str, int] = {}
    for country, region in _places(spec, names):
        try:
            dates = holiday_dates([(country, region)], years)
        except BadValue:
            continue  # nobody has its holidays; that is told elsewhere
        if dates.undecreed(last) and dates.decreed_until is not None:
            found[country] = dates.decreed_until
    return found


def _places(spec: HoursSpec, names: Iterable[str]) -> set[Place]:
    """Whose holidays change the hours."""
    if spec.holidays == "none":
        return set()
    words = {word for name in names for word in name.split()}  # "us-fl + us-debt 2026-11-21"
    presets = [found for word in words if (found := named(word)) is not None]
    return {place for one in presets if spec.holidays or _heeds(one) for place in one.places}


def _heeds(preset: Preset) -> bool:
    return preset.weeks.holiday != preset.week or preset.eves
