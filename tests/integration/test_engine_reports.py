"""Outcomes come back: by date and by ID, late or out of step, each attempt once."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.engine import date_pages, pull_reports, reconcile
from syncd.engine.asking import IDS_MAX
from syncd.engine.passes import PassResult
from syncd.observe import logs
from syncd.observe.redact import Redactor
from syncd.sandbox.faults import Fault
from tests.worlds import World, new_world, poll_all, settle

DAY_S = 86_400.0
LEADS = 30
OLD = {"paging": False}


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """30 leads, sent and accepted; the installation has reports by date, or not (param)."""
    with new_world(tmp_path, sandbox=getattr(request, "param", None), batch_size=20) as made:
        made.write_leads(LEADS, first=70)
        with made.open(alone=True) as app:
            poll_all(app)
            settle(made, app)
        yield made


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Everything that is logged."""
    stream = io.StringIO()
    logs.configure("debug", "json", Redactor([]), stream)
    yield stream
    logs.configure("warning", "json", Redactor([]), io.StringIO())


@pytest.fixture
def app(world: World) -> Iterator[App]:
    """The app of the world."""
    with world.open(alone=True) as opened:
        yield opened


def pull(app: App) -> PassResult:
    return pull_reports.run_once(app.campaign("welcome"), app.tools)


def asked(world: World) -> Counter[str]:
    """How many requests of each report method the sandbox saw since the last look."""
    paths = [str(entry["path"]).partition("*")[2] for entry in world.box.requests.entries()]
    world.box.requests.clear()
    return Counter(path for path in paths if "eport" in path)


def assert_told(world: World) -> None:
    """Every job's status and every attempt are in the ledger as the vendor has them."""
    truth = {(str(job.id), job.status, len(job.attempts)) for job in world.box.jobs()}
    told = world.sql("SELECT call_job_id, job_status, attempts_count FROM reports")
    assert set(told) == truth
    rows = world.sql("SELECT call_job_id, attempt_number FROM attempts")
    assert Counter(rows) == Counter((str(call.job.id), call.number) for call in world.box.calls())


@pytest.mark.parametrize("world", [{}, OLD], indirect=True, ids=["by date", "by ID"])
def test_every_outcome_and_every_attempt_comes_back_once(world: World, app: App) -> None:
    """All jobs close as the vendor says, call-backs are attached, and nothing is asked again."""
    world.pass_time(3 * DAY_S)
    told = pull(app)
    assert (told.outcome, told.exit_code) == ("done", 0)
    assert told.counts["closed"] == LEADS
    by_date = app.campaign("welcome").reports_by_date
    # By ID nobody can ask for a call-back: its ID is the vendor's own secret.
    calls = [call for call in world.box.calls() if by_date or call.job.redial is None]
    assert told.counts["attempts"] == len(calls)
    assert world.states() == {"closed": LEADS}
    again = [job for job in world.box.jobs() if job.redial is not None]
    assert again, "phones that end in 94 ask for a call-back"
    if by_date:
        assert_told(world)
        owner = world.sql(
            "SELECT phone FROM call_jobs JOIN reports USING (phone) WHERE redial_number"
        )
        assert {str(phone) for (phone,) in owner} == {job.phone for job in again}
    asked(world)
    told = pull(app)
    assert told.counts.get("closed", 0) == told.counts.get("attempts", 0) == 0
    assert not any(path.startswith("/callAttempt") for path in asked(world))
    assert not pull_reports.has_work(app.campaign("welcome"), app.tools)


def test_open_jobs_stay_open(world: World, app: App) -> None:
    """A job in process or between two attempts has a report and stays accepted."""
    world.box.advance(30)
    pull(app)
    waits = [job for job in world.box.jobs() if job.finished_ms is None and job.redial is None]
    states = world.states()
    assert waits
    assert states["accepted"] == len(waits)
    assert pull_reports.has_work(app.campaign("welcome"), app.tools)
    world.pass_time(3 * DAY_S)
    pull(app)
    assert_told(world)
    assert world.states() == {"closed": LEADS}


