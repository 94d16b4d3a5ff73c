"""Which job has a phone already: what makes the next one to it a duplicate.

The common question (one call a campaign, for ever) is one prepared statement that the index of
campaign and phone answers; a wider scope or a horizon asks statements of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from syncd.core.call_job import PHONE_KNOWN, PHONE_TAKEN, JobState
from syncd.core.call_policy import CallPolicy, OnChange
from syncd.core.guards import JUDGING
from syncd.ledger.schema import call_jobs, campaigns, meta
from syncd.ledger.schema_reports import reports
from syncd.ledger.sql import POSTGRESQL, Prepared, gathered, one_of, upsert, word

#: Jobs that have ended: only of these a horizon says that they count no longer.
_ENDED = (JobState.CLOSED, JobState.DUPLICATE)
#: What the vendor says of a call that nobody made.
_UNCALLED = ("canceled", "cancelledByUser", "notDone")


class Caller(NamedTuple):
    """A job that has a phone."""

    phone: int
    id: int
    lead_id: int
    state: str


def lock_all(connection: Connection, policy: CallPolicy) -> None:
    """One intake at a time over all campaigns, where all of them are compared (PostgreSQL)."""
    if policy.all_campaigns and connection.dialect.name == POSTGRESQL:
        connection.execute(select(meta.c.name).order_by(meta.c.name).limit(1).with_for_update())


def lock_campaign(connection: Connection, campaign: str) -> None:
    """One intake a campaign at a time, so that two pages never stage one phone (PostgreSQL)."""
    if connection.dialect.name == POSTGRESQL:
        statement = upsert(connection.dialect.name, campaigns).values(name=campaign)
        connection.execute(statement.on_conflict_do_nothing())
        connection.execute(
            select(campaigns.c.name).where(campaigns.c.name == campaign).with_for_update()
        )


def first_calls(
    connection: Connection,
    campaign: str,
    phones: Sequence[int],
    policy: CallPolicy,
    *,
    now_ms: int,
) -> dict[int, int]:
    """Phone to the oldest job that keeps a new one back, for those of `phones` that have one."""
    found: dict[int, int] = {}
    for caller in callers(connection, campaign, phones, policy, now_ms=now_ms):
        found[caller.phone] = min(caller.id, found.get(caller.phone, caller.id))
    return found


def callers(
    connection: Connection,
    campaign: str,
    phones: Sequence[int],
    policy: CallPolicy,
    *,
    now_ms: int,
) -> list[Caller]:
    """Every job that has one of these phones, or will have; none where phones do not count."""
    if not policy.per_phone or not phones:
        return []
    given: dict[str, object] = {"phones": list(phones)}
    if not policy.all_campaigns:
        given["of_campaign"] = campaign
    if policy.again_after is not None:
        given["since"] = now_ms - round(policy.again_after.total_seconds() * 1000)
    asked = _CALLERS[policy.all_campaigns, policy.again_after is not None]
    return [Caller(*row) for row in asked.rows(connection, **given)]


def keeps_back(connection: Connection, caller: Caller, lead_id: int, policy: CallPolicy) -> bool:
    """Whether a job with the phone keeps a new one of this lead back.

    Of a lead's own: one that is open, or too fresh; and unless the policy says to call again, one
    with which somebody was called, whatever was withdrawn since.
    """
    if caller.lead_id != lead_id:
        return policy.per_phone
    if caller.state != JobState.CLOSED or policy.again_after is not None:
        return True
    return policy.on_change is not OnChange.CALL_AGAIN and was_called(connection, caller.id)


def was_called(connection: Connection, closed_id: int) -> bool:
    """Whether the reports of a closed job leave it possible that somebody was called."""
    rows = connection.execute(
        select(reports.c.job_status, reports.c.attempts_count).where(reports.c.job_id == closed_id)
    ).all()
    tried = any(count or (count is None and status not in _UNCALLED) for status, count in rows)
    return tried or not rows


def _asking(all_campaigns: bool, has_horizon: bool, dialect: str) -> Executable:
    where: list[ColumnElement[bool]] = [
        one_of(dialect, call_jobs.c.phone, bindparam("phones")),
        or_(
            call_jobs.c.state.in_([word(state) for state in sorted(PHONE_TAKEN)]),
            and_(
                call_jobs.c.state == word(JobState.DUPLICATE),
                call_jobs.c.reason != word(PHONE_KNOWN),
            ),
            # It will be staged when its poll has ended, unless a guard holds the whole poll.
            and_(call_jobs.c.state == word(JobState.HELD), call_jobs.c.reason == word(JUDGING)),
        ),
    ]
    if not all_campaigns:
        where.append(call_jobs.c.campaign == bindparam("of_campaign"))
    if has_horizon:
        where.append(
            or_(
                call_jobs.c.state.not_in([word(state) for state in _ENDED]),
                _ended_at() >= bindparam("since", type_=call_jobs.c.created_at.type),
            )
        )
    columns = (call_jobs.c.phone, call_jobs.c.id, call_jobs.c.lead_id, call_jobs.c.state)
    return gathered(dialect, select(*columns).where(*where))


def _ended_at() -> ColumnElement[int]:
    """When the last call of the job ended; without a report, when the job was made."""
    told = func.coalesce(reports.c.finished_at, reports.c.started_at, reports.c.stored_at)
    last = select(func.max(told)).where(reports.c.job_id == call_jobs.c.id).scalar_subquery()
    return func.coalesce(last, call_jobs.c.created_at, literal_column("0"))


_CALLERS = {
    (wide, bounded): Prepared(partial(_asking, wide, bounded))
    for wide in (False, True)
    for bounded in (False, True)
}
