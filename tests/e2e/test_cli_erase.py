"""`erase`, `purge` and `db compact`: what is said, what is left, and that nobody is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.ledger.instance import hold_instance
from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import RunningSandbox, running_sandbox
from tests.commands import ANN, BOB, LEADS, Desk, Told, new_desk

TWO_DAYS_S = 2 * 86_400
NAMES = ("Ann", "Böb", "5550101", "79460102")


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    """A sandbox whose clock stands still."""
    with running_sandbox() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, box: RunningSandbox) -> Desk:
    """A folder whose leads were read and sent."""
    made = new_desk(tmp_path, box)
    made("init")
    made("once", code=1)
    return made


def left_in_files(desk: Desk, *needles: str) -> list[str]:
    """Which of these stand in the ledger's file or its log."""
    inside = b"".join(each.read_bytes() for each in desk.folder.glob("syncd.db*"))
    return [needle for needle in needles if needle.encode() in inside]


def assert_nameless(*told: Told) -> None:
    """Nothing that was printed names a person."""
    text = "".join(one.out + one.err for one in told)
    assert [name for name in NAMES if name in text] == []


def test_x2_a_person_is_erased_end_to_end(desk: Desk, box: RunningSandbox) -> None:
    """Cancelled at the vendor, gone from every byte of the ledger, and kept out when read again."""
    assert left_in_files(desk, "Ann", ANN.lstrip("+")) == ["Ann", ANN.lstrip("+")]
    planned = desk("erase", ANN, "--dry-run", "--json")
    assert planned.json["leads"] == 2
    assert planned.json["open_calls"] == 1
    done = desk("erase", ANN, "--yes", "--json")
    assert done.json["vendor"] == {
        "asked": 1, "cancelled": 1, "not_cancelled": 0, "not_asked": 0
    }  # fmt: skip
    assert done.json["tombstones"] == planned.json["tombstones"]
    assert done.json["compacted"] is True
    assert_nameless(planned, done)
    assert left_in_files(desk, "Ann", ANN.lstrip("+")) == []
    (at_vendor,) = [job for job in box.jobs() if job.phone.endswith("2125550101")]
    box.advance(TWO_DAYS_S)
    desk("once", code=None)
    desk.write_leads(LEADS.replace("Ann,", "Anna,"))
    again = desk("once", "--json", code=None).json
    assert again[0]["counts"].get("erased") == 2
    assert left_in_files(desk, "Ann", ANN.lstrip("+")) == []
    told = desk("rejections", "--json").json
    assert [one["reason"] for one in told].count("erased") == 2
    assert [job.phone for job in box.jobs() if job.phone.endswith("2125550101")] == [
        at_vendor.phone
    ]
    assert desk("plan", "crm-leads", "--json").json["counts"]["records"] == 0


def test_x2_a_person_in_doubt_waits_for_the_answer(desk: Desk, box: RunningSandbox) -> None:
    """Nothing is changed and nothing is cancelled while a batch with them is open; exit code 1."""
    desk.write_leads("id,name,phone,zone,stage\n9,Ann,+12125550109,+01:00,new\n")
    box.faults.add(Fault("answer_lost", path="addPhones"))
    desk("once", code=1)
    before = desk.files()["syncd.db"]
    told = desk("erase", "9", "--yes", code=1)
    assert "no answer yet" in told.err
    assert "nothing was erased" in told.err
    assert "try again" in told.err
    assert desk.files()["syncd.db"] == before
    assert_nameless(told)


def test_the_vendor_is_asked_first(desk: Desk, box: RunningSandbox) -> None:
    """When it cannot be asked, nobody is erased, unless a person insists."""
    box.faults.add(Fault("reset", path="cancel", count=20))
    told = desk("erase", ANN, "--yes", code=None)
    assert told.code in (1, 2)
    assert left_in_files(desk, ANN.lstrip("+")) != []
    forced = desk("erase", ANN, "--yes", "--force", "--json")
    assert forced.json["vendor"]["not_asked"] == 1
    assert left_in_files(desk, ANN.lstrip("+")) == []
    assert_nameless(told, forced)


def test_beside_a_daemon_the_file_is_not_rewritten(desk: Desk) -> None:
    """It would take a smaller file for a broken one; `db compact` does it later."""
    held = hold_instance(f"sqlite:///{desk.folder / 'syncd.db'}")
    try:
        done = desk("erase", BOB, "--yes", "--json")
        assert done.json["compacted"] is False
        assert "syncd db compact" in done.err
        assert "PID" in desk("db", "compact", code=2).err
    finally:
        held.release()
    assert re.search(r"\d+ bytes before, [\d,]+ now", desk("db", "compact").out)
    assert left_in_files(desk, BOB.lstrip("+"), "Böb") == []


def test_what_is_no_person_is_refused(desk: Desk) -> None:
    """Neither key nor phone; more leads than one person has; nobody there to confirm."""
    assert "nobody" in desk("erase", "nobody-at-all", "--yes", code=1).err
    assert "not one person" in desk("erase", ANN, "--yes", "--leads-max", "1", code=2).err
    assert "--yes" in desk("erase", ANN, code=2).err
    assert desk("leads", "--json").json


def test_people_see_the_evidence(desk: Desk) -> None:
    """In words: when, which ledger, rows, tombstones, and the digest that the journal keeps."""
    told = desk("erase", ANN, "--yes", COLUMNS="120")
    for word in ("erased at", "ledger", "call_jobs 2", "cancelled 1", "tombstone", "evidence"):
        assert word in told.out, word
    assert "would erase" in desk("erase", BOB, "--dry-run").out
    assert_nameless(told)


def test_a_purge_removes_payloads_and_calls_nobody_again(desk: Desk, box: RunningSandbox) -> None:
    """What ended long ago loses its payload; a row that is read again is still known."""
    box.advance(TWO_DAYS_S)
    desk("once")
    assert "at least a day" in desk("purge", "--older-than", "90m", code=2).err
    assert "duration" in desk("purge", "--older-than", "soon", code=2).err
    assert "--yes" in desk("purge", "--older-than", "90d", code=2).err
    young = desk("purge", "--older-than", "90d", "--dry-run", "--json").json
    assert not any(young["rows"].values())
    done = desk("purge", "--older-than", "90d", "--yes")
    assert "call_jobs" in done.out
    desk.write_leads(LEADS.replace("Ann,", "Anna,"))
    assert desk("once", "--json", code=None).json[0]["counts"].get("new") is None
