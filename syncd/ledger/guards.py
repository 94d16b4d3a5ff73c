"""What the guards count and hold: a poll that is being judged, a campaign that had enough today.

While a poll is read whose size is not known, its new jobs wait as `held`, `judging`. Its end lets
all of them go, or holds them for a person, in one transaction. A kill in between loses nothing: the
next poll finds them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, Executable, bindparam, null, select

from syncd.core.call_job import JobState
from syncd.core.guards import HELD_BY_GUARD, JUDGING, TRIPWIRE, Limit
from syncd.ledger import approvals
from syncd.ledger.approvals import Approved, TripRow, Word
from syncd.ledger.day_use import DayUse, day_use
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By, check_all_moved, jobs_moved, move_jobs, write_journal
from syncd.ledger.schema import call_jobs, is_staged, passes
from syncd.ledger.schema_guards import is_held, trips
from syncd.ledger.sql import Prepared, gathered, word
from syncd.ledger.store import Store
from syncd.ledger.unjudged import Unjudged, end_poll, unjudged

#: Polls that are looked through for those that brought leads.
_POLLS_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Trip:
    """A limit, and how many jobs there were."""

    limit: Limit
    jobs: int


class Guards:
    """The verbs of the guards; each is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def unjudged(self, sync: str) -> Unjudged:
        """What a poll that begins now has to count with its own."""
        return unjudged(self._store, sync)

    def usual_polls(self, sync: str, *, most: int) -> list[int]:
        """How many jobs the newest polls started, of those that ended and brought some."""
        return _usual_polls(self._store, sync, most)

    def settle_poll(
        self, sync: str, campaign: str, *, trip: Trip | None, passed: int | None, by: By
    ) -> int:
        """End the judging of a poll: held to staged, or held for a person; how many jobs.

        Args:
            trip: None lets the jobs go; else they are held for a person, and the trip is kept.
            passed: jobs to count with the next poll, because this one was cut; None: it was not.
        """
        return _settle_poll(self._store, sync, campaign, trip, passed, by)

    def day_use(self, campaign: str, *, now: datetime) -> DayUse:
        """What a campaign was sent in a day, but for batches that surely came to nothing."""
        with self._store.read() as connection:
            return day_use(connection, campaign, now=now)

    def hold_staged(
        self, campaign: str, limit: Limit, *, sent: int, most: int, by: By
    ) -> Counter[str]:
        """Hold the oldest staged jobs of a campaign, `most` at a time; how many of each sync.

        Args:
            sent: jobs of the day so far, for the trip that is kept for each sync.
        """
        return _hold_staged(self._store, campaign, limit, sent, most, by)

    def open_trips(self) -> list[TripRow]:
        """Trips that wait for a person, the oldest first."""
        return approvals.open_trips(self._store)

    def held(self, *, also_judging: bool = False) -> dict[str, int]:
        """Sync to how many jobs wait for a person; only syncs that have some."""
        return approvals.held_by_guards(self._store, also_judging=also_judging)

    def approve(self, sync: str, word: Word, *, most: int, by: By) -> Approved:
        """Held to staged, duplicate or cancelled: the oldest jobs of a sync, `most` of them."""
        return approvals.approve(self._store, sync, word, most=most, by=by)


def _usual_polls(store: Store, sync: str, most: int) -> list[int]:
    query = (
        select(passes.c.counts)
        .where(passes.c.kind == "poll", passes.c.target == sync, passes.c.outcome == "done")
        .order_by(passes.c.id.desc())
        .limit(_POLLS_LOOKED_AT)
    )
    with store.read() as connection:
        told = [orjson.loads(row[0]) for row in connection.execute(query) if row[0]]
    # A tripped poll staged nothing: a mistake makes the next one no more usual.
    started = [counts.get("staged", 0) + counts.get("released", 0) for counts in told]
    return [jobs for jobs in started if jobs][:most]


def _settle_poll(
    store: Store, sync: str, campaign: str, trip: Trip | None, passed: int | None, by: By
) -> int:
    with store.write("poll.settle") as connection:
        check_lease(connection, by.lease)
        rows = _WAITING.rows(connection, of_sync=sync)
        per_campaign: dict[str, list[int]] = {}
        for job, of_campaign in rows:
            per_campaign.setdefault(of_campaign, []).append(job)
        for of_campaign, jobs in per_campaign.items():
            if trip is None:
                _let_go(connection, sync, of_campaign, jobs, by)
            else:
                _hold(connection, sync, of_campaign, jobs, trip, by)
        if trip is not None:
            found = trip.limit.of(trip.jobs)
            add_trip(connection, sync, campaign, trip.limit, found, by)
        end_poll(connection, sync, passed)
    return len(rows)


