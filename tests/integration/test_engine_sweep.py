"""The sweep: calls that the ledger does not know are attached, or kept and told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.app import App
from syncd.clock import to_ms
from syncd.core.look_up import LOOK_AGAIN
from syncd.engine import reconcile, sweep
from syncd.engine.once import work_campaign
from syncd.engine.passes import PassResult
from syncd.ledger.moves import By
from syncd.observe import events
from tests.integration.test_faults_doubt import WINDOW_S, doubt
from tests.running import phone_of
from tests.worlds import World, new_world, poll_all, settle, work

LEADS = 25
HOUR_S, DAY_S = 3_600.0, 86_400.0
#: So late nothing shows, and so soon everything.
NEVER_S, AT_ONCE_S = 365 * DAY_S, 0.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with new_world(tmp_path) as made:
        made.write_leads(LEADS)
        yield made


@pytest.fixture
def app(world: World) -> Iterator[App]:
    with world.open(alone=True) as opened:
        yield opened


def swept(app: App, **more: timedelta) -> PassResult:
    return sweep.run_once(app.campaign("welcome"), app.tools, **more)


def told_of(caplog: pytest.LogCaptureFixture, event: str) -> list[str]:
    return [str(record.msg) for record in caplog.records if event in str(record.msg)]


def restaged(world: World, app: App) -> None:
    """Calls were made, their reports did not show, and so the leads wait once more."""
    doubt(world, app)
    world.box.turn(report_lag_seconds=NEVER_S)
    world.pass_time(WINDOW_S)
    for _ in range(2):
        reconcile.run_once(app.campaign("welcome"), app.tools)
        world.pass_time(LOOK_AGAIN.total_seconds())
    assert world.states() == {"staged": LEADS}


def parked(world: World, app: App) -> None:
    """Calls were made, and later a doubted clock let nobody tell that they were not."""
    doubt(world, app)
    world.execute("UPDATE batches SET outcome = 'clock_set_back'")
    world.box.turn(report_lag_seconds=NEVER_S)
    world.pass_time(WINDOW_S)
    for _ in range(2):
        reconcile.run_once(app.campaign("welcome"), app.tools)
        world.pass_time(LOOK_AGAIN.total_seconds())
    assert world.states() == {"parked": LEADS}


@pytest.mark.parametrize("paging", [True, False])
def test_calls_that_showed_too_late_are_not_made_twice(
    world: World, app: App, paging: bool
) -> None:
    """Taken for absent and staged again, found by a sweep before the second call, with outcome."""
    world.box.turn(paging=paging)
    restaged(world, app)
    world.box.turn(report_lag_seconds=AT_ONCE_S)
    assert swept(app).counts == {"held_back": LEADS}
    settle(world, app)
    world.assert_each_once(LEADS)
    assert world.states() == {"duplicate": LEADS}
    world.pass_time(2 * DAY_S)
    work(app)
    assert world.sql("SELECT count(*) FROM reports WHERE finished_at > 0") == [(LEADS,)]


@pytest.mark.parametrize("paging", [True, False])
def test_parked_jobs_get_calls_that_show_later(world: World, app: App, paging: bool) -> None:
    """With the guards of a look-up: two calls to one phone are nobody's."""
    world.box.turn(paging=paging)
    parked(world, app)
    world.box.call_by_hand([{"phone": phone_of(0)}])
    world.pass_time(HOUR_S)
    world.box.turn(report_lag_seconds=AT_ONCE_S)
    told = swept(app)
    assert told.counts == {"adopted": LEADS - 1, "unknown_calls": 2}
    assert world.states() == {"accepted": LEADS - 1, "parked": 1}
    world.pass_time(2 * DAY_S)
    work(app)
    assert world.states() == {"closed": LEADS - 1, "parked": 1}


