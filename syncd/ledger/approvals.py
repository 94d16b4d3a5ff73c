"""What guards hold, and a person's word about it: it may go, or it is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select

from syncd.clock import from_ms
from syncd.core.call_job import PHONE_KNOWN, JobState
from syncd.core.call_policy import DEFAULT, CallPolicy
from syncd.core.guards import HELD_BY_GUARD, JUDGING, unit_of
from syncd.ledger.first_calls import first_calls, lock_all, lock_campaign
from syncd.ledger.moves import By, move_jobs
from syncd.ledger.schema import call_jobs, job_counts
from syncd.ledger.schema_guards import is_held, trips
from syncd.ledger.store import Store

#: The guard of jobs whose poll was killed before it was judged.
_NO_GUARD = "unjudged"
#: The guard of an approval that was given before anything was held.
_BACKFILL = "backfill"
#: The guard of a row that counts what went again.
_RETRY = "retry"


@dataclass(frozen=True, slots=True)
class TripRow:
    """A guard held jobs back, and nobody has settled it yet. In the guard's own unit."""

    sync: str
    campaign: str
    guard: str
    unit: str  #: see core/guards.unit_of
    allowed: float
    found: float
    tripped_at: datetime


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says about what guards hold."""

    who: str
    drop: bool = False  #: nobody of these is to be called
    also_judging: bool = False  #: of a sync that is polled no more, so nothing will judge them
    policy: CallPolicy = DEFAULT

    @property
    def reasons(self) -> tuple[str, ...]:
        return reasons(also_judging=self.also_judging)


@dataclass(frozen=True, slots=True)
class Decided:
    """A person's word before anything is held: what they start now may go."""

    who: str
    at_ms: int


def reasons(*, also_judging: bool) -> tuple[str, ...]:
    """Why jobs wait for a person."""
    return (*HELD_BY_GUARD, JUDGING) if also_judging else HELD_BY_GUARD


@dataclass(frozen=True, slots=True)
class Approved:
    """What one step of an approval did."""

    released: int = 0
    duplicate: int = 0  #: their phone has a call meanwhile
    dropped: int = 0

    @property
    def jobs(self) -> int:
        return self.released + self.duplicate + self.dropped


def open_trips(store: Store) -> list[TripRow]:
    """Trips that wait for a person, the oldest first."""
    query = select(trips).where(trips.c.approved_at.is_(None)).order_by(trips.c.id)
    with store.read() as connection:
        return [
            TripRow(
                sync=row["sync"],
                campaign=row["campaign"],
                guard=row["guard"],
                unit=unit_of(row["guard"]),
                allowed=row["allowed"],
                found=row["found"],
                tripped_at=from_ms(row["tripped_at"]),
            )
            for row in connection.execute(query).mappings()
        ]


def held_by_guards(store: Store, *, also_judging: bool = False) -> dict[str, int]:
    """Sync to how many jobs wait for a person; only syncs that have some."""
    having = select(job_counts.c.sync).where(
        job_counts.c.state == JobState.HELD, job_counts.c.jobs > 0
    )
    with store.read() as connection:
        syncs = [row[0] for row in connection.execute(having.distinct().order_by("sync"))]
        query = (
            select(call_jobs.c.sync, func.count())
            .where(
                call_jobs.c.sync.in_(syncs),
                is_held,
                call_jobs.c.reason.in_(reasons(also_judging=also_judging)),
            )
            .group_by(call_jobs.c.sync)
        )
        return {row[0]: row[1] for row in connection.execute(query)}


def approve(store: Store, sync: str, word: Word, *, most: int, by: By) -> Approved:
    """Let the oldest held jobs of a sync go, `most` of them, or drop them.

    A phone that has a call meanwhile is not called again: such a job ends as a duplicate. Steps
    with the same person and time are one approval.
    """
    with store.write("job.approve") as connection:
        lock_all(connection, word.policy)
        per_campaign: dict[str, list[RowMapping]] = {}
        for row in _held(connection, sync, word, most):
            per_campaign.setdefault(row["campaign"], []).append(row)
        done = Approved()
        for campaign, jobs in per_campaign.items():
            step = _settle(connection, sync, campaign, jobs, word, by)
            _note(connection, sync, campaign, step.released, word.who, by)
            done = Approved(
                done.released + step.released,
                done.duplicate + step.duplicate,
                done.dropped + step.dropped,
            )
        if not _held(connection, sync, word, 1):
            _close(connection, sync, word.who, by)
    return done


def _held(connection: Connection, sync: str, word: Word, most: int) -> Sequence[RowMapping]:
    query = (
        select(call_jobs.c.id, call_jobs.c.campaign, call_jobs.c.phone)
        .where(call_jobs.c.sync == sync, is_held, call_jobs.c.reason.in_(word.reasons))
        .order_by(call_jobs.c.id)
        .limit(most)
        .with_for_update()
    )
    return connection.execute(query).mappings().all()