@pytest.mark.parametrize("world", [OLD], indirect=True)
def test_an_old_installation_is_asked_by_id_and_ever_more_rarely(world: World, app: App) -> None:
    """The missing method is tried once; nothing is asked before its time; the gaps grow."""
    world.box.book.campaign(world.box.token).dialer.paused = True
    asks: list[int] = []
    for minute in range(24 * 60):
        pull(app)
        seen = asked(world)
        assert seen["/callJob/getReportByDate"] <= (minute == 0)
        if seen["/callJob/getReport"]:
            asks.append(minute)
        world.pass_time(60)
    gaps = [later - before for before, later in pairwise(asks)]
    assert gaps[0] <= 6
    assert gaps == sorted(gaps), "the older, the rarer"
    assert gaps[-1] > 60
    assert len(asks) < 60


@pytest.mark.parametrize("world", [OLD], indirect=True)
def test_an_id_that_the_vendor_forgot_holds_up_no_other(world: World, app: App) -> None:
    """One unknown ID fails its request; it is split out and counted, the others close."""
    world.pass_time(3 * DAY_S)
    campaign = world.box.book.campaign(world.box.token)
    gone = [job for job in world.box.jobs() if job.redial is None][7]
    del campaign.jobs[gone.id]
    told = pull(app)
    assert (told.counts["unknown_ids"], told.counts["closed"]) == (1, LEADS - 1)
    assert world.states() == {"closed": LEADS - 1, "accepted": 1}


def test_more_than_one_page_is_walked(world: World, app: App) -> None:
    """450 more leads: three pages of 200 rows by date, and each is told."""
    world.configure(batch_size=500)
    world.write_leads(450, first=200)
    with world.open() as beside:
        poll_all(beside)
        settle(world, beside)
        world.pass_time(3 * DAY_S)
        asked(world)
        told = pull(beside)
        assert told.counts["closed"] == LEADS + 450
        assert asked(world)["/callJob/getReportByDate"] == 3
        assert_told(world)


