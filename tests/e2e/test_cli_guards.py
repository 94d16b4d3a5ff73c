"""What a person sees of the guards: exit codes, status, and the command that lets calls go."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox.testing import running_sandbox
from tests.commands import Desk, new_desk

TRIPPED = 4
#: A limit as a variable of the environment, for one command.
ONE = {"SYNCD_SYNCS__CRM_LEADS__POLICY__MAX_NEW_PER_POLL": "1"}
A_MINUTE = {"SYNCD_CAMPAIGNS__WELCOME__MAX_MINUTES_PER_DAY": "1"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Two leads to call."""
    with running_sandbox() as box:
        made = new_desk(tmp_path, box)
        made("init")
        yield made


def test_a_poll_that_is_too_much_ends_with_4_until_a_person_has_agreed(desk: Desk) -> None:
    """Plan, once and status say so; a dry run changes nothing; the approval is signed."""
    told = desk("plan", "crm-leads", "--json", **ONE)
    assert told.json["trip"] == {
        "guard": "max_new_per_poll",
        "unit": "jobs",
        "allowed": 1.0,
        "found": 2.0,
    }
    told = desk("plan", "crm-leads", **ONE)
    assert "would trip max_new_per_poll (call jobs 2, allowed 1)" in told.err
    told = desk("once", code=TRIPPED, **ONE)
    assert "tripped 2" in told.out
    assert "syncd approve crm-leads" in told.err
    assert "guard.tripped" in told.err
    assert desk.box.jobs() == []
    # Whoever looks later is told too, and so is a program.
    desk("once", code=TRIPPED)
    shown = desk("status", code=TRIPPED).out
    assert "HELD BY A GUARD" in shown
    assert "max_new_per_poll" in shown
    assert desk("status", "--check", code=TRIPPED).out == "tripped: crm-leads\n"
    sync = desk("status", "--json", code=TRIPPED).json["syncs"]["crm-leads"]
    assert sync["held_by_guards"] == 2
    assert [(t["guard"], t["allowed"], t["found"]) for t in sync["trips"]] == [
        ("max_new_per_poll", 1.0, 2.0)
    ]
    before = desk.files()
    assert "2 call jobs" in desk("approve", "crm-leads", "--dry-run").out
    assert desk.files().keys() == before.keys()
    told = desk("approve", "crm-leads", "--limit", "1")
    assert "still held" in told.out
    desk("approve", "crm-leads")
    desk("once", code=None)
    assert len(desk.box.jobs()) == 2
    assert desk("status", "--check").out == "healthy\n"


def test_a_day_that_is_full_says_so_before_and_after(desk: Desk) -> None:
    """Plan and status show the limit with its unit; one variable lifts it for one command."""
    told = desk("plan", "crm-leads", "--json", **A_MINUTE).json
    assert (told["day"]["guard"], told["day"]["unit"]) == ("max_minutes_per_day", "minutes")
    assert (told["day"]["allowed"], told["beyond_day"]) == (1.0, 1)
    told = desk("plan", "crm-leads", **A_MINUTE)
    assert "max_minutes_per_day has room for 1 today: 1 would be held" in told.err
    desk("backfill", "crm-leads", "--yes", code=TRIPPED, **A_MINUTE)
    assert len(desk.box.jobs()) == 1
    shown = desk("status", code=TRIPPED, **A_MINUTE).out
    assert "1 expected minutes of 1 (max_minutes_per_day)" in shown
    assert "2 expected minutes, allowed are 1" in shown
    assert "1 call jobs of 10,000 (max_jobs_per_day)" in desk("status", code=TRIPPED).out
    desk("approve", "crm-leads")
    desk("once", code=None, **A_MINUTE)
    assert len(desk.box.jobs()) == 2


def test_an_approval_of_what_is_not_there(desk: Desk) -> None:
    """Nothing is held: 1. No such sync: 2, with the nearest name."""
    assert "no guard holds" in desk("approve", "crm-leads", code=1).err
    assert "crm-leads" in desk("approve", "crm-lead", code=2).err
    assert desk("approve", "crm-leads", "--json", code=1).json["held"] == 0


def test_dropped_leads_are_not_called(desk: Desk) -> None:
    """They end as cancelled, and nothing is held any more."""
    desk("once", code=TRIPPED, **ONE)
    assert "nobody of them is called" in desk("approve", "crm-leads", "--drop").out
    desk("once", code=None)
    assert desk.box.jobs() == []
    assert desk("status", "--check").out == "healthy\n"


def test_a_backfill_in_a_script_needs_a_persons_word(desk: Desk) -> None:
    """Without a terminal: held, unless --yes or --limit says that so many are meant."""
    told = desk("backfill", "crm-leads", code=TRIPPED, **ONE)
    assert "held by a guard" in told.out
    assert desk.box.jobs() == []
    desk("approve", "crm-leads", "--drop")
    desk.write_leads(
        "id,name,phone,zone,stage\n20,Eve,+12125550120,America/New_York,new\n"
        "21,Fay,+12125550121,America/New_York,new\n"
    )
    desk("backfill", "crm-leads", "--yes", code=0, **ONE)
    assert len(desk.box.jobs()) == 2


def test_who_approved_is_told_to_whoever_asks(desk: Desk) -> None:
    """The story of a lead names the person."""
    desk("once", code=TRIPPED, **ONE)
    done = desk("approve", "crm-leads", "--json").json
    assert (done["by"], done["released"], done["left"]) == (getpass.getuser(), 2, 0)
    moves = desk("explain", "1", "--json").json["leads"][0]["jobs"][0]["moves"]
    assert f"approved by {getpass.getuser()}" in json.dumps(moves)
