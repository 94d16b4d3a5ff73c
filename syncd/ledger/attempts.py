"""Attempt reports: asked for when a job report counts more of them than were asked for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from syncd.core.report import AttemptReport
from syncd.ledger.moves import By
from syncd.ledger.report_cells import count_cell, time_cell
from syncd.ledger.schema import attempts, reports
from syncd.ledger.sql import chunks, json_text, upsert
from syncd.ledger.store import Store


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
) -> int:
    """Keep attempt reports of the IDs that were asked for; how many rows were given."""
    rows = [
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
    with store.write() as connection:
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
    return len(rows)
