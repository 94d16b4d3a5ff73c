"""The first ledger: syncs, leads, call jobs, batches, reports, attempts, counts, journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("call_job_id", sa.Text(), nullable=False),
        sa.Column("redial_number", sa.Integer(), nullable=False),
        sa.Column("attempt_number", sa.Integer(), nullable=False),
        sa.Column("job_status", sa.Text(), nullable=True),
        sa.Column("call_result", sa.Text(), nullable=True),
        sa.Column("call_duration_s", sa.Float(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "campaign", "call_job_id", "redial_number", "attempt_number", name=op.f("pk_attempts")
        ),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("body_digest", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("job_ids", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("endpoint", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("first_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("last_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("ambiguous", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("answered_ids", sa.Text(), nullable=True),
        sa.Column("open_jobs", sa.Integer(), nullable=False),
        sa.Column("next_report_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state = 'sealed' OR first_sent_at IS NOT NULL", name=op.f("ck_batches_sent_has_time")
        ),
        sa.CheckConstraint(
            "state IN ('sealed', 'sent', 'answered', 'refused', 'parked')",
            name=op.f("ck_batches_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('sealed', 'sent') OR body IS NOT NULL",
            name=op.f("ck_batches_open_has_body"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index(
        "ix_batches_open",
        "batches",
        ["campaign", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('sealed', 'sent')"),
        postgresql_where=sa.text("state IN ('sealed', 'sent')"),
    )
    op.create_index(
        "ix_batches_report",
        "batches",
        ["campaign", "next_report_at"],
        unique=False,
        sqlite_where=sa.text("open_jobs > 0"),
        postgresql_where=sa.text("open_jobs > 0"),
    )
    op.create_index(
        "ix_batches_unmatched",
        "batches",
        ["campaign"],
        unique=False,
        sqlite_where=sa.text("answered_ids IS NOT NULL"),
        postgresql_where=sa.text("answered_ids IS NOT NULL"),
    )
    op.create_index("uq_batches_key", "batches", ["key"], unique=True)
    op.create_table(
        "campaigns",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("halted_reason", sa.Text(), nullable=True),
        sa.Column("halted_at", sa.BigInteger(), nullable=True),
        sa.Column("next_send_at", sa.BigInteger(), nullable=True),
        sa.Column("reports_walked_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_campaigns")),
    )
    op.create_table(
        "job_counts",
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sync", "campaign", "state", name=op.f("pk_job_counts")),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("pass_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("first_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("last_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("members", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_what_first_id", "journal", ["what", "first_id"], unique=False)
    op.create_table(
        "leads",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("pass_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
    )
    op.create_index("uq_leads_sync_key", "leads", ["sync", "key"], unique=True)
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "passes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passes")),
    )
    op.create_index("ix_passes_kind_target", "passes", ["kind", "target", "id"], unique=False)
    op.create_table(
        "rejections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("ident", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("masked", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("pass_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejections")),
    )
    op.create_index("uq_rejections_sync_ident", "rejections", ["sync", "ident"], unique=True)
    op.create_table(
        "syncs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("mapping_digest", sa.Text(), nullable=True),
        sa.Column("polled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_syncs")),
    )
    op.create_table(
        "call_jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("phone", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("finish_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("call_job_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state <> 'accepted' OR call_job_id IS NOT NULL",
            name=op.f("ck_call_jobs_accepted_has_id"),
        ),
        sa.CheckConstraint(
            "state IN ('held', 'staged', 'sealed', 'accepted', 'closed', 'refused', "
            "'duplicate', 'parked', 'expired', 'cancelled')",
            name=op.f("ck_call_jobs_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('sealed', 'accepted') OR batch_id IS NOT NULL",
            name=op.f("ck_call_jobs_sent_has_batch"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_call_jobs_batch_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_call_jobs_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_jobs")),
    )
    op.create_index(
        "ix_call_jobs_batch_id",
        "call_jobs",
        ["batch_id"],
        unique=False,
        sqlite_where=sa.text("batch_id IS NOT NULL"),
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.create_index("ix_call_jobs_campaign_phone", "call_jobs", ["campaign", "phone"], unique=False)
    op.create_index("ix_call_jobs_lead_id", "call_jobs", ["lead_id"], unique=False)
    op.create_index(
        "ix_call_jobs_staged",
        "call_jobs",
        ["campaign", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'staged'"),
        postgresql_where=sa.text("state = 'staged'"),
    )
    op.create_index(
        "uq_call_jobs_open",
        "call_jobs",
        ["campaign", "call_job_id"],
        unique=True,
        sqlite_where=sa.text("state = 'accepted'"),
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "reports",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("call_job_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("phone", sa.BigInteger(), nullable=True),
        sa.Column("redial_number", sa.Integer(), nullable=True),
        sa.Column("job_status", sa.Text(), nullable=False),
        sa.Column("call_result", sa.Text(), nullable=True),
        sa.Column("tag_name", sa.Text(), nullable=True),
        sa.Column("attempts_count", sa.Integer(), nullable=True),
        sa.Column("attempts_asked", sa.Integer(), nullable=False),
        sa.Column("call_duration_s", sa.Float(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["call_jobs.id"], name=op.f("fk_reports_job_id")),
        sa.PrimaryKeyConstraint("campaign", "call_job_id", name=op.f("pk_reports")),
    )
    op.create_index(
        "ix_reports_attempts_due",
        "reports",
        ["campaign", "call_job_id"],
        unique=False,
        sqlite_where=sa.text("attempts_count > attempts_asked"),
        postgresql_where=sa.text("attempts_count > attempts_asked"),
    )
    op.create_index("ix_reports_job_id", "reports", ["job_id"], unique=False)
