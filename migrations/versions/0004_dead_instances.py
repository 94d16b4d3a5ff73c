"""Until when an instance is alive, whose a batch is, and reports of calls that no job has.

Adds only what is missing: for a while these stood in 0002, so ledgers of those days have them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    there = sa.inspect(op.get_bind())
    if "until" not in {column["name"] for column in there.get_columns("instances")}:
        # Who is alive says so again within a third of a lease.
        op.drop_table("instances")
        op.create_table(
            "instances",
            sa.Column("id", sa.Text(), nullable=False),
            sa.Column("host", sa.Text(), nullable=False),
            sa.Column("pid", sa.BigInteger(), nullable=False),
            sa.Column("version", sa.Text(), nullable=False),
            sa.Column("started_at", sa.BigInteger(), nullable=False),
            sa.Column("seen_at", sa.BigInteger(), nullable=False),
            sa.Column("until", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_instances")),
        )
    if "holder" not in {column["name"] for column in there.get_columns("batches")}:
        op.add_column("batches", sa.Column("holder", sa.Text(), nullable=True))
    if "ix_reports_jobless" not in {index["name"] for index in there.get_indexes("reports")}:
        jobless = sa.text("job_id IS NULL")
        op.create_index(
            op.f("ix_reports_jobless"),
            "reports",
            ["campaign", "phone"],
            sqlite_where=jobless,
            postgresql_where=jobless,
        )
