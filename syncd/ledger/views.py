"""Read-only questions: where everything stands, and the lists behind the numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import case, func, select

from syncd.clock import from_ms
from syncd.core.call_job import REPORT_OF_ANOTHER_PHONE, JobState
from syncd.ledger.rejections import of_key
from syncd.ledger.schema import (
    call_jobs,
    job_counts,
    leads,
    rejections,
)
from syncd.ledger.schema_reports import reports
from syncd.ledger.store import Store

#: Rows read at a time when a list is streamed.
_STREAM_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A lead with its newest call job and, where there is one, the outcome."""

    lead_id: int
    sync: str
    campaign: str
    key: str
    phone: int
    state: JobState
    reason: str | None
    call_job_id: str | None
    job_status: str | None
    call_result: str | None
    attempts_count: int | None
    seen_at: datetime
    job_id: int


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads to list; every given part must hold."""

    sync: str | None = None
    state: str | None = None
    phone: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class RejectionRow:
    """A record that is no lead, and why."""

    id: int
    sync: str
    key: str | None
    origin: str
    line: int
    column: str | None
    reason: str
    masked: str
    seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """Call jobs by sync, campaign and state, and unsettled rejections by sync and reason."""

    jobs: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    rejections: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def counts(store: Store) -> Counts:
    """The kept counts: as quick with a million leads as with none."""
    jobs: dict[tuple[str, str], dict[str, int]] = {}
    refused: dict[str, dict[str, int]] = {}
    with store.read() as connection:
        for sync, campaign, state, n in connection.execute(
            select(job_counts).where(job_counts.c.jobs != 0)
        ):
            jobs.setdefault((sync, campaign), {})[state] = n
        by_reason = (
            select(rejections.c.sync, rejections.c.reason, func.count())
            .where(rejections.c.resolved_at.is_(None))
            .group_by(rejections.c.sync, rejections.c.reason)
        )
        for sync, reason, n in connection.execute(by_reason):
            refused.setdefault(sync, {})[reason] = n
    return Counts(jobs, refused)


def outcomes(store: Store, campaign: str) -> dict[tuple[str, str | None], int]:
    """Stored reports of first calls, counted by status and call result (reads them all)."""
    with store.read() as connection:
        rows = connection.execute(
            select(reports.c.job_status, reports.c.call_result, func.count())
            .where(
                reports.c.campaign == campaign,
                reports.c.job_id.is_not(None),
                func.coalesce(reports.c.redial_number, 0) == 0,
            )
            .group_by(reports.c.job_status, reports.c.call_result)
        )
        return {(status, result): n for status, result, n in rows}


def iter_leads(store: Store, where: LeadFilter, *, limit: int | None = None) -> Iterator[LeadRow]:
    """Leads in the order in which they came, page by page: memory does not grow."""
    after, given = 0, 0
    while limit is None or given < limit:
        size = _STREAM_ROWS if limit is None else min(_STREAM_ROWS, limit - given)
        rows = _lead_rows(store, where, after, size)
        yield from rows
        given += len(rows)
        if len(rows) < size:
            return
        after = rows[-1].job_id


#: The report of the job's ID names another phone: it is no outcome of this lead.
_of_another = (
    (call_jobs.c.state == JobState.ACCEPTED)
    & reports.c.call_job_id.is_not(None)
    & reports.c.job_id.is_(None)
)
_mine = reports.c.job_id == call_jobs.c.id
_LEADS = (
    select(
        leads.c.id,
        leads.c.sync,
        call_jobs.c.campaign,
        leads.c.key,
        call_jobs.c.phone,
        call_jobs.c.state,
        case((_of_another, REPORT_OF_ANOTHER_PHONE), else_=call_jobs.c.reason).label("reason"),
        call_jobs.c.call_job_id,
        case((_mine, reports.c.job_status)).label("job_status"),
        case((_mine, reports.c.call_result)).label("call_result"),
        case((_mine, reports.c.attempts_count)).label("attempts_count"),
        leads.c.seen_at,
        call_jobs.c.id.label("job_id"),
    )
    .select_from(call_jobs)
    .join(leads, leads.c.id == call_jobs.c.lead_id)
    .outerjoin(
        reports,
        (reports.c.campaign == call_jobs.c.campaign)
        & (reports.c.call_job_id == call_jobs.c.call_job_id),
    )
    .order_by(call_jobs.c.id)
)


def _lead_rows(store: Store, where: LeadFilter, after: int, size: int) -> list[LeadRow]:
    query = _LEADS.where(call_jobs.c.id > after).limit(size)
    if where.sync is not None:
        query = query.where(call_jobs.c.sync == where.sync)
    if where.state is not None:
        query = query.where(call_jobs.c.state == where.state)
    if where.phone is not None:
        # Naming every campaign lets the index of (campaign, phone) answer; likewise the syncs.
        named = call_jobs.c.campaign.in_(select(job_counts.c.campaign))
        query = query.where(named, call_jobs.c.phone == where.phone)
    if where.key is not None:
        query = query.where(leads.c.sync.in_(select(job_counts.c.sync)), leads.c.key == where.key)
    with store.read() as connection:
        return [
            LeadRow(
                lead_id=row.id,
                sync=row.sync,
                campaign=row.campaign,
                key=row.key,
                phone=row.phone,
                state=JobState(row.state),
                reason=row.reason,
                call_job_id=row.call_job_id,
                job_status=row.job_status,
                call_result=row.call_result,
                attempts_count=row.attempts_count,
                seen_at=from_ms(row.seen_at),
                job_id=row.job_id,
            )
            for row in connection.execute(query)
        ]


def iter_rejections(
    store: Store,
    *,
    sync: str | None = None,
    key: str | None = None,
    masks: Collection[str] | None = None,
    limit: int | None = None,
) -> Iterator[RejectionRow]:
    """Unsettled rejections in the order in which they were first seen."""
    after, given = 0, 0
    while limit is None or given < limit:
        size = _STREAM_ROWS if limit is None else min(_STREAM_ROWS, limit - given)
        query = (
            select(rejections)
            .where(rejections.c.resolved_at.is_(None), rejections.c.id > after)
            .order_by(rejections.c.id)
            .limit(size)
        )
        if sync is not None:
            query = query.where(rejections.c.sync == sync)
        if key is not None:
            query = query.where(of_key(key))
        if masks is not None:
            query = query.where(rejections.c.masked.in_(masks))
        with store.read() as connection:
            rows = connection.execute(query).mappings().all()
        for row in rows:
            yield RejectionRow(
                id=row["id"],
                sync=row["sync"],
                key=row["key"],
                origin=row["origin"],
                line=row["line"],
                column=row["column"],
                reason=row["reason"],
                masked=row["masked"],
                seen_at=from_ms(row["seen_at"]),
                last_seen_at=from_ms(row["last_seen_at"]),
            )
        given += len(rows)
        if len(rows) < size:
            return
        after = rows[-1]["id"]
