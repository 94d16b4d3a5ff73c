"""Withdrawing call jobs: ended at once where nothing was sent, else noted until the vendor told.

A note in `cancellations` is the wish and, once answered, the proof. It holds in whatever state the
job is: a job in doubt is asked for when it turns out to be accepted, and one that is staged again
ends before it could be sealed (`end_staged`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, false, func, or_, select

from syncd.clock import from_ms, to_ms
from syncd.core.call_job import JobState
from syncd.core.withdrawal import CANCELLED, LEFT_SOURCE, NOT_SENT, UNKNOWN_ID
from syncd.ledger.leases import check_lease
from syncd.ledger.mismatches import is_of_another_phone
from syncd.ledger.moves import By, move_jobs
from syncd.ledger.schema import call_jobs, is_accepted, leads
from syncd.ledger.schema_guards import cancellations
from syncd.ledger.sql import Prepared, as_json, chunks, gathered, one_of, upsert, word
from syncd.ledger.store import Store

UNSENT = (JobState.HELD, JobState.STAGED)
#: What may still become a call: a withdrawal has to follow it.
WITHDRAWABLE = (*UNSENT, JobState.SEALED, JobState.ACCEPTED, JobState.PARKED)

is_open = cancellations.c.answered_at.is_(None)


class Withdrawn(NamedTuple):
    """What became of jobs that were to be withdrawn."""

    ended: int = 0  #: not sent yet: they ended here
    wanted: int = 0  #: newly noted: the vendor has to be asked

    def plus(self, other: Withdrawn) -> Withdrawn:
        return Withdrawn(self.ended + other.ended, self.wanted + other.wanted)


class CancelDue(NamedTuple):
    """An accepted job that the vendor is to cancel."""

    job_id: int
    call_job_id: str
    wanted_at: datetime
    add_again: bool


class OpenJob(NamedTuple):
    """A job that is to be withdrawn."""

    id: int
    sync: str
    campaign: str
    state: JobState


def withdraw(store: Store, job_ids: Sequence[int], *, why: str, by: By) -> Withdrawn:
    """End these jobs where nothing was sent; note the wish for the others.

    A row that left its source is noted in the same transaction: without the note, a row that comes
    back would never be called.
    """
    done = Withdrawn()
    for some in chunks(job_ids):
        with store.write("job.withdraw") as connection:
            check_lease(connection, by.lease)
            done = done.plus(withdraw_in(connection, some, why=why, by=by))
            if why == LEFT_SOURCE:
                _mark_left(connection, some, by)
    return done


def _mark_left(connection: Connection, job_ids: Sequence[int], by: By) -> None:
    named = one_of(connection.dialect.name, call_jobs.c.id, as_json(job_ids))
    of_jobs = leads.c.id.in_(select(call_jobs.c.lead_id).where(named))
    connection.execute(leads.update().where(of_jobs).values(withdrawn_at=by.at_ms))


def withdraw_in(
    connection: Connection, job_ids: Sequence[int], *, why: str, by: By, add_again: bool = False
) -> Withdrawn:
    """The same within a transaction.

    Args:
        add_again: the lead's new content waits in a held job for the end of these.
    """
    jobs = open_jobs(connection, job_ids, WITHDRAWABLE)
    unsent = [job for job in jobs if job.state in UNSENT]
    end_unsent(connection, unsent, why=why, by=by)
    others = [job.id for job in jobs if job.state not in UNSENT]
    return Withdrawn(len(unsent), _want(connection, others, why, by, add_again=add_again))


def open_jobs(
    connection: Connection, job_ids: Sequence[int], states: Collection[JobState]
) -> list[OpenJob]:
    """Those of the jobs that are in these states, the oldest first, locked."""
    rows = connection.execute(
        select(call_jobs.c.id, call_jobs.c.sync, call_jobs.c.campaign, call_jobs.c.state)
        .where(
            one_of(connection.dialect.name, call_jobs.c.id, as_json(job_ids)),
            call_jobs.c.state.in_(states),
        )
        .order_by(call_jobs.c.id)
        .with_for_update()
    )
    return [OpenJob(row[0], row[1], row[2], JobState(row[3])) for row in rows]


def end_unsent(connection: Connection, jobs: Sequence[OpenJob], *, why: str, by: By) -> None:
    """Held and staged to cancelled."""
    groups: dict[tuple[str, JobState], list[tuple[int, str]]] = {}
    for job in jobs:
        groups.setdefault((job.campaign, job.state), []).append((job.id, job.sync))
    for (campaign, old), moved in groups.items():
        move_jobs(
            connection,
            moved,
            campaign=campaign,
            old=old,
            new=JobState.CANCELLED,
            why=why,
            by=by,
            values={"reason": why},
        )


def _want(
    connection: Connection, job_ids: Sequence[int], why: str, by: By, *, add_again: bool
) -> int:
    """Note the wish, once a job; a wish to never call outdoes the one to call with new content."""
    if not job_ids:
        return 0
    statement = upsert(connection.dialect.name, cancellations).values(
        [
            {"job_id": job_id, "why": why, "wanted_at": by.at_ms, "add_again": add_again}
            for job_id in job_ids
        ]
    )
    before = connection.execute(
        select(func.count()).where(cancellations.c.job_id.in_(job_ids))
    ).scalar_one()
    if add_again:
        connection.execute(statement.on_conflict_do_nothing())
    else:
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["job_id"],
                set_={"why": why, "add_again": False},
                where=cancellations.c.add_again & is_open,
            )
        )
    return len(job_ids) - before


_WISHES_BETWEEN = Prepared(
    lambda dialect: gathered(
        dialect,
        select(cancellations.c.job_id, cancellations.c.why).where(
            is_open, cancellations.c.job_id.between(bindparam("first"), bindparam("last"))
        ),
    )
)


def end_staged(
    connection: Connection, campaign: str, jobs: Sequence[tuple[int, str]], by: By
) -> set[int]:
    """End those of the staged jobs (ID, sync) that are to be withdrawn; their IDs.

    Asked for each batch: a job that was in doubt may be staged again with a wish on it.
    """
    if not jobs:
        return set()
    found = _WISHES_BETWEEN.rows(connection, first=jobs[0][0], last=jobs[-1][0])
    wishes: dict[int, str] = dict(found)
    wished = [OpenJob(id_, sync, campaign, JobState.STAGED) for id_, sync in jobs if id_ in wishes]
    for job in wished:
        end_unsent(connection, [job], why=wishes[job.id], by=by)
    return {job.id for job in wished}


def has_wish(connection: Connection, batch_id: int) -> bool:
    """Whether a job in this batch is to be withdrawn."""
    query = (
        select(cancellations.c.job_id)
        .join(call_jobs, call_jobs.c.id == cancellations.c.job_id)
        .where(is_open, call_jobs.c.batch_id == batch_id, call_jobs.c.state == JobState.SEALED)
        .limit(1)
    )
    return connection.execute(query).first() is not None


def has_withdrawals(store: Store, campaign: str, *, now: datetime) -> bool:
    """Whether a wish of the campaign can be carried out or settled now."""
    waits = (JobState.SEALED, JobState.PARKED)
    query = (
        select(cancellations.c.job_id)
        .join(call_jobs, call_jobs.c.id == cancellations.c.job_id)
        .where(
            is_open,
            call_jobs.c.campaign == campaign,
            call_jobs.c.state.not_in([word(state) for state in waits]),
            _is_due(now) | (call_jobs.c.state != word(JobState.ACCEPTED)),
            ~is_of_another_phone(),
        )
        .limit(1)
    )
    with store.read() as connection:
        return connection.execute(query).first() is not None


def cancels_due(store: Store, campaign: str, *, now: datetime, limit: int) -> list[CancelDue]:
    """Accepted jobs that the vendor is to be asked to cancel now, the oldest first.

    A job whose report names another phone is left out: its ID may be another person's call.
    """
    query = (
        select(
            cancellations.c.job_id,
            call_jobs.c.call_job_id,
            cancellations.c.wanted_at,
            cancellations.c.add_again,
        )
        .join(call_jobs, call_jobs.c.id == cancellations.c.job_id)
        .where(
            is_open,
            call_jobs.c.campaign == campaign,
            is_accepted,
            _is_due(now),
            ~is_of_another_phone(),
        )
        .order_by(cancellations.c.job_id)
        .limit(limit)
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
    return [CancelDue(row[0], row[1], from_ms(row[2]), bool(row[3])) for row in rows]


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(cancellations.c.next_at.is_(None), cancellations.c.next_at <= to_ms(now))


def mark_asked(store: Store, job_ids: Sequence[int], *, next_at: datetime, by: By) -> None:
    """Commit that the vendor is being asked; without an answer, not again before `next_at`."""
    with store.write("withdrawal.mark_asked") as connection:
        check_lease(connection, by.lease)
        connection.execute(
            cancellations.update()
            .where(cancellations.c.job_id.in_(job_ids), is_open)
            .values(asked_at=by.at_ms, next_at=to_ms(next_at))
        )


def record_cancels(store: Store, answers: Mapping[int, str], *, by: By) -> int:
    """Keep what the vendor answered for each job; how many wishes end with it.

    One with new content waiting ends only with the report that says whether a call was made. An
    answer that it was cancelled stays, whatever a later one says.
    """
    ended = 0
    with store.write("withdrawal.record") as connection:
        check_lease(connection, by.lease)
        for answer in sorted(set(answers.values())):
            ids = [job for job, told in answers.items() if told == answer]
            mine = cancellations.c.job_id.in_(ids) & is_open
            connection.execute(
                cancellations.update()
                .where(mine, func.coalesce(cancellations.c.answer, "") != CANCELLED)
                .values(answer=answer)
            )
            ended += connection.execute(
                cancellations.update()
                .where(mine, cancellations.c.add_again == false())
                .values(answered_at=by.at_ms, next_at=None)
            ).rowcount
            if answer == UNKNOWN_ID:
                # No report will come: what waits for it is settled now.
                connection.execute(cancellations.update().where(mine).values(next_at=None))
    return ended


def close_wish(connection: Connection, job_id: int, by: By, *, answer: str = NOT_SENT) -> None:
    """The wish has its end; an answer of the vendor's stays."""
    connection.execute(
        cancellations.update()
        .where(cancellations.c.job_id == job_id, is_open)
        .values(
            answered_at=by.at_ms, next_at=None, answer=func.coalesce(cancellations.c.answer, answer)
        )
    )
