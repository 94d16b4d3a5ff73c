"""The clocks of regions, in order of the people who live by them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from syncd.core.zones.subjects import ALL_RUSSIA
from syncd.core.zones.texts import rows
from syncd.core.zones.tz_ids import zones_of_country


@cache
def clocks_of_region(region: str) -> tuple[str, ...]:
    """Zones that cover all clocks of an upper-case ISO 3166 code, the likeliest first.

    Regions of one clock give its zone, or several that are one clock; () for no region.
    """
    return _table().get(region) or zones_of_country(region)


@cache
def _table() -> Mapping[str, tuple[str, ...]]:
    table = {region: tuple(zones.split()) for region, zones, *_ in rows("clocks.tsv")}
    return {**table, "RU": ALL_RUSSIA}
