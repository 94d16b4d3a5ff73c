"""A backup that is put back, and jobs that only a person can decide, by the commands for them."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import RunningSandbox, running_sandbox
from tests.commands import CONFIG, LEADS, Desk, new_desk

HOUR_MS = 3_600_000
MORE = "".join(f"{n},Cid,+121255501{n},America/New_York,new\n" for n in (11, 12, 13))


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    """A vendor with the time of today, and without a rule that forgives duplicates."""
    with running_sandbox(start_ms=int(time.time() * 1000) - HOUR_MS, duplicate_hours=0) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, box: RunningSandbox) -> Desk:
    made = new_desk(tmp_path, box)
    made("init")
    return made


def called(box: RunningSandbox) -> Counter[str]:
    return Counter(job.phone.lstrip("+") for job in box.jobs() if job.redial is None)


def test_l7_a_backup_is_put_back(desk: Desk, box: RunningSandbox) -> None:
    """Noticed by every command that could send; after `recover` nobody is called again."""
    desk("once", code=1)
    shutil.copy(desk.folder / "syncd.db", desk.folder / "backup.db")
    desk.write_leads(LEADS + MORE)
    desk("once", code=1)
    assert len(called(box)) == 5
    shutil.copy(desk.folder / "backup.db", desk.folder / "syncd.db")
    for command in ("once", "run", "backfill crm-leads", "reconcile"):
        told = desk(*command.split(), code=2)
        assert "a backup of the ledger was put back" in told.err
        assert "syncd recover" in told.err
    assert "NOTHING IS SENT" in desk("status", code=3).out
    assert "put back" in desk("status", "--check", code=3).out
    (told,) = desk("recover", "--json").json
    assert told["counts"] == {"calls": 5, "unknown": 3}
    assert desk("status", "--json").json["recover"] is None
    desk("once", code=1)
    desk("backfill", "crm-leads", "--yes", code=1)
    assert set(called(box).values()) == {1}
    assert len(called(box)) == 5


def test_l7_a_moved_ledger_goes_on_with_its_witness(desk: Desk, tmp_path: Path) -> None:
    """Without it: `recover` asks the campaign, which harms nobody, and makes a new one."""
    desk("once", code=1)
    there = Desk(tmp_path / "there", desk.box)
    there.folder.mkdir()
    for name in ("syncd.db", "syncd.toml", "leads.csv", "welcome.token"):
        shutil.copy(desk.folder / name, there.folder)
    assert "syncd.db.witness" in there("once", code=2).err
    shutil.copy(desk.folder / "syncd.db.witness", there.folder)
    there("once", code=1)
    (there.folder / "syncd.db.witness").unlink()
    there("once", code=2)
    there("recover")
    there("once")
    assert set(called(desk.box).values()) == {1}


def test_a_person_decides_about_parked_jobs(desk: Desk, box: RunningSandbox) -> None:
    """Three that were lost, one call by hand: released, dropped and adopted, each with its word."""
    desk.configure(CONFIG.replace("token_file", 'resend_window = "1s"\ntoken_file'))
    desk.write_leads(LEADS.splitlines()[0] + "\n" + MORE)
    box.faults.add(Fault("request_lost", path="addPhones"))
    desk("once", code=1)
    # A day later, by a token that was changed meanwhile: absence proves nothing.
    with closing(sqlite3.connect(desk.folder / "syncd.db")) as ledger:
        ago = "first_sent_at - 86400000"
        ledger.execute(
            f"UPDATE batches SET first_sent_at = {ago}, last_sent_at = {ago}, absent_at = {ago},"
            " next_at = NULL, endpoint = 'another'"
        )
        ledger.commit()
    desk("reconcile", code=1)
    first, second, third = desk("parked", "list", "--json").json
    assert "not_in_reports" in desk("parked", "list").out
    for verb in ("release", "drop"):
        assert "--yes" in desk("parked", verb, str(first["job_id"]), code=2).err
    told = desk("parked", "release", str(first["job_id"]), "--yes", "--json").json
    assert told == {"job_id": first["job_id"], "state": "staged"}
    assert "cancelled" in desk("parked", "drop", str(second["job_id"]), "--yes").out
    (by_hand,) = box.call_by_hand([{"phone": "+12125550113"}])
    (other,) = box.call_by_hand([{"phone": "+12125550114"}])
    assert "knows no call" in desk("parked", "adopt", str(third["job_id"]), "99999999", code=2).err
    assert "another phone" in desk("parked", "adopt", str(third["job_id"]), other, code=2).err
    assert "accepted" in desk("parked", "adopt", str(third["job_id"]), by_hand).out
    assert "not parked" in desk("parked", "drop", str(third["job_id"]), "--yes", code=2).err
    assert "no job is parked" in desk("parked", "list").err
    assert "parked release by" in desk("explain", first["key"]).out
    desk("once")
    assert called(box) == {"12125550111": 1, "12125550113": 1, "12125550114": 1}
