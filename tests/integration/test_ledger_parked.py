"""Parked jobs: a person releases, drops or adopts; the journal says who."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.app import App
from syncd.core.call_job import JobState
from syncd.core.look_up import LOOK_AGAIN
from syncd.engine import poll, reconcile, submit
from syncd.errors import Transient
from syncd.ledger.moves import By
from syncd.sandbox.faults import Fault
from tests.running import phone_of
from tests.worlds import World, new_world, settle

DAY_S = 86_400.0
BY = By("cli:parked", 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three leads in doubt; an operator called the first one, so the others are unclear."""
    with new_world(tmp_path) as made:
        made.write_leads(3)
        made.box.faults.add(Fault("reset", path="addPhones"))
        with made.open(alone=True) as app:
            poll.run_once(app.sync("leads"), app.tools)
            submit.run_once(app.campaign("welcome"), app.tools)
            app.campaign("welcome").client.add_phone(phone_of(0).lstrip("+"), key="operator")
            for wait_s in (DAY_S, LOOK_AGAIN.total_seconds()):
                made.pass_time(wait_s)
                reconcile.run_once(app.campaign("welcome"), app.tools)
        yield made


@pytest.fixture
def app(world: World) -> Iterator[App]:
    with world.open(alone=True) as opened:
        yield opened


def test_parked_jobs_are_listed_with_their_reason(app: App) -> None:
    """The oldest first, or the one that is asked for."""
    jobs = app.ledger.parked.jobs()
    assert [(job.key, job.reason) for job in jobs] == [
        ("1", "not_in_reports"),
        ("2", "not_in_reports"),
    ]
    assert app.ledger.parked.jobs(job_id=jobs[1].job_id) == jobs[1:]
    assert app.ledger.parked.jobs(job_id=1) == []


def test_a_released_job_is_called_under_another_key(world: World, app: App) -> None:
    """As a new generation, once; the journal names the decision."""
    job = app.ledger.parked.jobs()[0]
    app.ledger.parked.settle(job, JobState.STAGED, why="parked release by ann", by=BY)
    settle(world, app)
    assert world.called()[phone_of(1).lstrip("+")] == 1
    assert world.states() == {"accepted": 2, "parked": 1}
    told = world.sql("SELECT actor, from_state, to_state FROM journal WHERE why LIKE '%by ann'")
    assert told == [("cli:parked", "parked", "staged")]
    with pytest.raises(Transient):
        app.ledger.parked.settle(job, JobState.STAGED, why="again", by=BY)


def test_a_dropped_job_ends(world: World, app: App) -> None:
    """It is called no more."""
    app.ledger.parked.settle(
        app.ledger.parked.jobs()[0], JobState.CANCELLED, why="parked drop by ann", by=BY
    )
    settle(world, app)
    assert world.states() == {"accepted": 1, "cancelled": 1, "parked": 1}


def test_an_adopted_job_has_the_call_that_a_person_names(world: World, app: App) -> None:
    """Its outcome is pulled from then on; the call of another job cannot be taken."""
    jobs, now = app.ledger.parked.jobs(), world.clock.now()
    parked = app.ledger.parked
    (used,) = world.sql("SELECT call_job_id FROM call_jobs WHERE state = 'accepted'")[0]
    assert not parked.adopt(jobs[0], used, next_report_at=now, why="adopt", by=BY)
    assert parked.adopt(jobs[0], "4711", next_report_at=now, why="adopt", by=BY)
    assert world.states() == {"accepted": 2, "parked": 1}
    assert app.ledger.open_call_job_ids(1) == [used, "4711"]
