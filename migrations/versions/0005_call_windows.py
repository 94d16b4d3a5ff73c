"""Zones and hours as values of their own, and which of them a call job has."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "call_windows",
        sa.Column("id", _ID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_windows")),
    )
    op.create_index(op.f("uq_call_windows_digest"), "call_windows", ["digest"], unique=True)
    op.add_column("call_jobs", sa.Column("window_id", _ID, nullable=True))
    op.add_column("call_jobs", sa.Column("ends_at", sa.BigInteger(), nullable=True))
