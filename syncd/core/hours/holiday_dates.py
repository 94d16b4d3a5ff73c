"""Holidays and moved working days of a place, from the `holidays` package.

It owns the only import of that package, which is loaded when a date is first asked for. It must
never take an unknown country or region for one without holidays: that is an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, reduce
from importlib import metadata
from operator import or_

from syncd.core.hours.dates import Dates
from syncd.core.refusal import BadValue

#: (country, region): ISO 3166-1, and a subdivision as the package codes it or "" for the whole.
Place = tuple[str, str]


def holiday_dates(places: Iterable[Place], years: Iterable[int]) -> Dates:
    """The holidays of these years in any of these places; none for no place.

    `decreed_until` is set where working days are moved by a yearly decree: of later years only the
    days are known that the law names. Raises `BadValue` for a place that the package lacks.
    """
    wanted = tuple(sorted(years))
    found = [_dates(country, region, wanted) for country, region in places]
    return reduce(or_, found) if found else Dates()


def data_version() -> str:
    """The version of the `holidays` package, for `status`."""
    return metadata.version("holidays")


@lru_cache(maxsize=256)
def _dates(country: str, region: str, years: tuple[int, ...]) -> Dates:
    import holidays  # noqa: PLC0415 - a tenth of a second that most commands need not wait

    try:
        known = holidays.country_holidays(country, subdiv=region or None, years=years)
    except NotImplementedError:
        place = f"{country}-{region}" if region else country
        raise BadValue(f"no holidays are known of {place}") from None
    moved = frozenset(day for day in known.weekend_workdays if day.year in years)
    # A country that never moved work to a weekend has special days (a coronation), but no decrees.
    decrees = getattr(known, "special_public_holidays", {}) if known.weekend_workdays else {}
    return Dates(
        holidays=frozenset(known),
        workdays=moved,
        decreed_until=max(decrees, default=None),
    )