def _let_go(connection: Connection, sync: str, campaign: str, jobs: list[int], by: By) -> None:
    moved = _RELEASE(connection, of_sync=sync, of_campaign=campaign).rowcount
    check_all_moved(moved, len(jobs), old=JobState.HELD, new=JobState.STAGED)
    why = "its poll is within the limits"
    jobs_moved(
        connection,
        [(job, sync) for job in jobs],
        campaign=campaign,
        old=JobState.HELD,
        new=JobState.STAGED,
        why=why,
        by=by,
    )


def _hold(
    connection: Connection, sync: str, campaign: str, jobs: list[int], trip: Trip, by: By
) -> None:
    moved = _TRIP(connection, of_sync=sync, of_campaign=campaign).rowcount
    check_all_moved(moved, len(jobs), old=JobState.HELD, new=JobState.HELD)
    why = f"{trip.limit.guard}: {trip.jobs} jobs, {trip.limit.jobs} allowed"
    reason_changed(connection, jobs, why=why, by=by)


def _hold_staged(
    store: Store, campaign: str, limit: Limit, sent: int, most: int, by: By
) -> Counter[str]:
    staged = (
        select(call_jobs.c.id, call_jobs.c.sync)
        .where(call_jobs.c.campaign == campaign, is_staged)
        .order_by(call_jobs.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    with store.write("job.hold") as connection:
        check_lease(connection, by.lease)
        jobs = [(row[0], row[1]) for row in connection.execute(staged)]
        per_sync = Counter(sync for _, sync in jobs)
        move_jobs(
            connection,
            jobs,
            campaign=campaign,
            old=JobState.STAGED,
            new=JobState.HELD,
            why=f"{limit.guard}: {limit.jobs} jobs a day",
            by=by,
            values={"reason": limit.reason},
        )
        for sync, held in sorted(per_sync.items()):
            if not _add_to_trip(connection, sync, campaign, limit, held):
                add_trip(connection, sync, campaign, limit, limit.of(sent + held), by)
    return per_sync


def _add_to_trip(connection: Connection, sync: str, campaign: str, limit: Limit, jobs: int) -> int:
    """What comes while a day limit waits for a person belongs to the trip that tells of it."""
    return connection.execute(
        trips.update()
        .where(
            trips.c.sync == sync,
            trips.c.campaign == campaign,
            trips.c.guard == limit.guard,
            trips.c.approved_at.is_(None),
        )
        .values(found=trips.c.found + limit.of(jobs))
    ).rowcount


def add_trip(
    connection: Connection, sync: str, campaign: str, limit: Limit, found: float, by: By
) -> None:
    """Keep why jobs are held, until a person approves."""
    connection.execute(
        trips.insert().values(
            sync=sync,
            campaign=campaign,
            guard=limit.guard,
            allowed=limit.allowed,
            found=found,
            tripped_at=by.at_ms,
        )
    )


def reason_changed(connection: Connection, jobs: Sequence[int], *, why: str, by: By) -> None:
    """Journal that held jobs stay held, for another reason."""
    write_journal(connection, "job", jobs, old=JobState.HELD, new=JobState.HELD, why=why, by=by)


def remap(connection: Connection, job_id: int, told: Mapping[str, object]) -> bool:
    """Give a job that a guard holds the content of its row as it is now; False: none holds it."""
    statement = (
        call_jobs.update()
        .where(call_jobs.c.id == job_id, is_held, call_jobs.c.reason.in_(HELD_BY_GUARD))
        .values(**told)
    )
    return connection.execute(statement).rowcount == 1


def _judged_jobs(columns: Sequence[str], dialect: str) -> Executable:
    query = select(*(call_jobs.c[name] for name in columns)).where(
        call_jobs.c.sync == bindparam("of_sync"), is_held, call_jobs.c.reason == word(JUDGING)
    )
    return gathered(dialect, query.with_for_update())


def _ending(state: JobState, reason: str | None) -> Executable:
    return (
        call_jobs.update()
        .where(
            call_jobs.c.sync == bindparam("of_sync"),
            call_jobs.c.campaign == bindparam("of_campaign"),
            is_held,
            call_jobs.c.reason == word(JUDGING),
        )
        .values(state=word(state), reason=null() if reason is None else word(reason))
    )


_WAITING = Prepared(lambda dialect: _judged_jobs(("id", "campaign"), dialect))
_RELEASE = Prepared(lambda _: _ending(JobState.STAGED, None))
_TRIP = Prepared(lambda _: _ending(JobState.HELD, TRIPWIRE))
