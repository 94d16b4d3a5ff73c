"""Jobs that ended without a call and go again, because a person says so.

The guards of an intake hold: one call a phone, do-not-call lists, tombstones, tripwires. What a
tripwire of the sync does not allow in 24 hours is held for a person like too large a poll.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Select, exists, func, select

from syncd.clock import from_ms, to_ms
from syncd.core.call_job import JobState
from syncd.core.call_policy import CallPolicy, OnWithdrawn
from syncd.core.guards import Limit
from syncd.core.retry import EndedJob, why_not, with_finish
from syncd.ledger.approvals import note_retried, retried_since
from syncd.ledger.first_calls import first_calls, lock_all, lock_campaign
from syncd.ledger.guards import add_trip
from syncd.ledger.moves import By, move_jobs
from syncd.ledger.schema import call_jobs, leads
from syncd.ledger.schema_guards import cancellations
from syncd.ledger.schema_reports import reports
from syncd.ledger.store import Store
from syncd.ledger.suppressions import listed_in
from syncd.ledger.unknown_calls import is_unknown

#: Jobs that are looked at, or moved, in one transaction.
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class RetryFilter:
    """Which jobs of one sync a person means, and by which rules they go again."""

    sync: str
    campaign: str  #: that the sync feeds
    states: Collection[JobState]
    reasons: Collection[str] = ()  #: none: any
    since: datetime | None = None  #: leads that came since then
    finish: datetime | None = None  #: the new end for jobs whose own has passed
    policy: CallPolicy = field(default_factory=CallPolicy)


@dataclass(frozen=True, slots=True)
class Judged:
    """A job, and why it does not go again; None: it does."""

    job: EndedJob
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Retried:
    """What one step did."""

    again: int = 0  #: staged, or held by a tripwire
    last_id: int | None = None  #: None: there is no more


class Retries:
    """The verbs of a retry; each is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def look(self, asked: RetryFilter, *, now: datetime) -> Iterator[Judged]:
        """Every job that is meant, the oldest first, read page by page."""
        after: int | None = 0
        seen: set[int] = set()
        while after is not None:
            with self._store.read() as connection:
                jobs = _jobs(connection, _meant(asked, after).limit(AT_ONCE))
                judged = _judge(connection, asked, jobs, now, seen)
            yield from judged
            after = jobs[-1].id if len(jobs) == AT_ONCE else None

    def again(
        self, asked: RetryFilter, *, after_id: int, most: int, limit: Limit | None, who: str, by: By
    ) -> Retried:
        """Refused, expired or cancelled to staged, as a new generation: the next jobs, a few.

        Args:
            limit: the tripwire that this retry is beyond: they are held for a person instead.
        """
        with self._store.write("retry.stage") as connection:
            lock_all(connection, asked.policy)
            lock_campaign(connection, asked.campaign)
            query = _meant(asked, after_id).limit(AT_ONCE).with_for_update(of=call_jobs)
            jobs = _jobs(connection, query)
            now = from_ms(by.at_ms)
            judged = _judge(connection, asked, jobs, now, set())
            going = [one.job for one in judged if one.why_not is None][:most]
            _move(connection, asked, going, limit, who, now, by)
            if going and limit is None:
                note_retried(connection, asked.sync, asked.campaign, len(going), who, by)
        last_id = jobs[-1].id if len(jobs) == AT_ONCE else None
        return Retried(len(going), last_id)

    def retried_since(self, sync: str, since: datetime) -> int:
        """How many jobs of a sync went again since then; not those that a guard holds."""
        with self._store.read() as connection:
            return retried_since(connection, sync, to_ms(since))

    def note_trip(self, asked: RetryFilter, limit: Limit, jobs: int, *, by: By) -> None:
        """Keep why a retry is held, for `status` and `approve`."""
        with self._store.write("retry.note_trip") as connection:
            found = limit.of(jobs)
            add_trip(connection, asked.sync, asked.campaign, limit, found, by)


