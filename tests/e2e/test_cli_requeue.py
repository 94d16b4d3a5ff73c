"""`syncd requeue` as a person gives it."""

from __future__ import annotations

from pathlib import Path

from syncd.sandbox.testing import running_sandbox
from tests.commands import new_desk


def test_other_hours_reach_the_calls_that_wait(tmp_path: Path) -> None:
    """Told by status, counted first, asked for, and then nothing is left to do."""
    other = {"SYNCD_SYNCS__CRM_LEADS__HOURS__GUARD": "30m"}
    with running_sandbox() as box:
        desk = new_desk(tmp_path, box)
        desk("init")
        desk("once", code=1)
        assert "OUTDATED" not in desk("status").out
        assert "nothing was done" in desk("requeue", "--dry-run").err
        assert "OUTDATED" in desk("status", **other).out
        (one,) = desk("requeue", "--dry-run", "--json", **other).json["syncs"]
        assert one["affected"] == one["hours"] > 0
        assert "--yes" in desk("requeue", code=2, **other).err
        told = desk("requeue", "crm-leads", "--yes", **other)
        assert "are cancelled at the vendor" in told.err
        assert "OUTDATED" not in desk("status", **other).out
