"""Look-ups, breakers, leases, guards, suppression and erasure; everything here only adds."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        for name, type_ in columns.items():
            op.add_column(table, sa.Column(name, type_, nullable=True))
    where = sa.text("state = 'staged' AND pen IS NOT NULL")
    op.create_index(
        op.f("ix_call_jobs_pens"),
        "call_jobs",
        ["campaign", "pen"],
        sqlite_where=where,
        postgresql_where=where,
    )
    to_find = sa.text("to_find > 0")
    op.create_index(
        op.f("ix_batches_to_find"),
        "batches",
        ["campaign"],
        sqlite_where=to_find,
        postgresql_where=to_find,
    )
    held = sa.text("state = 'held'")
    op.create_index(
        op.f("ix_call_jobs_held"),
        "call_jobs",
        ["sync", "reason", "id"],
        sqlite_where=held,
        postgresql_where=held,
    )
    op.create_index(op.f("ix_batches_created_at"), "batches", ["campaign", "created_at"])
    _leases()
    _guards()
    _withdrawals()


_COLUMNS = {
    "syncs": {"unjudged": sa.BigInteger()},
    "campaigns": {
        "failures": sa.Integer(),
        "open_until": sa.BigInteger(),
        "held": sa.Boolean(),
        "released_at": sa.BigInteger(),
        "swept_to": sa.BigInteger(),
        "next_turn_at": sa.BigInteger(),
    },
    "batches": {
        "looked_at": sa.BigInteger(),
        "absent_at": sa.BigInteger(),
        "root": ID,
        "splits": sa.Integer(),
        "to_find": sa.Integer(),
    },
    "call_jobs": {"pen": ID, "duplicate_of": ID},
    "leads": {
        "seen_in": ID,
        "withdrawn_at": sa.BigInteger(),
        "watched_digest": sa.BigInteger(),
    },
}


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("busy", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "instances",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instances")),
    )


def _guards() -> None:
    op.create_table(
        "trips",
        sa.Column("id", ID, nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("guard", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Float(), nullable=False),
        sa.Column("found", sa.Float(), nullable=False),
        sa.Column("tripped_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("released", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trips")),
    )
    where = sa.text("approved_at IS NULL")
    op.create_index(
        op.f("ix_trips_sync"), "trips", ["sync"], sqlite_where=where, postgresql_where=where
    )


def _withdrawals() -> None:
    op.create_table(
        "suppressions",
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_in", ID, nullable=False),
        sa.PrimaryKeyConstraint("list", "kind", "value", name=op.f("pk_suppressions")),
    )
    op.create_index(op.f("ix_suppressions_kind_value"), "suppressions", ["kind", "value"])
    op.create_table(
        "cancellations",
        sa.Column("job_id", ID, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("add_again", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["call_jobs.id"], name=op.f("fk_cancellations_job_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_cancellations")),
    )
    where = sa.text("answered_at IS NULL")
    op.create_index(
        op.f("ix_cancellations_open"),
        "cancellations",
        ["job_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        "tombstones",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tombstones")),
    )
