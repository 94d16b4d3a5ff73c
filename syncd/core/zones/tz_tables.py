"""Which zones a country has, and which zones are one clock.

Two zones are one clock when their offsets are the same at every instant of the time looked at:
`Europe/London` and `Europe/Jersey`, or `Asia/Almaty` and `+05:00`. A zone is a `zone.tab` id or an
offset such as `+03:00`. Rules come from the `tzdata` package (core/zone.py), never the machine's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from syncd.core.hours.offsets import minute_of, pieces
from syncd.core.zones.tz_ids import canonical_id, country_names, zones_of_country

__all__ = [
    "AHEAD",
    "Clocks",
    "canonical_id",
    "clock_of",
    "country_names",
    "zones_of_country",
]

#: How far ahead clocks are compared. The longest horizon of a job is 54 weeks, and a `Clocks` may
#: be some weeks old when it is asked.
AHEAD: Final = timedelta(weeks=60)
_MAX_FOLDS: Final = 65_536


@lru_cache(maxsize=4096)
def clock_of(zone: str, start: int, end: int) -> Hashable:
    """A key that two zones share when they show the same time in each of the minutes [start, end).

    Minutes are those of core/hours/offsets.py. Raises `ValueError` for text that is no zone.
    """
    return tuple((piece.start, piece.offset) for piece in pieces(zone, start, end))


class Clocks:
    """Which zones are one clock from `start` on. Make a new one each day or so."""

    def __init__(self, start: datetime) -> None:
        """`start` is aware."""
        self._start = minute_of(start)
        self._end = minute_of(start + AHEAD)
        self._folds: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, zone: str) -> Hashable:
        """The key of a zone's clock."""
        return clock_of(zone, self._start, self._end)

    def fold(self, zones: tuple[str, ...]) -> tuple[str, ...]:
        """`zones` with the first of each clock only, in their order."""
        if len(zones) <= 1:
            return zones
        folded = self._folds.get(zones)
        if folded is None:
            first: dict[Hashable, str] = {}
            for zone in zones:
                first.setdefault(self.of(zone), zone)
            if len(self._folds) >= _MAX_FOLDS:
                self._folds.clear()
            folded = self._folds[zones] = tuple(first.values())
        return folded

    def fold_shares(
        self, zones: Sequence[str], shares: Sequence[float]
    ) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """Zones folded, with the shares of each clock added up."""
        first: dict[Hashable, str] = {}
        sums: dict[str, float] = {}
        for zone, share in zip(zones, shares, strict=True):
            kept = first.setdefault(self.of(zone), zone)
            sums[kept] = sums.get(kept, 0.0) + share
        return tuple(sums), tuple(sums.values())

    def among(self, zones: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
        """Those of `zones` that are the clock of one of `allowed`, written as that one is."""
        names: dict[Hashable, str] = {}
        for zone in allowed:
            names.setdefault(self.of(zone), zone)
        kept = (names.get(self.of(zone)) for zone in zones)
        return tuple(dict.fromkeys(name for name in kept if name is not None))
