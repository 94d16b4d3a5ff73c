"""The windows of jobs that the ledger has, worked out again: from their basis, by the rules of now.

What a window was worked out from is kept with it, so the source need not be read again: zones,
places, the record's own hours and ends. Presets, dates and clocks are those of today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import orjson

from syncd.core.call_times import Bounds, Work
from syncd.core.call_window import CallWindow, dumped, iso
from syncd.core.columns import Columns
from syncd.core.fields import FINISH, START
from syncd.core.hours.caps import Caps
from syncd.core.hours.rules import Places, Rules
from syncd.core.spec import HoursSpec, ZoneSpec
from syncd.core.window import parse_hours
from syncd.core.zones.candidates import Candidates, Evidence
from syncd.core.zones.chain_of import places_reader

_KEPT_MAX: Final = 65_536


class Renewal:
    """What works out the windows of one sync's jobs again, at one moment."""

    def __init__(self, spec: HoursSpec, now: datetime) -> None:
        """Raises `BadValue` for hours that cannot be read, as the mapping does."""
        self._places_of = places_reader(ZoneSpec(()), Columns(()))
        self._rules = Rules(spec, self._places_of, now)
        self._on_ambiguous = spec.on_ambiguous
        self._now = now
        self._windows: dict[object, CallWindow] = {}
        self._told: dict[str, Mapping[str, Any]] = {}

    def window(
        self, basis: str, phone: int, until: datetime | None, since: datetime | None = None
    ) -> CallWindow:
        """The window of a job from now on.

        Args:
            basis: JSON, as the ledger keeps it.
            until: the job's own end; None: it has none.
            since: it must not be called before.
        """
        told = self._read(basis)
        places = self._places(told, phone)
        if since is not None and since <= self._now:
            since = None
        key = (basis, places, until, since)
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= _KEPT_MAX:
                self._windows.clear()
            window = self._windows[key] = self._made(told, places, until, since)
        return window

    def caps(self, basis: str, phone: int) -> Caps | None:
        """The caps in force for a job; None: there are none."""
        rule = self._rules.of_places(self._places(self._read(basis), phone))
        return rule.caps if rule is not None and rule.capped else None

    def _read(self, basis: str) -> Mapping[str, Any]:
        told = self._told.get(basis)
        if told is None:
            if len(self._told) >= _KEPT_MAX:
                self._told.clear()
            told = self._told[basis] = orjson.loads(basis)
        return told

    def _places(self, told: Mapping[str, Any], phone: int) -> Places:
        """Where the record may be; what was kept before places mattered tells of its number."""
        if not self._rules.by_place:
            return ()
        if "places" in told:
            return tuple((country, region) for country, region in told["places"])
        return self._places_of((), str(phone))

    def _made(
        self,
        told: Mapping[str, Any],
        places: Places,
        until: datetime | None,
        since: datetime | None,
    ) -> CallWindow:
        evidence = tuple(
            Evidence(step, value, tuple(zones), note)
            for step, value, zones, note in told["evidence"]
        )
        candidates = Candidates(tuple(told["zones"]), evidence, tuple(told.get("shares", ())))
        own, start = told.get("own_hours"), _at(told, "start")
        hours = None if own is None else parse_hours(own)
        begin = max(filter(None, (start, since)), default=None)
        bounds = Bounds(None, hours, begin, _at(told, "finish"), until)
        today = self._now.replace(hour=0, minute=0, second=0, microsecond=0)
        rule = self._rules.of_places(places)
        made = Work(candidates, rule, bounds, self._now, today, self._on_ambiguous).made()
        return made if begin == start else _with_start(made, told.get("start"))


def _with_start(window: CallWindow, start: str | None) -> CallWindow:
    """The window with the record's own start in its basis, not that of a slice."""
    basis = orjson.loads(window.basis)
    del basis["start"]
    if start is not None:
        basis["start"] = start
    return replace(window, basis=dumped(basis))


def renewals(hours: Mapping[str, HoursSpec], now: datetime) -> dict[str, Renewal]:
    """What works out the windows of each of these syncs again."""
    return {sync: Renewal(spec, now) for sync, spec in hours.items()}


def content_with(
    body: str, window: CallWindow, until: datetime | None, since: datetime | None = None
) -> str:
    """A job's content beside a new window: a slice has its ends in the window, others have not.

    Args:
        body: JSON of the content as it was.
        until: the job's own end.
        since: it must not be called before.
    """
    item = orjson.loads(body)
    sliced = window.finish_at is not None
    if sliced and not {START, FINISH} & item.keys():
        return body
    item.pop(START, None)
    item.pop(FINISH, None)
    if not sliced:
        ends = {START: since, FINISH: until}
        item |= {name: iso(at) for name, at in ends.items() if at is not None}
    return orjson.dumps(item).decode()


def _at(told: Mapping[str, Any], name: str) -> datetime | None:
    text = told.get(name)
    return None if text is None else datetime.fromisoformat(text)