def test_a_range_that_fills_all_pages_is_halved(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for six rows a filter, thirty outcomes over a day are told all the same."""
    monkeypatch.setattr(date_pages, "PAGE_SIZE_MAX", 3)
    monkeypatch.setattr(date_pages, "PAGE_MAX", 1)
    world.pass_time(3 * DAY_S)
    pull(app)
    assert_told(world)
    assert world.states() == {"closed": LEADS}


def test_the_vendors_clock_may_be_two_days_ahead(world: World, app: App) -> None:
    """Times of reports are the vendor's: what ends in our future is told, and what comes after."""
    world.box.advance(2 * DAY_S)
    assert pull(app).counts["closed"] == LEADS
    world.write_leads(10, first=200)
    poll_all(app)
    settle(world, app)
    world.pass_time(3 * DAY_S)
    assert pull(app).counts["closed"] == 10
    assert_told(world)


def test_the_vendors_clock_may_be_two_days_behind(world: World, app: App) -> None:
    """What ended before it was sent, as we see it, is found by ID within its time."""
    world.clock.set(world.clock.now() + timedelta(days=2))
    world.write_leads(10, first=200)
    poll_all(app)
    settle(world, app)
    world.pass_time(7 * 3600.0)
    pull(app)
    world.pass_time(DAY_S)
    pull(app)
    assert world.states() == {"closed": LEADS + 10}


def test_a_stop_between_two_requests_keeps_what_was_told(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk begins again where it began, and the outcome is "stopped"."""
    world.pass_time(3 * DAY_S)
    monkeypatch.setattr(date_pages, "PAGE_SIZE_MAX", 8)
    real = app.ledger.store_reports

    def stopping(*args: Any, **named: Any) -> Any:
        app.tools.stop.set()
        return real(*args, **named)

    monkeypatch.setattr(app.ledger, "store_reports", stopping)
    told = pull(app)
    assert told.outcome == "stopped"
    assert 0 < told.counts["closed"] < LEADS
    assert app.ledger.walked_to("welcome") is None
    monkeypatch.undo()
    app.tools.stop.clear()
    assert pull(app).outcome == "done"
    assert world.states() == {"closed": LEADS}
    assert_told(world)


@pytest.mark.parametrize("world", [OLD], indirect=True)
def test_a_stop_between_two_batches_is_heeded(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ID: the batch that was asked for is noted, the other waits for the next pass."""
    world.pass_time(3 * DAY_S)
    real = app.ledger.batch_asked

    def stopping(*args: Any, **named: Any) -> None:
        app.tools.stop.set()
        real(*args, **named)

    monkeypatch.setattr(app.ledger, "batch_asked", stopping)
    assert pull(app).counts["closed"] == 20
    app.tools.stop.clear()
    monkeypatch.undo()
    assert pull(app).counts["closed"] == LEADS - 20


def test_many_batches_are_looked_at_in_parts(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More batches are due than one read gives: all of them are asked for."""
    monkeypatch.setattr(pull_reports, "BATCHES_MAX", 1)
    app.campaign("welcome").reports_by_date = False
    world.pass_time(3 * DAY_S)
    assert pull(app).counts["closed"] == LEADS


def test_reports_of_strangers_are_counted_and_not_kept(world: World, app: App) -> None:
    """Calls that somebody else put into the campaign are foreign."""
    app.campaign("welcome").client.add_phones(b'[{"phone":"12015559999"}]', key="other")
    world.pass_time(3 * DAY_S)
    told = pull(app)
    assert told.counts["foreign"] == 1
    assert world.sql("SELECT count(*) FROM reports WHERE phone = 12015559999") == [(0,)]


def test_a_report_that_cannot_be_had_now_is_had_later(world: World, app: App) -> None:
    """A failure in the middle keeps what was told; the next pass brings the rest."""
    world.pass_time(3 * DAY_S)
    world.box.faults.add(Fault("http_500", path="/callAttempt/"))
    told = pull(app)
    assert (told.outcome, told.exit_code, told.counts["closed"]) == ("retry", 1, LEADS)
    assert pull(app).outcome == "done"
    assert_told(world)


@pytest.mark.parametrize("sandbox", [{}, OLD], ids=["by date", "by ID"])
def test_ids_in_another_order_give_no_outcome_to_another_lead(
    tmp_path: Path, sandbox: dict[str, Any], out: io.StringIO
) -> None:
    """A whole answer back to front: each report names another phone, so none closes a job."""
    with new_world(tmp_path, sandbox=sandbox) as world, world.open() as app:
        world.write_leads(5)
        world.box.faults.add(Fault("reversed_answer", path="addPhones"))
        poll_all(app)
        settle(world, app)
        assert world.states() == {"accepted": 5}
        world.pass_time(3 * DAY_S)
        told = pull(app)
        # The one in the middle has its own ID.
        assert (told.counts["closed"], told.counts["mismatched"], told.exit_code) == (1, 4, 1)
        assert world.states() == {"accepted": 4, "closed": 1}
        mine = "SELECT count(*) FROM reports JOIN call_jobs ON call_jobs.id = job_id WHERE "
        assert world.sql(mine + "reports.phone <> call_jobs.phone") == [(0,)]
        assert app.ledger.mismatched("welcome") == 4
        world.pass_time(DAY_S)
        again = pull(app)
        assert (again.counts.get("mismatched"), again.exit_code) == (None, 0)
        assert world.states() == {"accepted": 4, "closed": 1}
    said = out.getvalue()
    assert said.count('"report.mismatched"') == 1
    assert '"jobs":4,"job_ids":[' in said
    assert not [job.phone for job in world.box.jobs() if job.phone.lstrip("+") in said]


def test_without_open_jobs_nothing_is_asked(tmp_path: Path) -> None:
    """An empty ledger asks the vendor for nothing."""
    with new_world(tmp_path) as world, world.open() as app:
        assert pull(app).counts == {}
        assert not asked(world)


def test_ids_of_one_request_are_bounded() -> None:
    """A list of reports stays under the client's own bound."""
    assert IDS_MAX <= 500


def test_short_answers_are_matched_in_bounded_requests(tmp_path: Path) -> None:
    """An answer of 300 IDs that is too short is looked up in two requests."""
    with new_world(tmp_path, batch_size=300) as world, world.open() as app:
        world.write_leads(300)
        world.box.faults.add(Fault("short_answer", path="addPhones"))
        poll_all(app)
        settle(world, app)
        assert asked(world)["/callJob/getReport"] == 2
        assert world.states() == {"accepted": 299, "duplicate": 1}
        assert reconcile.run_once(app.campaign("welcome"), app.tools).counts == {}
