"""Puts a sync's zones and hours together: the steps of its chain, and the rules of its hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from syncd.core.call_times import CallTimes
from syncd.core.columns import Columns
from syncd.core.hours.rules import Rules
from syncd.core.mapping import TimesMaker
from syncd.core.spec import HoursSpec, MappingSpec, ZoneSpec
from syncd.core.zones.candidates import Chain
from syncd.core.zones.chain_of import chain_of, places_reader
from syncd.core.zones.registry import Registry
from syncd.core.zones.tz_tables import Clocks

#: What works out zones and hours from a moment on.
TimesAt = Callable[[datetime], TimesMaker]


def times_at(spec: MappingSpec, registry: Registry | None) -> TimesAt:
    """What the mappings of a sync work with; nothing is worked out before a moment is given.

    `ConfigError` comes from what it returns: a zone, a table or a preset that cannot be read.
    """
    zones, hours = spec.zones or ZoneSpec(("phone",)), spec.hours or HoursSpec()

    def at(now: datetime) -> TimesMaker:
        clocks = Clocks(now)

        def of(columns: Columns) -> CallTimes:
            chain: Chain = chain_of(zones, columns, registry, clocks)
            rules = Rules(hours, places_reader(zones, columns), now)
            return CallTimes(chain, rules.of, now=now, on_ambiguous=hours.on_ambiguous)

        return of

    return at
