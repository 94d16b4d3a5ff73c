"""One index for a phone whatever its campaign: narrower, and it answers for all campaigns too."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_index("ix_call_jobs_campaign_phone", "call_jobs")
    op.create_index(op.f("ix_call_jobs_phone"), "call_jobs", ["phone"])
