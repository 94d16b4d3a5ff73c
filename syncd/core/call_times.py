"""When each record's person may be called: candidate zones, the hours in force, and what is sent.

    zones    the chain of the sync names the zones that a person may live in
    hours    presets, the sync's own week, and the record's own hours meet
    window   the hours that are permitted in every zone, as the campaign takes them

It owns what is held because of time: no zone, no common hour, or no hour left. Whatever is worked
out is kept and shared, for there are few windows and many records. The horizon is as old as the
pass: it begins with the UTC day of `now`, so that one day's windows are one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from syncd.core.call_window import CallWindow, iso, window_of
from syncd.core.fields import DAYS, FINISH, GMT_ZONE, RETRY_INTERVAL_MIN, START, TIME
from syncd.core.getters import Row
from syncd.core.hours.caps import bounded
from syncd.core.hours.common import CommonHours, common_hours, likely
from syncd.core.hours.feasible import minutes_left
from syncd.core.hours.rules import Rule
from syncd.core.hours.slices import Slice, next_slice
from syncd.core.hours.week import WHOLE_WEEK, Week, of_hours
from syncd.core.window import Hours, hours_to_wire
from syncd.core.zones.candidates import Candidates, Chain, Evidence

HELD_NO_ZONE: Final = "no_zone"  #: nobody knows the hour where this phone is
HELD_NO_COMMON_WINDOW: Final = "no_common_window"  #: its zones have no permitted hour in common
HELD_NO_PRESET: Final = "no_preset"  #: no hours are known for its country and scope
HELD_TOO_FAR: Final = "start_too_far"  #: nobody knows the holidays of that year yet
HELD_WINDOW_MISSED: Final = "window_missed"  #: no permitted hour is left before its finish

#: A call job without an end of its own is planned so far: a year, and the weeks around a change.
HORIZON: Final = timedelta(weeks=54)
_FAR: Final = timedelta(days=3_650)
_SURELY: Final = timedelta(days=15)
_KEPT_MAX: Final = 65_536
_ATTEMPTS, _INTERVAL = "maxAttempts", "retryIntervalInMinutes"


def horizon_end(start: datetime) -> datetime:
    """How far a call job without an end of its own is planned; a start may be in any year."""
    try:
        return start + HORIZON
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


class Bounds(NamedTuple):
    """What a record itself says of its time; all may be missing. Light, for there are many."""

    zone: str | None = None  #: its own zone, as it is sent
    hours: Hours | None = None  #: its own hours, by weekday
    start: datetime | None = None
    finish: datetime | None = None
    until: datetime | None = None  #: the end of a job that goes on from slice to slice


NO_BOUNDS: Final = Bounds()


class CallTimes:
    """The windows of one sync's records, compiled for a set of columns and a moment."""

    def __init__(
        self,
        chain: Chain,
        rule_of: Callable[[Row, str], Rule | None],
        *,
        now: datetime,
        on_ambiguous: str = "hold",
    ) -> None:
        """Compile for one pass.

        Args:
        rule_of: the hours in force for a record and its phone; None: the campaign's own.
        on_ambiguous: "hold", "likely" or "campaign", where no hour is permitted in all zones.
        """
        self._resolve = chain.resolve
        self._rule_of = rule_of
        self._now = now
        self._today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._on_ambiguous = on_ambiguous
        self._kept: dict[object, tuple[CallWindow, Candidates, Rule | None]] = {}
        self._own: dict[str, Candidates] = {}

    def window(self, row: Row, number: int, bounds: Bounds = NO_BOUNDS) -> CallWindow:
        """When the person of this record may be called, and why; the same object for many."""
        phone = str(number)
        if bounds.zone is None:
            candidates = self._resolve(row, phone)
        else:
            candidates = self._written(bounds.zone)
        rule = self._rule_of(row, phone)
        # Both are kept by who gave them, and here, so that no other object gets their identity.
        key: object = (id(candidates), id(rule))
        if bounds is not NO_BOUNDS:
            own = None if bounds.hours is None else repr(bounds.hours)
            key = (key, own, bounds.start, bounds.finish)
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            window = Work(candidates, rule, bounds, self._now, self._today, self._on_ambiguous)
            kept = self._kept[key] = (window.made(), candidates, rule)
        return kept[0]

    def bound(self, row: Row, number: int, item: dict[str, Any]) -> None:
        """Give a job no more attempts, and none sooner, than the caps in force allow.

        Without `maxAttempts` the campaign's own number counts, which nobody knows here: the job
        gets as many as surely break no cap.
        """
        rule = self._rule_of(row, str(number))
        if rule is None or not rule.capped:
            return
        smallest = min(most for _, most in rule.caps.each())
        wanted = item.get(_ATTEMPTS) or smallest
        attempts, interval_min = bounded(
            rule.caps, wanted, item.get(_INTERVAL, 0), RETRY_INTERVAL_MIN[1]
        )
        item[_ATTEMPTS] = attempts
        if interval_min:
            item[_INTERVAL] = interval_min

    def _written(self, zone: str) -> Candidates:
        """The record's own zone, which was read already."""
        known = self._own.get(zone)
        if known is None:
            if len(self._own) >= _KEPT_MAX:
                self._own.clear()
            evidence = Evidence("column", zone, (zone,))
            known = self._own[zone] = Candidates((zone,), (evidence,))
        return known


