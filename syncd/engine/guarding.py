"""Holds what a poll would start until the poll is judged, and what a day has no room for.

A short poll is judged by all of its pages before the first is stored; a longer one at its end,
however it ends, and its jobs wait until then. One that was killed is judged by the next poll of its
sync, which counts what it left; one that was cut short counts until a poll comes to its end, so
that many short polls start no more than one long one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from syncd.core.guards import (
    JUDGING,
    TRIPWIRE,
    USUAL_POLLS,
    DayLimits,
    Limit,
    Tripwires,
    day_limit,
    poll_limit,
    room_today,
)
from syncd.core.renewal import renewals
from syncd.engine.parts import Campaign, Sync
from syncd.engine.passes import Pass
from syncd.errors import SyncdError
from syncd.ledger.guards import Guards, Trip
from syncd.ledger.intake_page import IntakePage, IntakeResult
from syncd.ledger.outbox import ClaimedBatch
from syncd.ledger.sealing import Within
from syncd.observe import events, logs
from syncd.sources.base import Page

_log = logs.get("engine")

#: So many pages are read before the first is stored, so that most polls are judged as a whole;
#: a page is bounded (sources/pager.py), and so are these.
LOOK_AHEAD_PAGES = 10
#: Jobs that are held in one transaction: the others wait no longer than that.
_HELD_AT_ONCE = 5_000


class _Ahead(NamedTuple):
    """A whole poll, before it is stored."""

    pages: int
    records: int


class Judge:
    """Counts the call jobs that a poll would start."""

    def __init__(self, sync: Sync, running: Pass) -> None:
        self._sync = sync
        self._running = running
        self._guards = running.tools.ledger.guards
        self._before = self._guards.unjudged(sync.name)
        self._started = self._waiting = 0
        self._ahead: _Ahead | None = None  #: all that the poll has, where that is known
        self._noted = False
        self._limit: Limit | None = None
        self.finished = False  #: the poll came to the end of its source

    def look_ahead(self, pages: Iterator[Page]) -> Iterator[Page]:
        """The same pages; of a poll that ends within the first few it is known how much it has.

        Such a poll is judged before it is stored. An error of the source comes in its own place.
        """
        first, error = deque[Page](), None
        try:
            first.extend(islice(pages, LOOK_AHEAD_PAGES + 1))
        except SyncdError as failed:
            error = failed
        if error is None and len(first) <= LOOK_AHEAD_PAGES:
            self._ahead = _Ahead(len(first), sum(len(page.rows) for page in first))
        while first:
            yield first.popleft()
        if error is not None:
            raise error
        yield from pages

    def mark(self, page: IntakePage) -> None:
        """Have the page's jobs wait; those of a poll that is too much already, for a person."""
        if self._is_allowed(page):
            page.noted = self._noted
        else:
            page.held_as = JUDGING if self._trip(self._started) is None else TRIPWIRE

    def count(self, stored: IntakeResult, *, held: bool) -> None:
        """Count what a page would start; `held`: it waits until the poll is judged."""
        jobs = stored.staged + stored.released
        self._started += jobs
        self._waiting += jobs if held else 0

    def recount(self) -> None:
        """A page may be stored although its commit seemed to fail: the ledger knows what waits."""
        now = self._guards.unjudged(self._sync.name)
        self._started = max(self._started, now.jobs - self._before.jobs)
        self._waiting = max(self._waiting, now.waiting - self._before.waiting)

    def settle(self) -> None:
        """Let the jobs go, or hold all of them for a person."""
        waiting = self._waiting + self._before.waiting
        if not (waiting or self._noted or (self.finished and self._before.passed)):
            return
        trip = self._trip(self._started) if waiting else None
        passed = None if self.finished else self._before.jobs + self._started
        sync, counts = self._sync, self._running.counts
        by = self._running.by()
        self._guards.settle_poll(sync.name, sync.campaign, trip=trip, passed=passed, by=by)
        if trip is None:
            counts["staged"] += self._before.waiting
            return
        counts.update(tripped=waiting)
        counts["staged"] = counts["released"] = 0
        tell_tripped(sync.name, sync.campaign, trip.limit, trip.limit.of(trip.jobs), waiting)

    def let_go(self) -> None:
        """Release what a killed poll left, unjudged: no guard is on, or a person has decided."""
        if self._before.jobs:
            sync, by = self._sync, self._running.by()
            self._running.counts["staged"] += self._guards.settle_poll(
                sync.name, sync.campaign, trip=None, passed=None, by=by
            )

    def _is_allowed(self, page: IntakePage) -> bool:
        """Whether all that the poll has is known, and within its limits, before it is stored."""
        ahead = self._ahead
        if ahead is None or self._before.jobs:
            return False
        if ahead.pages > 1:
            # Each record starts one call at the most.
            self._noted = self._trip(ahead.records) is None
            return self._noted
        return self._trip(len(page.new) + len(page.released) + len(page.remapped)) is None

    def _trip(self, started: int) -> Trip | None:
        """The limit that so many are beyond; what is usual is asked for only when it matters."""
        total = self._before.jobs + started
        tripwires = self._sync.tripwires
        if total <= tripwires.surely_allowed:
            return None
        if self._limit is None:
            self._limit = limit_of(self._sync.name, tripwires, self._guards)
        return beyond(self._limit, total)


