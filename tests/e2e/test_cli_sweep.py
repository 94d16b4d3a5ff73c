"""`syncd sweep` as a person gives it: a call that was made by hand is told and can be looked up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox.testing import RunningSandbox, running_sandbox
from tests.commands import ANN, BOB, Desk, new_desk

HOUR_MS = 3_600_000


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    """A vendor whose clock is an hour behind, so that its calls are of the past."""
    with running_sandbox(start_ms=int(time.time() * 1000) - HOUR_MS) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, box: RunningSandbox) -> Desk:
    made = new_desk(tmp_path, box)
    made("init")
    return made


def test_calls_made_by_hand_are_noticed(desk: Desk, box: RunningSandbox) -> None:
    """By `once` before it sends, and by `sweep`; status, explain and a list tell which they are."""
    box.call_by_hand([{"phone": BOB}])
    told = desk("once", "--json", code=1).json
    assert {one["pass"]: one["counts"] for one in told}["sweep"] == {"held_back": 1}
    assert "called_before" in desk("explain", "2").out
    box.call_by_hand([{"phone": ANN}, {"phone": "+12125550199"}])
    (told,) = desk("sweep", "--json", code=1).json
    assert told["counts"] == {"unknown_calls": 2, "second_calls": 1}
    assert "nothing to do" in desk("sweep", "welcome", "--since", "7d").out
    assert "unknown calls  2 (syncd campaign unknown welcome)" in desk("status").out
    assert desk("status", "--json").json["campaigns"]["welcome"]["unknown_calls"] == 2
    calls = desk("campaign", "unknown", "welcome", "--json").json
    assert sorted(call["to_lead"] for call in calls) == [False, True]
    mine = next(call["call_job_id"] for call in calls if call["to_lead"])
    assert mine in desk("campaign", "unknown", "welcome").out
    assert f"unknown call {mine}" in desk("explain", "1").out
    (lead,) = desk("explain", "1", "--json").json["leads"]
    assert [call["call_job_id"] for call in lead["unknown_calls"]] == [mine]


def test_an_installation_without_dates_is_told(desk: Desk, box: RunningSandbox) -> None:
    """In words, as the log is quiet for a person; nonsense as a length is refused."""
    box.turn(paging=False)
    desk("once", code=1)
    assert "cannot list its calls by date" in desk("sweep").err
    assert "--since" in desk("sweep", "--since", "7", code=2).err
    assert "ten years" in desk("sweep", "--since", "999999d", code=2).err
