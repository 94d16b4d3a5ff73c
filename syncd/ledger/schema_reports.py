"""The tables of what the vendor reported (schema.py says how tables are made)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Table, Text, text

from syncd.ledger.schema import Id, metadata

reports = Table(
    "reports",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("call_job_id", Text, primary_key=True),
    Column("job_id", Id, ForeignKey("call_jobs.id")),  # NULL: of another phone, or unknown
    Column("phone", BigInteger),
    Column("redial_number", Integer),
    Column("job_status", Text, nullable=False),
    Column("call_result", Text),
    Column("tag_name", Text),
    Column("attempts_count", Integer),
    Column("attempts_asked", Integer, nullable=False),  # attempts_count when last asked for
    Column("call_duration_s", Float),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("raw", Text, nullable=False),  # JSON: every field as it came
    Column("stored_at", BigInteger, nullable=False),
)
Index("ix_reports_job_id", reports.c.job_id)
Index(
    "ix_reports_jobless",
    reports.c.campaign,
    reports.c.phone,
    sqlite_where=text("job_id IS NULL"),
    postgresql_where=text("job_id IS NULL"),
)
Index(
    "ix_reports_attempts_due",
    reports.c.campaign,
    reports.c.call_job_id,
    sqlite_where=text("attempts_count > attempts_asked"),
    postgresql_where=text("attempts_count > attempts_asked"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("call_job_id", Text, primary_key=True),
    Column("redial_number", Integer, primary_key=True),  # 0: the first call
    Column("attempt_number", Integer, primary_key=True),
    Column("job_status", Text),
    Column("call_result", Text),
    Column("call_duration_s", Float),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("raw", Text, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
)
