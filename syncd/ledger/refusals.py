"""A definitive refusal of a whole batch, recorded in one transaction: nothing of it was created.

The guilty jobs end. The rest are staged again as a new generation: with all others, or in two pens.
The jobs of a pen make a batch of their own. A pen is named after the batch that was halved, and the
batch of a pen knows its root, the batch that was refused first: that one counts the halvings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlalchemy import Connection, func, null, select

from syncd.core.call_job import BatchState, JobState
from syncd.core.refused_batch import DUPLICATED, Rest, splits_max
from syncd.ledger.campaign_state import set_halt
from syncd.ledger.moves import By, batch_moved, move_jobs
from syncd.ledger.outbox import ClaimedBatch, batch_jobs
from syncd.ledger.schema import batches, call_jobs, campaigns
from syncd.ledger.sealing import root_of
from syncd.ledger.store import Store

#: No phone is named.
NOBODY: Mapping[int, JobState] = MappingProxyType({})
#: So many batches in a row that had to be halved: what is wrong is not one lead.
POISON_BATCHES = 3
POISONED = f"{POISON_BATCHES} batches in a row were refused, and no lead is named"

_Jobs = Sequence[tuple[int, str, int, int]]


@dataclass(frozen=True, slots=True)
class RefusalStored:
    """What became of the jobs, by their new state, and why the campaign is held from now on."""

    jobs: Mapping[JobState, int] = field(default_factory=dict)
    held: str | None = None


def record_refusal(
    store: Store,
    batch: ClaimedBatch,
    *,
    why: str,
    guilty: Mapping[int, JobState] = NOBODY,
    rest: Rest = Rest.AGAIN,
    by: By,
) -> RefusalStored | None:
    """Sent to refused, guarded by the claim and by "no sending was ambiguous".

    With `Rest.HALVES` the rest are parked when the budget of batches is used up.

    Args:
        guilty: phones whose jobs end (refused, duplicate).

    Returns:
        None when the claim was overtaken: nothing was changed.
    """
    with store.write("batch.record_refusal") as connection:
        if not _end(connection, batch, why, by):
            return None
        jobs = batch_jobs(connection, batch.id)
        ended: Counter[JobState] = Counter()
        for state in (JobState.REFUSED, JobState.DUPLICATE):
            named = [job for job in jobs if guilty.get(job[2]) is state]
            ended[state] = _leave(connection, batch, named, state, why, by)
        if why == DUPLICATED and ended[JobState.DUPLICATE]:
            _let_find(connection, batch.id, ended[JobState.DUPLICATE])
        others = [job for job in jobs if job[2] not in guilty]
        held = f"a batch was refused ({why})" if rest is Rest.HOLD else None
        if rest is Rest.HALVES:
            held = _halve(connection, batch, others, why, by, ended)
        else:
            ended[JobState.STAGED] = _leave(connection, batch, others, JobState.STAGED, why, by)
        if held is not None:
            set_halt(connection, batch.campaign, held, held=True, by=by)
    return RefusalStored({state: n for state, n in ended.items() if n}, held)


def _end(connection: Connection, batch: ClaimedBatch, why: str, by: By) -> bool:
    moved = connection.execute(
        batches.update()
        .where(
            batches.c.id == batch.id,
            batches.c.epoch == batch.epoch,
            batches.c.state == BatchState.SENT,
            batches.c.ambiguous == 0,
        )
        .values(
            state=BatchState.REFUSED,
            outcome=why,
            body=null(),
            leased_until=null(),
            next_at=null(),
        )
    ).rowcount
    if moved == 1:
        batch_moved(connection, batch.id, BatchState.SENT, BatchState.REFUSED, why=why, by=by)
    return moved == 1


def _halve(
    connection: Connection,
    batch: ClaimedBatch,
    jobs: _Jobs,
    why: str,
    by: By,
    ended: Counter[JobState],
) -> str | None:
    """Stage the jobs in two pens, or park them; returns why the campaign is to be held, if so."""
    assert len(jobs) > 1, "a batch of one has its guilty job"
    if not _may_halve(connection, batch.id):
        ended[JobState.PARKED] = _leave(connection, batch, jobs, JobState.PARKED, why, by)
        return None
    middle = len(jobs) // 2
    for half, pen in ((jobs[:middle], 2 * batch.id), (jobs[middle:], 2 * batch.id + 1)):
        ended[JobState.STAGED] += _leave(connection, batch, half, JobState.STAGED, why, by, pen=pen)
    return POISONED if _is_poison(connection, batch) else None


def _may_halve(connection: Connection, batch_id: int) -> bool:
    """Count one more halving for the root of this batch; False: its budget is used up."""
    root_id = root_of(connection, batch_id)
    size = connection.execute(select(batches.c.size).where(batches.c.id == root_id)).scalar_one()
    splits = func.coalesce(batches.c.splits, 0)
    counted = connection.execute(
        batches.update()
        .where(batches.c.id == root_id, splits < splits_max(size))
        .values(splits=splits + 1)
    )
    return counted.rowcount == 1


def _is_poison(connection: Connection, batch: ClaimedBatch) -> bool:
    """Whether this is the last of several batches in a row, since a release, that were halved."""
    if root_of(connection, batch.id) != batch.id:
        return False
    released = select(func.coalesce(func.max(campaigns.c.released_at), 0)).where(
        campaigns.c.name == batch.campaign
    )
    before = connection.execute(
        select(batches.c.splits)
        .where(
            batches.c.campaign == batch.campaign,
            batches.c.created_at >= released.scalar_subquery(),
            batches.c.state.in_((BatchState.ANSWERED, BatchState.REFUSED)),
            batches.c.root.is_(None),
            batches.c.id != batch.id,
        )
        .order_by(batches.c.created_at.desc(), batches.c.id.desc())
        .limit(POISON_BATCHES - 1)
    ).all()
    return len(before) == POISON_BATCHES - 1 and all(row[0] for row in before)


def _let_find(connection: Connection, batch_id: int, jobs: int) -> None:
    """The vendor has these calls: reconcile finds out which they are."""
    connection.execute(batches.update().where(batches.c.id == batch_id).values(to_find=jobs))


def _leave(
    connection: Connection,
    batch: ClaimedBatch,
    jobs: _Jobs,
    new: JobState,
    why: str,
    by: By,
    *,
    pen: int | None = None,
) -> int:
    """Move the jobs out of the batch. Those of a pen stay in it, unless there is a new one."""
    values: dict[str, object] = {"reason": why}
    if new is JobState.STAGED:
        values = {"reason": None, "batch_id": None, "generation": call_jobs.c.generation + 1}
    if pen is not None:
        values["pen"] = pen
    move_jobs(
        connection,
        [(job[0], job[1]) for job in jobs],
        campaign=batch.campaign,
        old=JobState.SEALED,
        new=new,
        why=f"batch {batch.id}: {why}",
        by=by,
        values=values,
    )
    return len(jobs)
