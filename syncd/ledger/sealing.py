"""Transaction B: staged jobs become a batch whose body and key never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from syncd.clock import to_ms
from syncd.core.batch import SealedBody, StagedJob, plan_batch, seal
from syncd.core.call_job import CALL_CAP, SLICE_OVER, BatchState, JobState
from syncd.core.call_window import whole_item
from syncd.core.guards import Limit
from syncd.core.renewal import Renewal
from syncd.core.retry import FINISH_PASSED
from syncd.ledger.call_caps import Wanted, waits
from syncd.ledger.call_windows import KnownWindows
from syncd.ledger.day_use import take_room
from syncd.ledger.moves import By, check_all_moved, jobs_moved, move_jobs
from syncd.ledger.outbox import CLAIM_LIFE, ClaimedBatch
from syncd.ledger.outbox_sql import (
    INSERT_BATCH,
    NEXT_PEN,
    PENNED_JOBS,
    SEAL_RANGE,
    SEAL_SOME,
    STAGED_JOBS,
)
from syncd.ledger.schema import batches
from syncd.ledger.sql import take_ids
from syncd.ledger.store import Store
from syncd.ledger.withdrawals import end_staged


@dataclass(frozen=True, slots=True)
class Within:
    """What keeps jobs back as they are sealed."""

    limit: Limit | None = None  #: of the day
    #: the hours of the syncs whose jobs may have to wait for a cap of calls to one person
    capped: Mapping[str, Renewal] = field(default_factory=dict)


def seal_batch(
    store: Store,
    ledger_id: str,
    campaign: str,
    *,
    phones_max: int,
    within: Within | None = None,
    now: datetime,
    by: By,
) -> ClaimedBatch | None:
    """Put the jobs of a pen, or the oldest staged ones, into a batch that is from now on fixed.

    Returns None when nothing is staged, or the day has no room. Jobs whose
    `finishDateTime` has passed expire here, and the next ones are looked at: a block of late jobs
    never hides those behind it.
    """
    kept_back = within or Within()
    limit, capped = kept_back.limit, kept_back.capped
    expired = 1
    while expired:
        with store.write("batch.seal") as connection:
            room = take_room(connection, campaign, limit, phones_max=phones_max, now=now)
            if not room:
                return None
            pen = NEXT_PEN(connection, of_campaign=campaign).scalar()
            staged, expired = _staged(
                connection, store.windows, campaign, pen, room, capped, now, by
            )
            planned = plan_batch(staged, phones_max=room)
            if planned:
                # On PostgreSQL others may hold jobs between ours: a range would wait for them, and
                # they for us. Jobs of a pen have other staged jobs between them everywhere.
                alone = connection.dialect.name == "sqlite" and pen is None
                whole = alone and len(planned) == len(staged)
                root = None if pen is None else root_of(connection, pen // 2)
                return _seal(connection, ledger_id, campaign, planned, whole, root, now, by)
    return None


def root_of(connection: Connection, batch_id: int) -> int:
    """The batch whose refusal began the search that this one belongs to; itself if none did."""
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
    batch = new_batch(connection, ledger_id, campaign, planned, root, now, by)
    _seal_jobs(connection, campaign, planned, batch.id, whole=whole)
    journal_sealed(connection, batch, by)
    return batch


def journal_sealed(connection: Connection, batch: ClaimedBatch, by: By) -> None:
    """Journal and count the jobs of a new batch."""
    jobs_moved(
        connection,
        batch.members,
        campaign=batch.campaign,
        old=JobState.STAGED,
        new=JobState.SEALED,
        why=f"batch {batch.id}",
        by=by,
    )


def new_batch(
    connection: Connection,
    ledger_id: str,
    campaign: str,
    planned: Sequence[StagedJob],
    root: int | None,
    now: datetime,
    by: By,
) -> ClaimedBatch:
    """Insert a batch of these jobs, claimed by the caller; the jobs themselves are not touched."""
    sealed = seal(planned, ledger_id=ledger_id, campaign=campaign)
    return ClaimedBatch(
        id=_insert_batch(connection, campaign, sealed, root, now, by),
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
        members=tuple([(job.id, job.sync) for job in planned]),
    )


def _insert_batch(
    connection: Connection,
    campaign: str,
    sealed: SealedBody,
    root: int | None,
    now: datetime,
    by: By,
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
        leased_until=to_ms(now + CLAIM_LIFE),
        holder=by.holder,
        created_at=to_ms(now),
        root=root,
    )
    return batch_id


def _seal_jobs(
    connection: Connection, campaign: str, jobs: Sequence[StagedJob], batch_id: int, *, whole: bool
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
    connection: Connection,
    windows: KnownWindows,
    campaign: str,
    pen: int | None,
    phones_max: int,
    capped: Mapping[str, Renewal],
    now: datetime,
    by: By,
) -> tuple[list[StagedJob], int]:
    """The oldest jobs of a pen or of none, a batch at most; how many ended on the way."""
    if pen is None:
        rows = sorted(STAGED_JOBS.rows(connection, of_campaign=campaign, most=phones_max))
    else:
        some = PENNED_JOBS.rows(connection, of_campaign=campaign, pen=pen, most=phones_max)
        rows = sorted(some)
    now_ms = to_ms(now)
    late = [row for row in rows if row[5] is not None and row[5] <= now_ms]
    if late:
        _end_late(connection, campaign, late, now_ms, by)
        gone = {row[0] for row in late}
        rows = [row for row in rows if row[0] not in gone]
    withdrawn = end_staged(connection, campaign, [(row[0], row[4]) for row in rows], by)
    if withdrawn:
        rows = [row for row in rows if row[0] not in withdrawn]
    waiting = _hold_capped(connection, campaign, rows, capped, now, by) if capped else {}
    if waiting:
        rows = [row for row in rows if row[0] not in waiting]
    fields = windows.fields(connection, {row[7] for row in rows})
    jobs = [
        StagedJob(job, gen, phone, whole_item(body.encode(), fields[window]), sync)
        for job, gen, phone, body, sync, _, _, window in rows
    ]
    return jobs, len(late) + len(withdrawn) + len(waiting)


def _hold_capped(
    connection: Connection,
    campaign: str,
    rows: Sequence[Sequence[Any]],
    capped: Mapping[str, Renewal],
    now: datetime,
    by: By,
) -> Mapping[int, datetime]:
    """Hold those that a cap of calls to one person has no room for; until when each."""
    wanted = [Wanted(row[0], row[4], row[2], row[3], row[7]) for row in rows]
    until = waits(connection, wanted, capped, now)
    for job in wanted:
        if job.id in until:
            move_jobs(
                connection,
                [(job.id, job.sync)],
                campaign=campaign,
                old=JobState.STAGED,
                new=JobState.HELD,
                why=CALL_CAP,
                by=by,
                values={"reason": CALL_CAP, "due_at": to_ms(until[job.id])},
            )
    return until


def _end_late(
    connection: Connection, campaign: str, late: Sequence[Sequence[Any]], now_ms: int, by: By
) -> None:
    """What is past its own end expires; what is only past its slice waits for its next one."""
    over = [(row[0], row[4]) for row in late if row[6] is None or row[6] <= now_ms]
    cut = [(row[0], row[4]) for row in late if row[6] is not None and row[6] > now_ms]
    ends = ((over, JobState.EXPIRED, FINISH_PASSED), (cut, JobState.HELD, SLICE_OVER))
    for jobs, new, why in ends:
        if jobs:
            move_jobs(
                connection,
                jobs,
                campaign=campaign,
                old=JobState.STAGED,
                new=new,
                why=why,
                by=by,
                values={"reason": why, "due_at": now_ms if new is JobState.HELD else None},
            )