def _settle(
    connection: Connection,
    sync: str,
    campaign: str,
    jobs: Sequence[RowMapping],
    word: Word,
    by: By,
) -> Approved:
    if word.drop:
        why = f"dropped by {word.who}"
        _move(connection, sync, campaign, jobs, JobState.CANCELLED, why, by)
        return Approved(dropped=len(jobs))
    return _release(connection, sync, campaign, jobs, word, by)


def _release(
    connection: Connection,
    sync: str,
    campaign: str,
    jobs: Sequence[RowMapping],
    word: Word,
    by: By,
) -> Approved:
    """A held job takes no phone, so each is compared again, with the others of this step too."""
    lock_campaign(connection, campaign)
    phones = [row["phone"] for row in jobs]
    taken = first_calls(connection, campaign, phones, word.policy, now_ms=by.at_ms)
    free, late = list[RowMapping](), dict[int, list[RowMapping]]()
    for row in jobs:
        first = taken.get(row["phone"], row["id"])
        if first == row["id"]:
            free.append(row)
        else:
            late.setdefault(first, []).append(row)
        if word.policy.per_phone:
            taken.setdefault(row["phone"], row["id"])
    _move(connection, sync, campaign, free, JobState.STAGED, f"approved by {word.who}", by)
    for first, known in late.items():
        _move(connection, sync, campaign, known, JobState.DUPLICATE, PHONE_KNOWN, by, first=first)
    return Approved(released=len(free), duplicate=len(jobs) - len(free))


def _move(
    connection: Connection,
    sync: str,
    campaign: str,
    jobs: Sequence[RowMapping],
    new: JobState,
    why: str,
    by: By,
    *,
    first: int | None = None,
) -> None:
    reason = None if new is JobState.STAGED else why
    move_jobs(
        connection,
        [(row["id"], sync) for row in jobs],
        campaign=campaign,
        old=JobState.HELD,
        new=new,
        why=why,
        by=by,
        values={"reason": reason, "duplicate_of": first},
    )


def _note(
    connection: Connection, sync: str, campaign: str, released: int, who: str, by: By
) -> None:
    """Keep who let how many go, and when: a row of its own, beside the trips that are open."""
    if _add_to_note(connection, sync, campaign, released, who, by.at_ms):
        return
    mine = (trips.c.sync == sync) & (trips.c.campaign == campaign)
    oldest = select(trips).where(mine, trips.c.approved_at.is_(None)).order_by(trips.c.id).limit(1)
    row = connection.execute(oldest).mappings().first()
    told = {"guard": _NO_GUARD, "allowed": 0.0, "found": 0.0, "tripped_at": by.at_ms}
    if row is not None:
        told = {name: row[name] for name in told}
    noted = {"approved_at": by.at_ms, "approved_by": who, "released": released}
    connection.execute(trips.insert().values(sync=sync, campaign=campaign, **told, **noted))


def note_decided(
    connection: Connection, sync: str, campaign: str, decided: Decided, jobs: int
) -> None:
    """Count what a person's backfill starts as approved; one row for each backfill."""
    if jobs and not _add_to_note(connection, sync, campaign, jobs, decided.who, decided.at_ms):
        told = {"guard": _BACKFILL, "allowed": 0.0, "found": 0.0, "tripped_at": decided.at_ms}
        noted = {"approved_at": decided.at_ms, "approved_by": decided.who, "released": jobs}
        connection.execute(trips.insert().values(sync=sync, campaign=campaign, **told, **noted))


def note_retried(
    connection: Connection, sync: str, campaign: str, jobs: int, who: str, by: By
) -> None:
    """Keep how many a person let go again. It is no approval: limits of the day hold for them."""
    told = {"guard": _RETRY, "allowed": 0.0, "found": jobs, "tripped_at": by.at_ms}
    noted = {"approved_at": by.at_ms, "approved_by": who, "released": 0}
    connection.execute(trips.insert().values(sync=sync, campaign=campaign, **told, **noted))


def retried_since(connection: Connection, sync: str, since_ms: int) -> int:
    """How many jobs of a sync persons let go again since then."""
    mine = (trips.c.sync == sync) & (trips.c.guard == _RETRY) & (trips.c.tripped_at > since_ms)
    return int(connection.execute(select(func.sum(trips.c.found)).where(mine)).scalar() or 0)


def _add_to_note(
    connection: Connection, sync: str, campaign: str, jobs: int, who: str, at_ms: int
) -> bool:
    same = (
        (trips.c.sync == sync)
        & (trips.c.campaign == campaign)
        & (trips.c.approved_at == at_ms)
        & (trips.c.approved_by == who)
    )
    added = trips.update().where(same).values(released=trips.c.released + jobs)
    return bool(connection.execute(added).rowcount)


def _close(connection: Connection, sync: str, who: str, by: By) -> None:
    """Nothing of the sync is held any more: its trips are settled."""
    connection.execute(
        trips.update()
        .where(trips.c.sync == sync, trips.c.approved_at.is_(None))
        .values(approved_at=by.at_ms, approved_by=who, released=0)
    )
