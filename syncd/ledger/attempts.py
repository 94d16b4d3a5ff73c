"""Attempt reports: asked for when a job report counts more of them than were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from syncd.core.report import AttemptReport, phone_of
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By
from syncd.ledger.report_cells import count_cell, time_cell
from syncd.ledger.schema import call_jobs
from syncd.ledger.schema_reports import attempts, reports
from syncd.ledger.sql import chunks, json_text, upsert
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """What became of some attempt reports: rows given, and jobs of ours whose phone they lack."""

    stored: int = 0
    mismatched: tuple[int, ...] = ()


def attempts_due(store: Store, campaign: str, *, limit: int) -> list[str]:
    """Vendor IDs whose reports count more attempts than we have asked for."""
    with store.read() as connection:
        rows = connection.execute(
            select(reports.c.call_job_id)
            .where(
                reports.c.campaign == campaign,
                reports.c.attempts_count > reports.c.attempts_asked,
            )
            .order_by(reports.c.call_job_id)
            .limit(limit)
        )
        return [row[0] for row in rows]


def store_attempts(
    store: Store,
    campaign: str,
    asked: Sequence[str],
    found: Sequence[AttemptReport],
    *,
    by: By,
) -> AttemptCounts:
    """Keep attempt reports of the IDs that were asked for, but none that names another phone."""
    with store.write("attempts.store") as connection:
        check_lease(connection, by.lease)
        wrong = _mismatched(connection, campaign, found)
        rows = _rows(campaign, [one for one in found if one.call_job_id not in wrong], by)
        if rows:
            statement = upsert(connection.dialect.name, attempts)
            keys = [column.name for column in attempts.primary_key]
            fresh = {
                c.name: statement.excluded[c.name] for c in attempts.columns if c.name not in keys
            }
            connection.execute(
                statement.on_conflict_do_update(index_elements=keys, set_=fresh), rows
            )
        for some in chunks(asked):
            connection.execute(
                reports.update()
                .where(reports.c.campaign == campaign, reports.c.call_job_id.in_(some))
                .values(attempts_asked=func.coalesce(reports.c.attempts_count, 0))
            )
    return AttemptCounts(len(rows), tuple(wrong.values()))


def _mismatched(
    connection: Connection, campaign: str, found: Sequence[AttemptReport]
) -> dict[str, int]:
    """The IDs of whose attempts one names another phone than the ID's job, and that job."""
    holders: dict[str, tuple[int, int]] = {}
    for some in chunks(list({one.call_job_id for one in found})):
        of_job = (
            select(reports.c.call_job_id, call_jobs.c.id, call_jobs.c.phone)
            .join(call_jobs, call_jobs.c.id == reports.c.job_id)
            .where(reports.c.campaign == campaign, reports.c.call_job_id.in_(some))
        )
        holders |= {id_: (job, phone) for id_, job, phone in connection.execute(of_job)}
    wrong: dict[str, int] = {}
    for one in found:
        told = phone_of(one)
        job, phone = holders.get(one.call_job_id, (0, told))
        if told is not None and told != phone:
            wrong[one.call_job_id] = job
    return wrong


def _rows(campaign: str, found: Sequence[AttemptReport], by: By) -> list[dict[str, object]]:
    return [
        {
            "campaign": campaign,
            "call_job_id": report.call_job_id,
            "redial_number": count_cell(report.redial_number) or 0,
            "attempt_number": count_cell(report.attempt_number) or 0,
            "job_status": report.job_status,
            "call_result": report.call_result,
            "call_duration_s": report.call_duration,
            "started_at": time_cell(report.started_at),
            "finished_at": time_cell(report.finished_at),
            "raw": json_text(report.raw),
            "stored_at": by.at_ms,
        }
        for report in found
    ]
