"""Call jobs whose ID is another phone's: it may be the call of somebody else, to be left alone."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from syncd.ledger.schema import call_jobs
from syncd.ledger.schema_reports import reports


def is_of_another_phone() -> ColumnElement[bool]:
    """The condition on an accepted job that the report of its ID is kept apart."""
    apart = select(reports.c.campaign).where(
        reports.c.campaign == call_jobs.c.campaign,
        reports.c.call_job_id == call_jobs.c.call_job_id,
        reports.c.job_id.is_(None),
    )
    return apart.exists()
