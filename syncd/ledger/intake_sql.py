"""The prepared statements of intake: what is asked and stored for each page of a source."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Executable, bindparam, literal_column, select

from syncd.core.call_job import JobState
from syncd.ledger.insert_rows import InsertRows
from syncd.ledger.schema import call_jobs, job_counts, leads
from syncd.ledger.sql import Prepared, gathered, json_rows, one_of, word

ANY_HELD = Prepared(
    lambda _: select(job_counts.c.jobs).where(
        job_counts.c.sync == bindparam("of_sync"),
        job_counts.c.state == word(JobState.HELD),
        job_counts.c.jobs > literal_column("0"),
    )
)


def _known(columns: Sequence[str], dialect: str) -> Executable:
    query = select(*(leads.c[name] for name in columns)).where(
        leads.c.sync == bindparam("of_sync"), one_of(dialect, leads.c.key, bindparam("keys"))
    )
    return gathered(dialect, query)


KNOWN = Prepared(partial(_known, ("key", "id", "revision")))
#: With what only some policies ask for.
KNOWN_WIDE = Prepared(partial(_known, ("key", "id", "revision", "watched_digest", "withdrawn_at")))
INSERT_LEADS = InsertRows(
    leads, ("id", "key", "revision", "line"), ("sync", "origin", "seen_at", "pass_id")
)
INSERT_JOBS = InsertRows(
    call_jobs,
    (
        "id",
        "lead_id",
        "phone",
        "state",
        "reason",
        "body",
        "zone",
        "finish_at",
        "ends_at",
        "window_id",
        "batch_id",
    ),
    ("sync", "campaign", "generation", "created_at"),
)


def _naming_first(dialect: str) -> Executable:
    types = {"job": call_jobs.c.id.type, "first": call_jobs.c.duplicate_of.type}
    given = json_rows(dialect, bindparam("rows"), **types)
    named = call_jobs.update().where(call_jobs.c.id == given.c.job)
    return named.values(duplicate_of=given.c.first)


#: Apart from the insert: most pages have no duplicate.
NAME_FIRST = Prepared(_naming_first)