def _meant(asked: RetryFilter, after_id: int) -> Select[tuple[object, ...]]:
    newer = call_jobs.alias("newer")
    wish = exists().where(cancellations.c.job_id == call_jobs.c.id)
    has_newer = exists().where(newer.c.lead_id == call_jobs.c.lead_id, newer.c.id > call_jobs.c.id)
    unknown = exists().where(
        reports.c.campaign == call_jobs.c.campaign,
        reports.c.phone == call_jobs.c.phone,
        is_unknown(),
    )
    query = (
        select(
            call_jobs,
            leads.c.key,
            leads.c.withdrawn_at,
            wish.label("has_wish"),
            has_newer.label("has_newer"),
            unknown.label("has_call"),
        )
        .join(leads, leads.c.id == call_jobs.c.lead_id)
        .where(
            call_jobs.c.id > after_id,
            call_jobs.c.sync == asked.sync,
            call_jobs.c.state.in_(sorted(asked.states)),
        )
        .order_by(call_jobs.c.id)
    )
    if asked.reasons:
        query = query.where(func.coalesce(call_jobs.c.reason, "").in_(sorted(asked.reasons)))
    if asked.since is not None:
        query = query.where(call_jobs.c.created_at >= to_ms(asked.since))
    return query


def _jobs(connection: Connection, query: Select[tuple[object, ...]]) -> list[EndedJob]:
    return [
        EndedJob(
            id=row["id"],
            key=row["key"],
            phone=row["phone"],
            campaign=row["campaign"],
            state=JobState(row["state"]),
            reason=row["reason"],
            body=row["body"],
            finish_at=_own_end(row),
            sliced=row["ends_at"] is not None,
            batch_id=row["batch_id"],
            is_newest=not row["has_newer"],
            left_source=row["withdrawn_at"] is not None,
            has_wish=row["has_wish"],
            has_call=row["has_call"],
        )
        for row in connection.execute(query).mappings()
    ]


def _own_end(row: RowMapping) -> datetime | None:
    end = row["finish_at"] if row["ends_at"] is None else row["ends_at"]
    return None if end is None else from_ms(end)


def _judge(
    connection: Connection,
    asked: RetryFilter,
    jobs: Sequence[EndedJob],
    now: datetime,
    seen: set[int],
) -> list[Judged]:
    """Judge each job; the phone of one that goes is taken for the next (`seen`)."""
    phones = [job.phone for job in jobs]
    taken = first_calls(connection, asked.campaign, phones, asked.policy, now_ms=to_ms(now)).keys()
    bad_phones, bad_keys = listed_in(
        connection, asked.policy.lists, phones, [job.key for job in jobs]
    )
    leaves = asked.policy.on_withdrawn is OnWithdrawn.CANCEL
    judged: list[Judged] = []
    for job in jobs:
        why = why_not(
            job if leaves else replace(job, left_source=False),
            campaign=asked.campaign,
            now=now,
            finish=asked.finish,
            barred=job.phone in bad_phones or job.key in bad_keys,
            taken=job.phone in taken or (asked.policy.per_phone and job.phone in seen),
        )
        if why is None:
            seen.add(job.phone)
        judged.append(Judged(job, why))
    return judged


def _move(
    connection: Connection,
    asked: RetryFilter,
    jobs: Sequence[EndedJob],
    limit: Limit | None,
    who: str,
    now: datetime,
    by: By,
) -> None:
    new = JobState.STAGED if limit is None else JobState.HELD
    values = {
        "reason": None if limit is None else limit.reason,
        "batch_id": None,
        "pen": None,
        "duplicate_of": None,
        "generation": call_jobs.c.generation + 1,
    }
    for old in sorted({job.state for job in jobs}):
        move_jobs(
            connection,
            [(job.id, asked.sync) for job in jobs if job.state is old],
            campaign=asked.campaign,
            old=old,
            new=new,
            why=f"retried by {who}",
            by=by,
            values=values,
        )
    finish = asked.finish
    late = [job for job in jobs if job.finish_at is not None and job.finish_at <= now]
    for job in late:
        assert finish is not None, "else it would not go"
        # A slice has the end that is sent in its window: past that, the job gets its next one.
        told: dict[str, object] = {"ends_at": to_ms(finish)}
        if not job.sliced:
            told = {"body": with_finish(job.body, finish), "finish_at": to_ms(finish)}
        connection.execute(call_jobs.update().where(call_jobs.c.id == job.id).values(**told))