def foreseen(sync: Sync, guards: Guards, started: int) -> Trip | None:
    """The limit that a poll would be beyond which started so many call jobs now."""
    total = guards.unjudged(sync.name).jobs + started
    return beyond(limit_of(sync.name, sync.tripwires, guards), total)


class Day(NamedTuple):
    """How far the 24 hours of a campaign are used up."""

    limit: Limit
    sent: int  #: call jobs
    approved: int  #: of a person's word, so on top of the limit

    @property
    def room(self) -> int:
        """So many more call jobs may go now."""
        return room_today(self.limit, sent=self.sent, approved=self.approved)


def day_of(campaign: str, limits: DayLimits, guards: Guards, *, now: datetime) -> Day | None:
    """The day of a campaign under its lowest limit; None: it has none."""
    limit = day_limit(limits)
    if limit is None:
        return None
    use = guards.day_use(campaign, now=now)
    return Day(limit, use.sent, use.approved)


def limit_of(sync: str, tripwires: Tripwires, guards: Guards) -> Limit | None:
    """The lowest tripwire of a sync, or None."""
    usual: list[int] = []
    if tripwires.max_growth is not None:
        usual = guards.usual_polls(sync, most=USUAL_POLLS)
    return poll_limit(tripwires, usual)


def beyond(limit: Limit | None, jobs: int) -> Trip | None:
    """The trip of so many jobs, or None when the limit has room for them."""
    return None if limit is None or jobs <= limit.jobs else Trip(limit, jobs)


@contextmanager
def judged(sync: Sync, running: Pass, *, guarded: bool, whole: bool) -> Iterator[Judge | None]:
    """Judge the poll that runs in the block; None: it needs no judgement.

    Args:
        guarded: nobody watches, so the tripwires of the sync count.
        whole: the poll takes all that is new; a few first leads release nothing else.
    """
    judge = Judge(sync, running)
    if not (guarded and sync.tripwires.armed):
        if whole:
            judge.let_go()
        yield None
        return
    try:
        yield judge
    except SyncdError:
        judge.recount()
        judge.settle()
        raise
    judge.settle()


def seal_next(campaign: Campaign, running: Pass) -> ClaimedBatch | None:
    """Seal the next batch, no larger than the day has room for; without room, hold all."""
    tools = running.tools
    day = day_of(campaign.name, campaign.day, tools.ledger.guards, now=tools.clock.now())
    if day is not None and not day.room:
        _hold_all(campaign, day.limit, day.sent, running)
        return None
    if running.capped is None:
        running.capped = renewals(campaign.capped, tools.clock.now())
    return tools.ledger.seal_batch(
        campaign.name,
        phones_max=campaign.batch_size,
        within=Within(None if day is None else day.limit, running.capped),
        now=tools.clock.now(),
        by=running.by(),
    )


def _hold_all(campaign: Campaign, limit: Limit, sent: int, running: Pass) -> None:
    guards = running.tools.ledger.guards
    while held := guards.hold_staged(
        campaign.name, limit, sent=sent, most=_HELD_AT_ONCE, by=running.by()
    ):
        running.counts["tripped"] += held.total()
        for sync, jobs in sorted(held.items()):
            tell_tripped(sync, campaign.name, limit, limit.of(sent + jobs), jobs)


def tell_tripped(sync: str, campaign: str, limit: Limit, found: float, jobs: int) -> None:
    """Say in the log that a guard holds calls, and how to let them go."""
    _log.warning(
        events.GUARD_TRIPPED,
        sync=sync,
        campaign=campaign,
        guard=limit.guard,
        unit=limit.unit,
        allowed=limit.allowed,
        found=round(found, 2),
        jobs=jobs,
        hint=f"look at `syncd leads --state held`; then `syncd approve {sync}`, or with --drop",
    )
