"""Holds what a poll would start until the poll is judged, and what a day has no room for.

A poll is judged at its end, however it ends. One that was killed is judged by the next poll of its
sync, which counts what it left; one that was cut short counts until a poll comes to its end, so
that many short polls start no more than one long one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from syncd.core.guards import (
    JUDGING,
    TRIPWIRE,
    USUAL_POLLS,
    Limit,
    day_limit,
    poll_limit,
    room_today,
)
from syncd.engine.parts import Campaign, Sync
from syncd.engine.passes import Pass
from syncd.errors import SyncdError
from syncd.ledger.guards import Trip
from syncd.ledger.intake import IntakePage, IntakeResult
from syncd.ledger.outbox import ClaimedBatch
from syncd.observe import events, logs

_log = logs.get("engine")

#: Jobs that are held in one transaction: the others wait no longer than that.
_HELD_AT_ONCE = 5_000


class Judge:
    """Counts the call jobs that a poll would start."""

    def __init__(self, sync: Sync, running: Pass) -> None:
        self._sync = sync
        self._running = running
        self._guards = running.tools.ledger.guards
        self._before = self._guards.unjudged(sync.name)
        self._started = 0
        self._alone = self._direct = False
        self._limit: Limit | None = None
        self.finished = False  #: the poll came to the end of its source

    def only_page(self) -> None:
        """The poll has one page, so it can be judged before its jobs are stored."""
        self._alone = True

    def mark(self, page: IntakePage) -> None:
        """Have the page's jobs wait; those of a poll that is too much already, for a person."""
        if self._alone and not self._before.jobs:
            most = len(page.new) + len(page.released) + len(page.remapped)
            self._direct = self._trip(most) is None
        if not self._direct:
            page.held_as = JUDGING if self._trip(self._started) is None else TRIPWIRE

    def count(self, stored: IntakeResult) -> None:
        """Count what a page would start."""
        if not self._direct:
            self._started += stored.staged + stored.released

    def settle(self) -> None:
        """Let the jobs go, or hold all of them for a person."""
        waiting = self._started + self._before.waiting
        if not waiting and not (self.finished and self._before.passed):
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
        _tell(sync.name, sync.campaign, trip.limit, trip.limit.of(trip.jobs), waiting)

    def let_go(self) -> None:
        """Release what a killed poll left, unjudged: no guard is on, or a person has decided."""
        if self._before.jobs:
            sync, by = self._sync, self._running.by()
            self._running.counts["staged"] += self._guards.settle_poll(
                sync.name, sync.campaign, trip=None, passed=None, by=by
            )

    def _trip(self, started: int) -> Trip | None:
        """The limit that so many are beyond; what is usual is asked for only when it matters."""
        tripwires, total = self._sync.tripwires, self._before.jobs + started
        if total <= tripwires.surely_allowed:
            return None
        if self._limit is None:
            usual: list[int] = []
            if tripwires.max_growth is not None:
                usual = self._guards.usual_polls(self._sync.name, most=USUAL_POLLS)
            self._limit = poll_limit(tripwires, usual)
        limit = self._limit
        return None if limit is None or total <= limit.jobs else Trip(limit, total)


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
        judge.settle()
        raise
    judge.settle()


def seal_next(campaign: Campaign, running: Pass) -> ClaimedBatch | None:
    """Seal the next batch, no larger than the day has room for; without room, hold all."""
    tools = running.tools
    phones_max = campaign.batch_size
    limit = day_limit(campaign.day)
    if limit is not None:
        use = tools.ledger.guards.day_use(campaign.name, now=tools.clock.now())
        room = room_today(limit, sent=use.sent, approved=use.approved)
        if not room:
            _hold_all(campaign, limit, use.sent, running)
            return None
        phones_max = min(phones_max, room)
    return tools.ledger.seal_batch(
        campaign.name, phones_max=phones_max, now=tools.clock.now(), by=running.by()
    )


def _hold_all(campaign: Campaign, limit: Limit, sent: int, running: Pass) -> None:
    guards = running.tools.ledger.guards
    while held := guards.hold_staged(
        campaign.name, limit, sent=sent, most=_HELD_AT_ONCE, by=running.by()
    ):
        running.counts["tripped"] += held.total()
        for sync, jobs in sorted(held.items()):
            _tell(sync, campaign.name, limit, limit.of(sent + jobs), jobs)


def _tell(sync: str, campaign: str, limit: Limit, found: float, jobs: int) -> None:
    _log.warning(
        events.GUARD_TRIPPED,
        sync=sync,
        campaign=campaign,
        guard=limit.guard,
        allowed=limit.allowed,
        found=round(found, 2),
        jobs=jobs,
        hint=f"look at `syncd leads --state held`; then `syncd approve {sync}`, or with --drop",
    )
