"""Who may move an open batch: claims with an epoch and an end; a dead claimer blocks nobody.

A claim raises the epoch; every move of a batch names the epoch that its claim returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Executable,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from syncd.clock import from_ms, to_ms
from syncd.core.call_job import BatchState
from syncd.core.doubt import CLOCK_ERROR, REFUSED_IN_DOUBT
from syncd.core.keys import body_digest
from syncd.ledger.leases_sql import holder_is_dead
from syncd.ledger.outbox import CLAIM_LIFE, ClaimedBatch, batch_jobs
from syncd.ledger.schema import batches, call_jobs, is_open_batch
from syncd.ledger.sql import Prepared
from syncd.ledger.store import Store
from syncd.ledger.withdrawals import has_wish

#: The outcome of a batch whose key's age cannot be told any more.
CLOCK_SET_BACK = "clock_set_back"


def _due(dialect: str) -> Executable:
    now = bindparam("now", type_=BigInteger)
    return (
        select(batches)
        .where(
            batches.c.campaign == bindparam("of"),
            is_open_batch,
            batches.c.id > bindparam("after_id"),
            or_(
                batches.c.leased_until.is_(None),
                batches.c.leased_until <= now,
                holder_is_dead(dialect),
            ),
            or_(
                batches.c.next_at.is_(None),
                batches.c.next_at <= now,
                # Sent by a clock that ran ahead: to be seen now, as later nothing shows it.
                and_(
                    batches.c.first_sent_at > bindparam("ahead", type_=BigInteger),
                    func.coalesce(batches.c.outcome, "") != CLOCK_SET_BACK,
                ),
            ),
        )
        .order_by(batches.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


_DUE = Prepared(_due)
_CLAIM = Prepared(
    lambda _: (
        batches.update()
        .where(batches.c.id == bindparam("batch"))
        .values(
            epoch=bindparam("claimed"),
            leased_until=bindparam("until"),
            holder=bindparam("holder"),
            ambiguous=bindparam("doubts"),
            outcome=bindparam("ended_as"),
            last_sent_at=bindparam("last_sent_at"),
        )
    )
)


def claim_open_batch(
    store: Store, campaign: str, *, after_id: int, now: datetime, holder: str | None
) -> ClaimedBatch | None:
    """Claim the next due batch without an answer that nobody holds, with an ID above `after_id`.

    A holder that only seems dead does no harm: its moves name an older epoch, it sends nothing once
    it may be taken for dead (`Holding.heard_since`), and what it sent before counts as a doubt,
    which waits for the quiet time and goes with the same key.

    Args:
        holder: the instance that claims; None: it has no ID, and its claim ends by time alone.
    """
    now_ms = to_ms(now)
    with store.write("batch.claim") as connection:
        due = _DUE(
            connection,
            of=campaign,
            after_id=after_id,
            now=now_ms,
            ahead=to_ms(now + CLOCK_ERROR),
        )
        row = due.mappings().first()
        if row is None:
            return None
        assert body_digest(bytes(row["body"])) == row["body_digest"], "a stored body changed"
        epoch = row["epoch"] + 1
        # A sending whose end nobody wrote down may have been carried out: its sender was killed.
        unknown_end = row["state"] == BatchState.SENT and row["outcome"] is None
        ambiguous = row["ambiguous"] + (1 if unknown_end else 0)
        last_sent_at = row["last_sent_at"]
        if unknown_end and (row["leased_until"] or 0) > now_ms:
            # Until it was taken for dead its claimer may have sent: the quiet time begins now.
            last_sent_at = max(last_sent_at, now_ms)
        _CLAIM(
            connection,
            batch=row["id"],
            claimed=epoch,
            until=to_ms(now + CLAIM_LIFE),
            holder=holder,
            doubts=ambiguous,
            ended_as="no_record" if unknown_end else row["outcome"],
            last_sent_at=last_sent_at,
        )
        members = tuple([(job, sync) for job, sync, _, _ in batch_jobs(connection, row["id"])])
        closes_at = _closes_at(connection, row["id"])
        withdrawn = has_wish(connection, row["id"])
        claimed = {**row, "epoch": epoch, "ambiguous": ambiguous, "last_sent_at": last_sent_at}
        return replace(_claimed(claimed, members), closes_at=closes_at, withdrawn=withdrawn)


def _closes_at(connection: Connection, batch_id: int) -> datetime | None:
    """The first `finishDateTime` of the batch's jobs."""
    ends = select(func.min(call_jobs.c.finish_at)).where(call_jobs.c.batch_id == batch_id)
    return _instant(connection.execute(ends).scalar())


def _claimed(
    row: Mapping[str, Any],
    members: tuple[tuple[int, str], ...],
) -> ClaimedBatch:
    return ClaimedBatch(
        id=row["id"],
        epoch=row["epoch"],
        campaign=row["campaign"],
        key=row["key"],
        body=bytes(row["body"]),
        size=row["size"],
        state=BatchState(row["state"]),
        sends=row["sends"],
        ambiguous=row["ambiguous"],
        first_sent_at=_instant(row["first_sent_at"]),
        last_sent_at=_instant(row["last_sent_at"]),
        endpoint=row["endpoint"],
        clock_doubted=row["outcome"] == CLOCK_SET_BACK,
        refused_in_doubt=(row["outcome"] or "").startswith(REFUSED_IN_DOUBT),
        absent_at=_instant(row["absent_at"]),
        members=members,
    )


def let_go(
    store: Store, batch: ClaimedBatch, *, next_at: datetime | None, clock_doubted: bool = False
) -> None:
    """Give a claim back without having sent.

    Args:
        clock_doubted: keep that the clock was set back, as a later look could not see it.
    """
    values = {"leased_until": None, "next_at": None if next_at is None else to_ms(next_at)}
    told = {"outcome": CLOCK_SET_BACK} if clock_doubted else {}
    with store.write("batch.let_go") as connection:
        connection.execute(
            batches.update()
            .where(batches.c.id == batch.id, batches.c.epoch == batch.epoch)
            .values(**values, **told)
        )


def free_claims(store: Store) -> None:
    """Forget every claim: right only for the process that holds the whole ledger (SQLite)."""
    with store.write("batch.free_claims") as connection:
        connection.execute(batches.update().where(is_open_batch).values(leased_until=None))


def _instant(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
