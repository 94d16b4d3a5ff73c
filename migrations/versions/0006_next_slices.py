"""Which job goes on with which, and when a held job is looked at again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DUE = "state = 'held' AND due_at IS NOT NULL"
_CUT = "state = 'closed' AND ends_at IS NOT NULL"
_FOLLOWS = "follows IS NOT NULL"


def upgrade() -> None:
    op.add_column("call_jobs", sa.Column("follows", _ID, nullable=True))
    op.add_column("call_jobs", sa.Column("due_at", sa.BigInteger(), nullable=True))
    _index("ix_call_jobs_due", ["campaign", "due_at"], _DUE)
    _index("ix_call_jobs_cut", ["campaign", "id"], _CUT)
    _index("uq_call_jobs_follows", ["follows"], _FOLLOWS, unique=True)


def _index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(
        op.f(name),
        "call_jobs",
        columns,
        unique=unique,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
