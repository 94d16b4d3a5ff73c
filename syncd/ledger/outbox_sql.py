"""The prepared statements of the outbox: what is sealed and sent, thousands of times a minute."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Executable, TextClause, bindparam, func, null, select

from syncd.core.call_job import BatchState, JobState
from syncd.ledger.recovery import is_sending
from syncd.ledger.schema import batches, call_jobs, is_open_batch, is_penned, is_staged
from syncd.ledger.sql import Prepared, gathered, one_of


def _staged_jobs(dialect: str, *which: ColumnElement[bool] | TextClause) -> Executable:
    query = (
        select(
            call_jobs.c.id,
            call_jobs.c.generation,
            call_jobs.c.phone,
            call_jobs.c.body,
            call_jobs.c.sync,
            call_jobs.c.finish_at,
            call_jobs.c.ends_at,
            call_jobs.c.window_id,
        )
        .where(call_jobs.c.campaign == bindparam("of_campaign"), *which)
        .order_by(call_jobs.c.id)
        .limit(bindparam("most"))
    )
    return gathered(dialect, query.with_for_update(skip_locked=True))


def _sealing(chosen: ColumnElement[bool]) -> Executable:
    return (
        call_jobs.update()
        .where(call_jobs.c.campaign == bindparam("of_campaign"), is_staged, chosen)
        .values(state=JobState.SEALED.value, batch_id=bindparam("batch"))
    )


STAGED_JOBS = Prepared(lambda d: _staged_jobs(d, is_staged, call_jobs.c.pen.is_(None)))
PENNED_JOBS = Prepared(lambda d: _staged_jobs(d, is_penned, call_jobs.c.pen == bindparam("pen")))
#: The newest pen first: halves of halves are told apart before the next half is looked at.
NEXT_PEN = Prepared(
    lambda _: select(func.max(call_jobs.c.pen)).where(
        call_jobs.c.campaign == bindparam("of_campaign"), is_penned
    )
)
#: Every staged job from the first ID to the last: right only while no staged job has a pen.
SEAL_RANGE = Prepared(
    lambda _: _sealing(call_jobs.c.id.between(bindparam("first"), bindparam("last")))
)
SEAL_SOME = Prepared(lambda dialect: _sealing(one_of(dialect, call_jobs.c.id, bindparam("jobs"))))
INSERT_BATCH = Prepared(
    lambda _: batches.insert().values(
        **{
            name: bindparam(name)
            for name in (
                "id",
                "campaign",
                "key",
                "body",
                "body_digest",
                "size",
                "job_ids",
                "leased_until",
                "holder",
                "created_at",
                "root",
            )
        },
        state=BatchState.SEALED.value,
        epoch=1,
        sends=0,
        ambiguous=0,
        open_jobs=0,
    )
)
MARK_SENT = Prepared(
    lambda _: (
        batches.update()
        .where(
            batches.c.id == bindparam("batch"),
            batches.c.epoch == bindparam("claimed"),
            batches.c.sends == bindparam("sends"),
            is_open_batch,
            is_sending(),
        )
        .values(
            state=BatchState.SENT.value,
            first_sent_at=func.coalesce(batches.c.first_sent_at, bindparam("now")),
            last_sent_at=bindparam("now"),
            sends=batches.c.sends + 1,
            endpoint=func.coalesce(batches.c.endpoint, bindparam("endpoint")),
            leased_until=bindparam("leased_until"),
            outcome=null(),
            next_at=null(),
        )
    )
)