class Work:
    """One window, being worked out."""

    def __init__(
        self,
        candidates: Candidates,
        rule: Rule | None,
        bounds: Bounds,
        now: datetime,
        today: datetime,
        on_ambiguous: str,
    ) -> None:
        self._candidates = candidates
        self._zones = candidates.zones
        self._rule = rule
        self._bounds = bounds
        self._now = now
        self._start = max(today, bounds.start or today)
        self._finish = bounds.until or bounds.finish or horizon_end(self._start)
        self._far = self._start > today + _FAR
        self._over = self._finish <= now  # it expires, with hours or without
        self._on_ambiguous = on_ambiguous
        self._notes: dict[str, object] = {}
        own = bounds.hours
        self._week = Week(WHOLE_WEEK) if own is None else of_hours(own)

    def made(self) -> CallWindow:
        """The window; one that holds the call job says why."""
        why = self._why_held()
        if why is not None:
            return self._held(why)
        if self._rule is not None and self._rule.by_date and not self._over:
            return self._sliced(self._rule)
        return self._weekly()

    def _why_held(self) -> str | None:
        """Why no hours need to be looked for."""
        if not self._zones:
            return HELD_NO_ZONE
        if self._rule is not None and self._rule.missing:
            self._notes["missing"] = self._rule.missing
            return HELD_NO_PRESET
        if self._rule is not None and self._rule.by_date and self._far:
            return HELD_TOO_FAR
        return None

    def _weekly(self) -> CallWindow:
        found = self._common()
        if found is None:
            return self._without_common()
        return self._sent(found) if self._is_feasible(found) else self._held(HELD_WINDOW_MISSED)

    def _is_feasible(self, found: CommonHours) -> bool:
        """Whether a permitted minute is left; the hours come again within a week or two."""
        begin = max(self._now, self._start)
        if self._far or self._over or self._finish - begin > _SURELY:
            return True
        return minutes_left(found, begin, self._finish) > 0

    def _common(self) -> CommonHours | None:
        """The hours of all zones, or of those that the sync settles for."""
        week, guard_min = self._week, 0
        if self._rule is not None:
            week, guard_min = week & self._rule.weeks.ordinary, self._rule.guard_min
        # The rules of clocks are not known for years far away; those of the near ones are taken.
        start = self._now if self._far else self._start
        given = (week, start, min(self._finish, start + HORIZON), guard_min)
        if not self._limited and len(self._zones) > 1:
            # The campaign's own hours are not known here: they would need one zone.
            found = common_hours(self._zones[:1], *given)
            return self._settled(found, self._zones[:1]) if self._may("likely") else None
        found = common_hours(self._zones, *given)
        if found is not None or not self._may("likely"):
            return found
        left = likely(self._zones, *given)
        return None if left is None else self._settled(*left)

    def _sliced(self, rule: Rule) -> CallWindow:
        """The first slice of days that has an hour."""
        zones = self._zones
        found = self._slice(rule, zones)
        while found.hours is None and len(zones) > 1 and self._may("likely"):
            zones = zones[:-1]
            found = self._slice(rule, zones)
        if found.hours is None:
            return self._without_common() if len(zones) > 1 else self._held(HELD_WINDOW_MISSED)
        if not self._minutes(found.hours, found):
            return self._held(HELD_WINDOW_MISSED)
        if len(zones) < len(self._zones):
            self._settled(found.hours, zones)
        return self._sent(found.hours, found)

    def _slice(self, rule: Rule, zones: tuple[str, ...]) -> Slice:
        weeks = rule.with_week(self._week)
        found = next_slice(zones, weeks, rule.dates, self._start, self._finish, rule.guard_min)
        # The first day may be over by now where the hours are early.
        while found.hours and found.finish < self._finish and not self._minutes(found.hours, found):
            found = next_slice(zones, weeks, rule.dates, found.finish, self._finish, rule.guard_min)
        return found

    def _minutes(self, hours: CommonHours, found: Slice) -> int:
        """How many minutes of a slice are still to come."""
        return minutes_left(hours, max(self._now, found.start), found.finish)

    @property
    def _limited(self) -> bool:
        """Whether any hours are in force here, and not only the campaign's own."""
        return self._rule is not None or self._bounds.hours is not None

    def _may(self, choice: str) -> bool:
        """Whether the sync settles for it. Legal hours are never given up."""
        legal = self._rule is not None and self._rule.legal
        return self._on_ambiguous == choice and not legal

    def _settled(self, found: CommonHours | None, zones: tuple[str, ...]) -> CommonHours | None:
        self._notes["settled_for"] = zones
        return found

    def _without_common(self) -> CallWindow:
        if self._may("campaign"):
            self._notes["settled_for"] = "campaign"
            return window_of({}, self._basis())
        return self._held(HELD_NO_COMMON_WINDOW)

    def _held(self, why: str) -> CallWindow:
        return window_of({}, self._basis(), held=why)

    def _sent(self, found: CommonHours, part: Slice | None = None) -> CallWindow:
        fields: dict[str, Any] = {GMT_ZONE: found.gmt_zone}
        if self._limited:
            fields[DAYS] = list(found.hours)
            fields[TIME] = hours_to_wire(found.hours)
        finish = None
        if part is not None:
            finish = part.finish
            if part.start > self._start or self._bounds.start is not None:
                fields[START] = iso(max(part.start, self._start))
            fields[FINISH] = iso(finish)
        basis = self._basis()
        return window_of(fields, basis, gmt_zone=found.gmt_zone, finish_at=finish)

    def _basis(self) -> Mapping[str, Any]:
        """What `explain` shows, and what tells whether a changed row changes the hours."""
        asked = self._candidates.evidence
        basis: dict[str, Any] = {
            "evidence": [[one.step, one.value, one.zones, one.note] for one in asked],
            "zones": self._zones,
            "hours": [] if self._rule is None else self._rule.names,
        }
        if self._rule is not None and self._rule.places:
            basis["places"] = self._rule.places
        if self._candidates.shares:
            basis["shares"] = self._candidates.shares
        if self._bounds.hours is not None:
            basis["own_hours"] = hours_to_wire(self._bounds.hours)
        for name in ("start", "finish"):
            bound = getattr(self._bounds, name)
            if bound is not None:
                basis[name] = iso(bound)
        return {**basis, **self._notes}
