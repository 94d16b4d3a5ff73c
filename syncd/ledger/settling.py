"""How wishes to cancel end: the job is over, and new content that waited for it goes its way."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping, select

from syncd.core.call_job import PHONE_KNOWN, JobState
from syncd.core.call_policy import DEFAULT, CallPolicy
from syncd.core.mapping import HELD_NO_ZONE
from syncd.core.withdrawal import (
    CALLED_ALREADY,
    FIRST_CALL_UNKNOWN,
    NOT_SENT,
    UNKNOWN_ID,
    WAITS_FOR_CANCEL,
)
from syncd.ledger.first_calls import callers, was_called
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By, move_jobs
from syncd.ledger.schema import call_jobs
from syncd.ledger.schema_guards import cancellations
from syncd.ledger.sql import word
from syncd.ledger.store import Store
from syncd.ledger.withdrawals import UNSENT, OpenJob, close_wish, end_unsent, is_open

#: Wishes that are settled in one transaction.
SETTLED_MAX = 200


def settle(
    store: Store, campaign: str, policies: Mapping[str, CallPolicy], *, by: By
) -> dict[str, int]:
    """End the wishes whose jobs are over; what became of them, counted.

    `ended` here, `released` (new content is staged), `given_up` (it is not, as the call was made
    or nobody can know), `late` (the job was over before the vendor could be asked).
    """
    counts = {"ended": 0, "released": 0, "given_up": 0, "late": 0}
    while True:
        with store.write("withdrawal.settle") as connection:
            check_lease(connection, by.lease)
            rows = _over(connection, campaign)
            for row in rows:
                _settle_one(connection, row, policies, counts, by)
        if len(rows) < SETTLED_MAX:
            return counts


def _over(connection: Connection, campaign: str) -> list[RowMapping]:
    """Open wishes of jobs that were not sent, that have ended, or that the vendor does not know."""
    waits = [word(state) for state in (JobState.SEALED, JobState.PARKED)]
    unknown = (cancellations.c.answer == UNKNOWN_ID) & cancellations.c.next_at.is_(None)
    rows = connection.execute(
        select(
            call_jobs.c.id,
            call_jobs.c.lead_id,
            call_jobs.c.sync,
            call_jobs.c.campaign,
            call_jobs.c.state,
            call_jobs.c.reason,
            cancellations.c.why,
            cancellations.c.add_again,
        )
        .join(call_jobs, call_jobs.c.id == cancellations.c.job_id)
        .where(
            is_open,
            call_jobs.c.campaign == campaign,
            call_jobs.c.state.not_in(waits),
            (call_jobs.c.state != word(JobState.ACCEPTED)) | unknown,
        )
        .order_by(call_jobs.c.id)
        .limit(SETTLED_MAX)
        .with_for_update(of=call_jobs)
    )
    return list(rows.mappings())


def is_for_good(connection: Connection, job_id: int) -> bool:
    """Whether the job was to be cancelled with nothing to follow it: by a list, or its source."""
    mine = (cancellations.c.job_id == job_id) & cancellations.c.add_again.is_(False)
    return connection.execute(select(cancellations.c.job_id).where(mine)).first() is not None


def _settle_one(
    connection: Connection,
    row: RowMapping,
    policies: Mapping[str, CallPolicy],
    counts: dict[str, int],
    by: By,
) -> None:
    state = JobState(row["state"])
    if state in UNSENT:
        job = OpenJob(row["id"], row["sync"], row["campaign"], state)
        end_unsent(connection, [job], why=row["why"], by=by)
    counts["ended" if state in UNSENT or state is JobState.CANCELLED else "late"] += 1
    over = NOT_SENT if state in (*UNSENT, JobState.CANCELLED) else f"{state}: {row['reason']}"
    close_wish(connection, row["id"], by, answer=over)
    if row["add_again"]:
        give_up = _why_not(connection, row["id"], state)
        policy = policies.get(row["sync"], DEFAULT)
        _let_go(connection, row["lead_id"], give_up, policy, counts, by)


def _why_not(connection: Connection, job_id: int, state: JobState) -> str | None:
    """Why new content must not be called, or None: nobody was called with the old one."""
    if state is JobState.ACCEPTED:
        return FIRST_CALL_UNKNOWN
    if state is not JobState.CLOSED:
        return None
    return CALLED_ALREADY if was_called(connection, job_id) else None


def _let_go(
    connection: Connection,
    lead_id: int,
    give_up: str | None,
    policy: CallPolicy,
    counts: dict[str, int],
    by: By,
) -> None:
    """Stage the lead's waiting content, or end it."""
    waiting = (
        connection.execute(
            select(call_jobs)
            .where(
                call_jobs.c.lead_id == lead_id,
                call_jobs.c.state == JobState.HELD,
                call_jobs.c.reason == WAITS_FOR_CANCEL,
            )
            .with_for_update()
        )
        .mappings()
        .all()
    )
    for job in waiting:
        if give_up is not None:
            ended = OpenJob(job["id"], job["sync"], job["campaign"], JobState.HELD)
            end_unsent(connection, [ended], why=give_up, by=by)
            counts["given_up"] += 1
        elif job["zone"] is None:
            mine = call_jobs.update().where(call_jobs.c.id == job["id"])
            connection.execute(mine.values(reason=HELD_NO_ZONE))
        else:
            _stage(connection, job, policy, counts, by)


def _stage(
    connection: Connection,
    job: RowMapping,
    policy: CallPolicy,
    counts: dict[str, int],
    by: By,
) -> None:
    found = callers(connection, job["campaign"], [job["phone"]], policy, now_ms=by.at_ms)
    others = [one.id for one in found if one.lead_id != job["lead_id"]]
    new = JobState.DUPLICATE if others else JobState.STAGED
    reason = PHONE_KNOWN if others else None
    move_jobs(
        connection,
        [(job["id"], job["sync"])],
        campaign=job["campaign"],
        old=JobState.HELD,
        new=new,
        why=reason or "the call with the old content was cancelled",
        by=by,
        values={"reason": reason, "duplicate_of": min(others, default=None)},
    )
    counts["given_up" if others else "released"] += 1
