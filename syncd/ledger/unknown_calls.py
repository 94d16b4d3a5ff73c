"""Calls that the campaign has and no job of the ledger names: kept to be looked at by a person.

They are reports without a job. Of a call to a phone that no lead has only the ID and its state are
kept: with the ID the vendor's own pages tell the rest. A purge drops them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select

from syncd.clock import from_ms
from syncd.core.report import JobReport
from syncd.ledger.moves import By
from syncd.ledger.reports import keep_reports
from syncd.ledger.schema import call_jobs, is_accepted
from syncd.ledger.schema_reports import reports
from syncd.ledger.sql import chunks
from syncd.ledger.store import Store

#: Of the vendor's row; the rest may tell about a person whom this ledger does not know.
_KEPT = ("callJobId", "createdAt", "finishedAt", "jobStatus")


@dataclass(frozen=True, slots=True)
class UnknownCall:
    """A call of the campaign that no job has. `to_lead`: a lead has its phone."""

    call_job_id: str
    job_status: str
    to_lead: bool
    finished_at: datetime | None
    noticed_at: datetime
    raw: str  #: JSON, as the vendor gave it


def is_unknown() -> ColumnElement[bool]:
    """The condition for a report of such a call; another one without a job is a mismatch."""
    held = exists().where(
        call_jobs.c.campaign == reports.c.campaign,
        call_jobs.c.call_job_id == reports.c.call_job_id,
        is_accepted,
    )
    return and_(reports.c.job_id.is_(None), ~held)


def keep_unknown(
    connection: Connection,
    campaign: str,
    found: Collection[JobReport],
    *,
    to_lead: bool,
    by: By,
) -> set[str]:
    """Keep these calls; the IDs of those that are news."""
    slim = {report.call_job_id: _slim(report, to_lead=to_lead) for report in found}
    known: dict[str, bool] = {}
    for some in chunks(list(slim)):
        mine = (reports.c.campaign == campaign) & reports.c.call_job_id.in_(some)
        rows = connection.execute(select(reports.c.call_job_id, reports.c.phone).where(mine))
        known |= {row[0]: row[1] is not None for row in rows}
    fresh = {
        id_: one
        for id_, one in slim.items()
        if id_ not in known or (to_lead and not known[id_])  # a lead came with its phone
    }
    keep_reports(connection, campaign, fresh, {}, by)
    return set(fresh)


def count_unknown(store: Store, campaign: str) -> int:
    """How many such calls are kept."""
    query = select(func.count()).where(reports.c.campaign == campaign, is_unknown())
    with store.read() as connection:
        return connection.execute(query).scalar_one()


def list_unknown(store: Store, campaign: str, *, limit: int | None) -> list[UnknownCall]:
    """Such calls, those that were noticed last first."""
    query = (
        select(reports)
        .where(reports.c.campaign == campaign, is_unknown())
        .order_by(reports.c.stored_at.desc(), reports.c.call_job_id)
        .limit(limit)
    )
    with store.read() as connection:
        return [_unknown(dict(row)) for row in connection.execute(query).mappings()]


def unknown_to(connection: Connection, phones: Collection[tuple[str, int]]) -> list[dict[str, Any]]:
    """Such calls to these phones, each with its campaign: rows of `reports`."""
    found: list[dict[str, Any]] = []
    for campaign, phone in sorted(phones):
        query = select(reports).where(
            reports.c.campaign == campaign, reports.c.phone == phone, is_unknown()
        )
        rows = connection.execute(query.order_by(reports.c.stored_at, reports.c.call_job_id))
        found += [dict(row) for row in rows.mappings()]
    return found


def drop_unknown(connection: Connection, before_ms: int, *, most: int) -> int:
    """Forget `most` of such calls that were noticed before then; how many went."""
    keys = connection.execute(
        select(reports.c.campaign, reports.c.call_job_id).where(is_old(before_ms)).limit(most)
    ).all()
    by_campaign: dict[str, list[str]] = {}
    for campaign, id_ in keys:
        by_campaign.setdefault(campaign, []).append(id_)
    for campaign, ids in by_campaign.items():
        for some in chunks(ids):
            mine = (reports.c.campaign == campaign) & reports.c.call_job_id.in_(some)
            connection.execute(reports.delete().where(mine, reports.c.job_id.is_(None)))
    return len(keys)


def is_old(before_ms: int) -> ColumnElement[bool]:
    """The condition for a call that a purge forgets."""
    return and_(is_unknown(), reports.c.stored_at < before_ms)


def _unknown(row: Mapping[str, Any]) -> UnknownCall:
    ended = row["finished_at"]
    return UnknownCall(
        call_job_id=row["call_job_id"],
        job_status=row["job_status"],
        to_lead=row["phone"] is not None,
        finished_at=None if ended is None else from_ms(ended),
        noticed_at=from_ms(row["stored_at"]),
        raw=row["raw"],
    )


def _slim(report: JobReport, *, to_lead: bool) -> JobReport:
    raw = {name: report.raw[name] for name in _KEPT if name in report.raw}
    return replace(
        report,
        phone=report.phone if to_lead else None,
        raw=raw,
        call_result=None,
        tag_name=None,
        call_duration=None,
    )