def test_calls_that_nobody_knows_are_kept_and_told_once(
    world: World, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """One to a stranger, of whom no phone is kept; one to a lead that had a call already."""
    poll_all(app)
    settle(world, app)
    world.box.call_by_hand([{"phone": phone_of(500)}, {"phone": phone_of(1)}])
    world.pass_time(HOUR_S)
    told = swept(app)
    assert (told.counts, told.exit_code) == ({"unknown_calls": 2, "second_calls": 1}, 1)
    world.pass_time(HOUR_S)
    again = swept(app)
    assert (again.counts, again.exit_code) == ({}, 0)
    sweeps = app.ledger.sweeps
    assert sweeps.unknown_count("welcome") == 2
    calls = sweeps.unknown_calls("welcome", limit=None)
    assert sorted(call.to_lead for call in calls) == [False, True]
    assert set(json.loads(calls[0].raw)) <= {"callJobId", "createdAt", "finishedAt", "jobStatus"}
    assert world.sql("SELECT count(*) FROM reports WHERE phone IS NULL") == [(1,)]
    (lead,) = app.ledger.history(key="1")
    assert [row["call_job_id"] for row in lead.unknown_calls] == [
        call.call_job_id for call in calls if call.to_lead
    ]
    (line,) = told_of(caplog, events.CALLS_NOTICED)
    assert phone_of(1).lstrip("+") not in line


def test_a_lead_that_comes_after_its_call_is_told_as_a_second_one(world: World, app: App) -> None:
    """First a stranger's call; then a lead with that phone waits, and is held back."""
    world.box.call_by_hand([{"phone": phone_of(1)}])
    world.pass_time(HOUR_S)
    assert swept(app).counts == {"unknown_calls": 1}
    poll_all(app)
    assert swept(app).counts == {"held_back": 1}
    assert app.ledger.sweeps.unknown_count("welcome") == 0
    settle(world, app)
    world.assert_each_once(LEADS)


def test_what_happened_while_nothing_ran_is_looked_at_too(world: World, app: App) -> None:
    """A week without syncd is compared whole, in parts; then only the window again."""
    poll_all(app)
    settle(world, app)
    world.pass_time(HOUR_S)
    swept(app)
    world.pass_time(DAY_S)
    world.box.call_by_hand([{"phone": phone_of(500)}])
    world.pass_time(6 * DAY_S)
    before = len(world.box.requests.entries())
    assert swept(app).counts == {"unknown_calls": 1}
    assert len(world.box.requests.entries()) - before == 4
    assert swept(app).counts == {}
    assert len(world.box.requests.entries()) - before == 5


def test_a_longer_window_is_looked_at_on_request(world: World, app: App) -> None:
    """What is older than the window needs a person's word, and the mark does not go back."""
    world.box.call_by_hand([{"phone": phone_of(500)}])
    world.pass_time(5 * DAY_S)
    assert swept(app).counts == {}
    mark = app.ledger.sweeps.swept_to("welcome")
    assert swept(app, window=timedelta(days=6)).counts == {"unknown_calls": 1}
    assert app.ledger.sweeps.swept_to("welcome") == mark


def test_a_sweep_is_due_once_an_hour(world: World, app: App) -> None:
    """Over processes and restarts; `once` makes it before it sends."""
    campaign = app.campaign("welcome")
    assert not sweep.has_work(campaign, app.tools), "there is nothing to compare"
    poll_all(app)
    kinds = [told.kind for told in work_campaign(campaign, app.tools)]
    assert kinds == ["reconcile", "sweep", "submit", "pull_reports"]
    assert [told.kind for told in work_campaign(campaign, app.tools)] == [
        "reconcile",
        "submit",
        "pull_reports",
    ]
    world.pass_time(HOUR_S)
    assert sweep.has_work(campaign, app.tools)


def test_the_lack_of_reports_by_date_is_told_once(
    world: World, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """However many passes meet it; then phones are asked for, and strangers stay unknown."""
    caplog.set_level("INFO", logger="syncd")
    world.box.turn(paging=False)
    poll_all(app)
    settle(world, app)
    work(app)
    world.box.call_by_hand([{"phone": phone_of(500)}])
    world.pass_time(HOUR_S)
    for _ in range(2):
        told = swept(app)
        assert (told.outcome, told.counts) == ("done", {})
    assert len(told_of(caplog, events.METHOD_MISSED)) == 1


def test_what_was_erased_does_not_come_back(world: World, app: App) -> None:
    """Neither the call of an erased person, nor a phone that was kept with an unknown call."""
    poll_all(app)
    settle(world, app)
    world.box.call_by_hand([{"phone": phone_of(1)}])
    world.pass_time(HOUR_S)
    swept(app)
    by = By("test", to_ms(world.clock.now()))
    (job,) = (one.job["id"] for lead in app.ledger.history(key="1") for one in lead.jobs)
    app.ledger.privacy.erase(key="1", settled=[job], by=by)
    world.pass_time(HOUR_S)
    assert swept(app).counts == {}
    assert world.sql(f"SELECT count(*) FROM reports WHERE phone = {phone_of(1)}") == [(0,)]


def test_a_purge_forgets_unknown_calls(world: World, app: App) -> None:
    """Those that were noticed long ago; a mismatch of an open job stays."""
    world.box.call_by_hand([{"phone": phone_of(500)}, {"phone": phone_of(501)}])
    world.pass_time(HOUR_S)
    swept(app)
    before = world.clock.now() + timedelta(days=1)
    assert app.ledger.privacy.purgeable(before=before)["reports"] == 2
    by = By("test", to_ms(world.clock.now()))
    assert app.ledger.privacy.purge_rest(before=before, by=by).rows["reports"] == 2
    assert app.ledger.sweeps.unknown_count("welcome") == 0
