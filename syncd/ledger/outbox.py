"""A sealed batch is sent, or its sending ends without an answer (answers.py has the others).

Each verb is one transaction and one guarded move: `WHERE id AND epoch AND state`. The epoch comes
from the claim, so a claimer that was paused and overtaken changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from syncd.clock import to_ms
from syncd.core.call_job import BatchState, JobState
from syncd.ledger.moves import By, batch_moved
from syncd.ledger.outbox_sql import (
    MARK_SENT,
)
from syncd.ledger.schema import batches, call_jobs
from syncd.ledger.store import Store

#: A claim outlives the longest request by far. It ends sooner when its claimer is dead (claims.py).
CLAIM_LIFE = timedelta(minutes=10)


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
    withdrawn: bool = False  #: one of its jobs is to be withdrawn
    #: (job ID, sync) of each job in the order of the body
    members: tuple[tuple[int, str], ...] = field(default=(), repr=False)

    @property
    def doubtful(self) -> bool:
        """Whether some earlier sending may have been carried out."""
        return self.ambiguous > 0


def mark_sent(store: Store, batch: ClaimedBatch, *, endpoint: str, now: datetime, by: By) -> bool:
    """Commit that a sending begins; only after this may the first byte leave.

    Returns False when another claimer has overtaken this one, or when this claim was used: one
    claim is one sending. Then nothing may be sent.
    """
    now_ms = to_ms(now)
    with store.write("batch.mark_sent") as connection:
        moved = MARK_SENT(
            connection,
            batch=batch.id,
            claimed=batch.epoch,
            sends=batch.sends,
            now=now_ms,
            endpoint=endpoint,
            leased_until=to_ms(now + CLAIM_LIFE),
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
    with store.write("batch.record_no_answer") as connection:
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
