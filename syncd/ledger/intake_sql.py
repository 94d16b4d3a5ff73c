"""The prepared statements of intake: what is asked and stored for each page of a source."""

from __future__ import annotations

from sqlalchemy import ColumnClause, and_, bindparam, literal_column, or_, select

from syncd.core.call_job import PHONE_KNOWN, PHONE_TAKEN, JobState
from syncd.ledger.insert_rows import InsertRows
from syncd.ledger.schema import call_jobs, job_counts, leads
from syncd.ledger.sql import Prepared, gathered, one_of


def _text(constant: str) -> ColumnClause[str]:
    """A word of ours, written into the statement."""
    return literal_column(f"'{constant!s}'")


ANY_HELD = Prepared(
    lambda _: select(job_counts.c.jobs).where(
        job_counts.c.sync == bindparam("of_sync"),
        job_counts.c.state == _text(JobState.HELD),
        job_counts.c.jobs > literal_column("0"),
    )
)
KNOWN = Prepared(
    lambda dialect: gathered(
        dialect,
        select(leads.c.key, leads.c.id, leads.c.revision).where(
            leads.c.sync == bindparam("of_sync"), one_of(dialect, leads.c.key, bindparam("keys"))
        ),
    )
)
TAKEN = Prepared(
    lambda dialect: gathered(
        dialect,
        select(call_jobs.c.phone).where(
            call_jobs.c.campaign == bindparam("of_campaign"),
            one_of(dialect, call_jobs.c.phone, bindparam("phones")),
            or_(
                call_jobs.c.state.in_([_text(state) for state in PHONE_TAKEN]),
                and_(
                    call_jobs.c.state == _text(JobState.DUPLICATE),
                    call_jobs.c.reason != _text(PHONE_KNOWN),
                ),
            ),
        ),
    )
)
INSERT_LEADS = InsertRows(
    leads, ("id", "key", "revision", "line"), ("sync", "origin", "seen_at", "pass_id")
)
INSERT_JOBS = InsertRows(
    call_jobs,
    ("id", "lead_id", "phone", "state", "reason", "body", "zone", "finish_at"),
    ("sync", "campaign", "generation", "created_at"),
)
