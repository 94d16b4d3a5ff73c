"""What is open at one campaign, in one statement: passes ask it, too, when they end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, BindParameter, Executable, Text, bindparam, case, func, select

from syncd.clock import from_ms, to_ms
from syncd.core.call_job import BatchState
from syncd.ledger.schema import batches, call_jobs, is_open_batch, is_staged
from syncd.ledger.sql import Prepared
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class CampaignView:
    """One campaign's open ends."""

    in_doubt: int = 0  #: batches that may have been carried out and have no answer
    unsent: int = 0  #: batches of which surely nothing was carried out
    past_key: int = 0  #: of those in doubt: sent too long ago to be sent again with their key
    open_jobs: int = 0  #: call jobs of the batches that are in doubt or not yet sent
    unmatched: int = 0  #: batches whose answer was shorter than the request
    oldest_staged_at: datetime | None = None


def _viewing(_dialect: str) -> Executable:
    of: BindParameter[str] = bindparam("of")
    # A sending without a recorded end is in flight, or was killed: it may have been done.
    sent = batches.c.state == BatchState.SENT.value
    doubtful = sent & ((batches.c.ambiguous > 0) | batches.c.outcome.is_(None))
    late = batches.c.first_sent_at <= bindparam("sent_before", type_=BigInteger)
    # Compared with no endpoint at all, none is another.
    old = doubtful & (late | (batches.c.endpoint != bindparam("endpoint", type_=Text)))
    answered = batches.alias("answered")
    unmatched = select(func.count()).where(
        answered.c.campaign == of, answered.c.answered_ids.is_not(None)
    )
    staged = select(call_jobs.c.created_at).where(call_jobs.c.campaign == of, is_staged)
    return select(
        func.count(),
        func.sum(case((doubtful, 1), else_=0)),
        func.sum(case((old, 1), else_=0)),
        func.sum(batches.c.size),
        unmatched.scalar_subquery(),
        staged.order_by(call_jobs.c.id).limit(1).scalar_subquery(),
    ).where(batches.c.campaign == of, is_open_batch)


_VIEW = Prepared(_viewing)


def campaign_view(
    store: Store, campaign: str, *, sent_before: datetime | None = None, endpoint: str | None = None
) -> CampaignView:
    """What is open at one campaign.

    Args:
        sent_before: batches in doubt that were first sent until then are past their key.
        endpoint: batches in doubt that were sent to another one are past their key too.
    """
    before = 0 if sent_before is None else to_ms(sent_before)
    with store.read() as connection:
        row = _VIEW(connection, of=campaign, sent_before=before, endpoint=endpoint).one()
    total, in_doubt, past_key, jobs, unmatched, oldest = tuple(row)
    return CampaignView(
        in_doubt=int(in_doubt or 0),
        unsent=int(total) - int(in_doubt or 0),
        past_key=int(past_key or 0),
        open_jobs=int(jobs or 0),
        unmatched=unmatched,
        oldest_staged_at=None if oldest is None else from_ms(oldest),
    )
