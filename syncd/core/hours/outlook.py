"""How many call jobs can be called when: now, within an hour, today, tomorrow, later.

Days are those of the operator, who reads it; each job's hours are its own. What is worked out for
one window counts for all jobs that have it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import orjson

from syncd.core.fields import FINISH, START
from syncd.core.hours.fit import Fitting
from syncd.core.hours.offsets import minute_of
from syncd.core.hours.sent import SentHours, read_sent
from syncd.core.zones.registry_step import NO_REGISTRY

#: Cells of `by_hour`: this hour, of which some may be over, and 23 more.
HOURS_AHEAD: Final = 24
_HOUR_MIN: Final = 60
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Outlook:
    """Call jobs by the first instant at which they may be called; each counts once.

    by_hour: how many may be called in each of 24 clock hours of the operator, from `now` on; a job
    counts in every hour that has a minute of its own.
    """

    hour: datetime  #: when the first of these hours began, in the operator's zone
    now: int = 0
    within_hour: int = 0
    today: int = 0
    tomorrow: int = 0
    later: int = 0
    over: int = 0  #: no permitted minute is left before the end
    unknown: int = 0  #: the campaign's own hours count
    by_hour: list[int] = field(default_factory=lambda: [0] * HOURS_AHEAD)

    @property
    def jobs(self) -> int:
        """All that were counted."""
        known = self.now + self.within_hour + self.today + self.tomorrow + self.later
        return known + self.over + self.unknown


class Looking:
    """Adds call jobs to an outlook from one moment."""

    def __init__(self, now: datetime) -> None:
        """`now` is in the operator's zone: its days are the days that are told."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        self.outlook = Outlook(hour=hour)
        self._now = now
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._ends = (midnight + _DAY, midnight + 2 * _DAY)
        self._first = minute_of(now)
        self._passed = self._first - minute_of(hour)

    def add(self, sent: SentHours | None, jobs: int = 1) -> None:
        """So many call jobs with these hours; None: the campaign's own."""
        out = self.outlook
        if sent is None:
            out.unknown += jobs
            return
        at = sent.next_at(self._now)
        if at is None:
            out.over += jobs
            return
        name = self._name(at)
        setattr(out, name, getattr(out, name) + jobs)
        bits = sent.ahead(self._first, HOURS_AHEAD * _HOUR_MIN - self._passed) << self._passed
        for cell in range(HOURS_AHEAD):
            if bits >> cell * _HOUR_MIN & (1 << _HOUR_MIN) - 1:
                out.by_hour[cell] += jobs

    def _name(self, at: datetime) -> str:
        if at <= self._now:
            return "now"
        if at < self._now + _HOUR:
            return "within_hour"
        if at < self._ends[0]:
            return "today"
        return "tomorrow" if at < self._ends[1] else "later"


class WindowsSeen:
    """What the windows of many call jobs tell together."""

    def __init__(self, now: datetime) -> None:
        """`now` is in the operator's zone."""
        self._looking = Looking(now)
        self.fitting = Fitting(now)
        self.no_registry = 0  #: call jobs of Russian numbers that a registry would know
        self.presets: set[str] = set()  #: whose hours hold, with their versions

    @property
    def outlook(self) -> Outlook:
        """When the call jobs that are not held can be called."""
        return self._looking.outlook

    def add(self, fields: str | bytes | None, basis: str | bytes, jobs: int, *, held: bool) -> None:
        """So many call jobs that share a window; without `fields` the body has it all.

        Args:
            fields: members of a JSON object, as a window has them.
            basis: its JSON.
        """
        told = orjson.loads(basis)
        if any(note == NO_REGISTRY for *_, note in told.get("evidence", ())):
            self.no_registry += jobs
        self.presets.update(told.get("hours", ()))
        if held:
            return
        item = orjson.loads(_object(fields or b""))
        ends = {START: told.get("start"), FINISH: told.get("finish")}
        sent = read_sent({**ends, **item})
        self._looking.add(sent, jobs)
        if sent is not None and ends[FINISH] is not None:
            self.fitting.add(sent.common, datetime.fromisoformat(ends[FINISH]), jobs)


def _object(members: str | bytes) -> bytes:
    inner = members.encode() if isinstance(members, str) else members
    return b"{" + inner + b"}"
