"""Transactions B and C: staged jobs become a sealed batch, a sending, and an answer.

Each verb is one transaction and one guarded move: `WHERE id AND epoch AND state`. The epoch comes
from the claim, so a claimer that was paused and overtaken changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from syncd.clock import to_ms
from syncd.core.batch import SealedBody, StagedJob, plan_batch, seal
from syncd.core.call_job import BatchState, JobState
from syncd.ledger.moves import By, batch_moved, check_all_moved, jobs_moved, move_jobs
from syncd.ledger.outbox_sql import (
    INSERT_BATCH,
    MARK_SENT,
    NEXT_PEN,
    PENNED_JOBS,
    SEAL_RANGE,
    SEAL_SOME,
    STAGED_JOBS,
)
from syncd.ledger.schema import batches, call_jobs
from syncd.ledger.sql import take_ids
from syncd.ledger.store import Store
from syncd.ledger.withdrawals import end_staged

#: A claim outlives the longest request by far; a dead claimer's batch is free after it.
LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    """A batch that this process alone may move while `epoch` is the newest."""

    id: int
    epoch: int
    campaign: str
    key: str
    body: bytes
    size: int
    state: BatchState
    sends: int
    ambiguous: int  #: sendings so far that may have been carried out
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    endpoint: str | None
    clock_doubted: bool = False  #: the clock was once found before its first sending
    refused_in_doubt: bool = False  #: a later sending was refused; the first may be carried out
    absent_at: datetime | None = None  #: the first whole look after it settled
    closes_at: datetime | None = None  #: the first `finishDateTime` of its jobs
    #: (job ID, sync) of each job in the order of the body
    members: tuple[tuple[int, str], ...] = field(default=(), repr=False)

    @property
    def doubtful(self) -> bool:
        """Whether some earlier sending may have been carried out."""
        return self.ambiguous > 0


def seal_batch(
    store: Store, ledger_id: str, campaign: str, *, phones_max: int, now: datetime, by: By
) -> ClaimedBatch | None:
    """Put the jobs of a pen, or the oldest staged ones, into a batch that is from now on fixed.

    Returns None when nothing is staged. Jobs whose `finishDateTime` has passed expire here, and
    the next ones are looked at: a block of late jobs never hides those behind it.
    """
    expired = 1
    while expired:
        with store.write() as connection:
            pen = NEXT_PEN(connection, of_campaign=campaign).scalar()
            staged, expired = _staged(connection, campaign, pen, phones_max, now, by)
            planned = plan_batch(staged, phones_max=phones_max)
            if planned:
                # On PostgreSQL others may hold jobs between ours: a range would wait for them, and
                # they for us. Jobs of a pen have other staged jobs between them everywhere.
                alone = connection.dialect.name == "sqlite" and pen is None
                whole = alone and len(planned) == len(staged)
                root = None if pen is None else root_of(connection, pen // 2)
                return _seal(connection, ledger_id, campaign, planned, whole, root, now, by)
    return None


def root_of(connection: Connection, batch_id: int) -> int:
    """The list whose refusal began the search that this list belongs to; itself if none did."""
    root = func.coalesce(batches.c.root, batches.c.id)
    return int(connection.execute(select(root).where(batches.c.id == batch_id)).scalar_one())


def _seal(
    connection: Connection,
    ledger_id: str,
    campaign: str,
    planned: Sequence[StagedJob],
    whole: bool,
    root: int | None,
    now: datetime,
    by: By,
) -> ClaimedBatch:
    sealed = seal(planned, ledger_id=ledger_id, campaign=campaign)
    batch_id = _insert_batch(connection, campaign, sealed, root, now)
    _seal_jobs(connection, campaign, sealed.jobs, batch_id, whole=whole)
    members = tuple([(job.id, job.sync) for job in planned])
    jobs_moved(
        connection,
        members,
        campaign=campaign,
        old=JobState.STAGED,
        new=JobState.SEALED,
        why=f"batch {batch_id}",
        by=by,
    )
    return ClaimedBatch(
        id=batch_id,
        epoch=1,
        campaign=campaign,
        key=sealed.key,
        body=sealed.body,
        size=len(planned),
        state=BatchState.SEALED,
        sends=0,
        ambiguous=0,
        first_sent_at=None,
        last_sent_at=None,
        endpoint=None,
        members=members,
    )


def _insert_batch(
    connection: Connection, campaign: str, sealed: SealedBody, root: int | None, now: datetime
) -> int:
    (batch_id,) = take_ids(connection, batches, 1)
    INSERT_BATCH(
        connection,
        id=batch_id,
        campaign=campaign,
        key=sealed.key,
        body=sealed.body,
        body_digest=sealed.digest,
        size=len(sealed.jobs),
        job_ids=[job.id for job in sealed.jobs],
        leased_until=to_ms(now + LEASE),
        created_at=to_ms(now),
        root=root,
    )
    return batch_id


def _seal_jobs(
    connection: Connection,
    campaign: str,
    jobs: Sequence[StagedJob],
    batch_id: int,
    *,
    whole: bool,
) -> None:
    """Move the jobs into the batch; one that another process moved meanwhile undoes it all.

    Args:
        whole: every staged job from the first ID to the last is in the batch, so that a range
            names them.
    """
    if whole:
        moved = SEAL_RANGE(
            connection, batch=batch_id, of_campaign=campaign, first=jobs[0].id, last=jobs[-1].id
        ).rowcount
    else:
        ids = [job.id for job in jobs]
        moved = SEAL_SOME(connection, batch=batch_id, of_campaign=campaign, jobs=ids).rowcount
    check_all_moved(moved, len(jobs), old=JobState.STAGED, new=JobState.SEALED)


def _staged(
    connection: Connection, campaign: str, pen: int | None, phones_max: int, now: datetime, by: By
) -> tuple[list[StagedJob], int]:
    """The oldest jobs of a pen or of none, a batch at most; how many ended on the way."""
    if pen is None:
        rows = sorted(STAGED_JOBS.rows(connection, of_campaign=campaign, most=phones_max))
    else:
        some = PENNED_JOBS.rows(connection, of_campaign=campaign, pen=pen, most=phones_max)
        rows = sorted(some)
    now_ms = to_ms(now)
    late = [(row[0], row[4]) for row in rows if row[5] is not None and row[5] <= now_ms]
    if late:
        _expire(connection, campaign, late, by)
        gone = {job for job, _ in late}
        rows = [row for row in rows if row[0] not in gone]
    withdrawn = end_staged(connection, campaign, [(row[0], row[4]) for row in rows], by)
    if withdrawn:
        rows = [row for row in rows if row[0] not in withdrawn]
    jobs = [
        StagedJob(job, gen, phone, body.encode(), sync) for job, gen, phone, body, sync, _ in rows
    ]
    return jobs, len(late) + len(withdrawn)


def _expire(connection: Connection, campaign: str, late: list[tuple[int, str]], by: By) -> None:
    why = "finish_passed"
    move_jobs(
        connection,
        late,
        campaign=campaign,
        old=JobState.STAGED,
        new=JobState.EXPIRED,
        why=why,
        by=by,
        values={"reason": why},
    )


def mark_sent(store: Store, batch: ClaimedBatch, *, endpoint: str, now: datetime, by: By) -> bool:
    """Commit that a sending begins; only after this may the first byte leave.

    Returns False when another claimer has overtaken this one, or when this claim was used: one
    claim is one sending. Then nothing may be sent.
    """
    now_ms = to_ms(now)
    with store.write() as connection:
        moved = MARK_SENT(
            connection,
            batch=batch.id,
            claimed=batch.epoch,
            sends=batch.sends,
            now=now_ms,
            endpoint=endpoint,
            leased_until=to_ms(now + LEASE),
        ).rowcount
        if moved and batch.state is BatchState.SEALED:
            why = f"sending 1 of key {batch.key[:8]}…"
            batch_moved(connection, batch.id, BatchState.SEALED, BatchState.SENT, why=why, by=by)
    return moved == 1


def record_no_answer(
    store: Store,
    batch: ClaimedBatch,
    *,
    in_doubt: bool,
    outcome: str,
    next_at: datetime,
) -> bool:
    """A sending ended without a definitive answer: keep the doubt, let go of the claim."""
    with store.write() as connection:
        moved = connection.execute(
            batches.update()
            .where(
                batches.c.id == batch.id,
                batches.c.epoch == batch.epoch,
                batches.c.state == BatchState.SENT,
            )
            .values(
                ambiguous=batches.c.ambiguous + (1 if in_doubt else 0),
                outcome=outcome,
                next_at=to_ms(next_at),
                leased_until=None,
            )
        ).rowcount
    return moved == 1


def batch_jobs(connection: Connection, batch_id: int) -> Sequence[tuple[int, str, int, int]]:
    """(job ID, sync, phone, generation) of a batch's sealed jobs, in the order of the body.

    A batch is planned in the order of IDs, so their order is the order of the body.
    """
    rows = connection.execute(
        select(call_jobs.c.id, call_jobs.c.sync, call_jobs.c.phone, call_jobs.c.generation)
        .where(call_jobs.c.batch_id == batch_id, call_jobs.c.state == JobState.SEALED)
        .order_by(call_jobs.c.id)
    )
    return [tuple(row) for row in rows]
