"""`syncd retry` as a person gives it."""

from __future__ import annotations

from pathlib import Path

from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import running_sandbox
from tests.commands import ANN, new_desk


def test_a_refused_lead_goes_again(tmp_path: Path) -> None:
    """Shown first, asked for, told by whom; nobody else is meant, and nonsense is refused."""
    with running_sandbox() as box:
        desk = new_desk(tmp_path, box)
        desk("init")
        phone = ANN.lstrip("+")
        error = {"type": "phone.bad.format", "phone": phone}
        box.faults.add(Fault("refused", path="addPhones", where=phone, count=None, error=error))
        desk("once", code=1)
        box.faults.clear()
        told = desk("retry", "crm-leads", "--dry-run")
        assert "phone.bad.format" in told.out
        assert "1 of 1 may go again" in told.err
        assert phone not in told.out + told.err
        assert "--yes" in desk("retry", "crm-leads", code=2).err
        (one,) = desk("retry", "--campaign", "welcome", "--yes", "--json").json["syncs"]
        assert (one["sync"], one["again"], one["held_by"]) == ("crm-leads", 1, None)
        assert "retried by" in desk("explain", "1").out
        assert "nothing was done" in desk("retry", "crm-leads", code=1).err
        desk("once", code=0)
        assert [job.phone.lstrip("+") for job in box.jobs()].count(phone) == 1
        assert "parked release" in desk("retry", "crm-leads", "--state", "parked", code=2).err
        assert "--campaign" in desk("retry", code=2).err
