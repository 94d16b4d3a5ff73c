"""Backfill and submit: read and send at once, stop anywhere, start again, end when all is told."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.campaign.client import CampaignClient
from syncd.clock import to_ms
from syncd.core.doubt import RESEND_WINDOW
from syncd.core.guards import DayLimits
from syncd.core.starting import StartAt
from syncd.engine import backfill, poll, submit
from syncd.engine.breaker import FAILURES_IN_A_ROW_MAX
from syncd.engine.once import work_campaign
from syncd.engine.passes import worst_exit_code
from syncd.errors import InDoubt
from syncd.ledger.approvals import Decided
from syncd.ledger.day_use import DayUse
from syncd.ledger.intake_page import IntakeResult
from syncd.ledger.ledger import Ledger
from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import RunningSandbox
from tests.worlds import LONG_S, Hurried, World, new_world, poll_all, run_backfill, settle, work

LEADS = 100


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """100 leads in batches of 10, two at a time."""
    with new_world(tmp_path) as made:
        made.write_leads(LEADS)
        yield made


def test_a_backfill_moves_everything_and_leaves_the_live_cursor(world: World) -> None:
    """All leads are accepted, each batch once; a second run finds nothing new."""
    with world.open(alone=True) as app:
        progress = backfill.Progress()
        wired, campaign = app.sync("leads"), app.campaign("welcome")
        order = backfill.Backfill()
        results = backfill.run(
            wired, campaign, app.tools, backfill=order, wait=True, progress=progress
        )
        assert [(told.kind, told.outcome) for told in results] == [
            ("poll", "done"),
            ("submit", "done"),
        ]
        assert (progress.records, progress.new, progress.answered) == (LEADS, LEADS, LEADS)
        assert progress.source == 1.0
        assert worst_exit_code(results) == 0
        again = run_backfill(app)
        assert (again["poll"].counts["known"], again["poll"].counts["new"]) == (LEADS, 0)
        assert again["submit"].counts == {}
        assert app.ledger.position("leads").cursor is None
    world.assert_each_once(LEADS)
    assert len(world.sendings) == LEADS // 10


def _sealed_with_pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that are sealed in the transaction of a page, as they come."""
    sealed: list[int] = []
    real = Ledger.store_page

    def counting(self: Ledger, *args: Any, **named: Any) -> IntakeResult:
        stored = real(self, *args, **named)
        sealed.extend(batch.size for batch in stored.sealed)
        return stored

    monkeypatch.setattr(Ledger, "store_page", counting)
    return sealed


def test_new_jobs_are_sealed_as_they_are_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten batches two have room in flight and are never staged; the others are sealed later."""
    sealed = _sealed_with_pages(monkeypatch)
    with world.open(alone=True) as app:
        told = run_backfill(app)["submit"]
        assert (told.counts["sealed"], told.counts["answered"]) == (LEADS, LEADS)
    assert sealed == [10, 10]
    world.assert_each_once(LEADS)


@pytest.mark.parametrize(("room", "at_once"), [(35, [10, 10]), (15, [10]), (5, [])])
def test_jobs_are_sealed_as_they_are_stored_as_far_as_the_day_has_room(
    world: World, monkeypatch: pytest.MonkeyPatch, room: int, at_once: list[int]
) -> None:
    """Whole batches go with their page; what is left of the day goes later, the rest is held."""
    sealed = _sealed_with_pages(monkeypatch)
    limits = DayLimits(max_jobs=room)
    assert _answered(world, limits, backfill.Backfill()) == room
    assert sealed == at_once
    assert world.states() == {"accepted": room, "held": LEADS - room}


JOBS, MINUTES = "max_jobs_per_day", "max_minutes_per_day"
ANNA = Decided("anna", 1)


@pytest.mark.parametrize(
    ("decided", "defaults", "answered"),
    [
        (ANNA, {JOBS, MINUTES}, LEADS),
        (ANNA, {JOBS}, 20),
        (ANNA, {MINUTES}, 10),
        (None, {JOBS, MINUTES}, 10),
    ],
)
def test_a_persons_backfill_goes_beyond_the_defaults_of_a_day(
    world: World, decided: Decided | None, defaults: set[str], answered: int
) -> None:
    """It counts as approved; a limit that was set holds it, and so does each where nobody said."""
    limits = DayLimits(max_jobs=10, max_minutes=20.0, defaults=frozenset(defaults))
    if decided is not None:
        decided = Decided(decided.who, to_ms(world.clock.now()))
    assert _answered(world, limits, backfill.Backfill(decided=decided)) == answered
    assert sum(world.states().values()) == LEADS
    with world.open() as app:
        use = app.ledger.guards.day_use("welcome", now=app.tools.clock.now())
        assert use == DayUse(answered, LEADS if answered == LEADS else 0)
    approved = "SELECT count(*), sum(released) FROM trips WHERE guard = 'backfill'"
    assert world.sql(approved) == [(1, LEADS) if answered == LEADS else (0, None)]


def _answered(world: World, limits: DayLimits, order: backfill.Backfill) -> int:
    """Fill a campaign with these limits of a day; how many calls it made."""
    with world.open(alone=True) as app:
        limited = replace(app.campaign("welcome"), day=limits)
        sync, progress = app.sync("leads"), backfill.Progress()
        results = backfill.run(
            sync, limited, app.tools, backfill=order, wait=True, progress=progress
        )
    return {told.kind: told.counts for told in results}["submit"]["answered"]


@pytest.mark.parametrize("fault", ["answer_lost", "http_500", "http_429", "short_answer"])
def test_a_backfill_that_waits_ends_all_doubts(world: World, fault: str) -> None:
    """It stays past quiet times and waits of the vendor, and exits with 0."""
    world.box.faults.add(Fault(fault, count=8, path="addPhones"))
    with world.open(alone=True, stop=Hurried(world)) as app:
        results = run_backfill(app)
        assert worst_exit_code(list(results.values())) == 0
        assert {"in_doubt", "waiting", "unmatched"} & set(results["submit"].counts) == set()
    if fault == "short_answer":
        assert world.states() == {"accepted": LEADS - 8, "duplicate": 8}
        return
    world.assert_each_once(LEADS)
    world.assert_one_body_a_key()


def test_a_backfill_that_does_not_wait_leaves_doubts_to_the_daemon(world: World) -> None:
    """It sends all once, says with exit code 1 what is open, and passes end that later."""
    world.box.faults.add(Fault("answer_lost", count=3, path="addPhones"))
    with world.open(alone=True) as app:
        results = run_backfill(app, wait=False)
        assert results["reconcile"].counts == {"waiting": 30}
        assert worst_exit_code(list(results.values())) == 1
        assert world.states() == {"accepted": LEADS - 30, "sealed": 30}
        world.pass_time(LONG_S)
        settle(world, app)
    world.assert_each_once(LEADS)


def test_a_backfill_does_not_wait_for_what_is_never_sent_again(world: World) -> None:
    """A doubt past its key's life is told and left; the rest of the source is moved."""
    world.box.faults.add(Fault("reset", path="addPhones"))
    with world.open(alone=True) as app:
        run_backfill(app, wait=False, limit=10)
    world.pass_time(RESEND_WINDOW.total_seconds())
    with world.open(alone=True, stop=Hurried(world)) as app:
        results = run_backfill(app)
        told = results["reconcile"]
        assert told.counts.get("in_doubt", 0) + told.counts.get("waiting", 0) == 10
        assert worst_exit_code(list(results.values())) == 1
    assert world.states() == {"accepted": LEADS - 10, "sealed": 10}
    assert set(world.called().values()) == {1}


def test_a_missing_column_ends_with_the_configurations_exit_code(world: World) -> None:
    """The poll says which column; what an earlier run staged is sent all the same."""
    with world.open() as app:
        poll_all(app)
    world.write([(1, "x")], columns="id,mobile")
    with world.open(alone=True) as app:
        results = run_backfill(app)
        poll = results["poll"]
        assert (poll.outcome, poll.exit_code) == ("config", 2)
        assert "phone" in str(
            poll.error.problems if hasattr(poll.error, "problems") else poll.error
        )
        assert results["submit"].counts["answered"] == LEADS
        assert worst_exit_code(list(results.values())) == 2


def test_s9_a_source_that_is_down_is_tried_again_later(world: World) -> None:
    """No file: outcome retry, exit code 1, nothing sent."""
    (world.path / "leads.csv").unlink()
    with world.open(alone=True) as app:
        results = run_backfill(app)
    assert (results["poll"].outcome, results["poll"].exit_code) == ("retry", 1)
    assert world.sendings == []


def test_a_halt_ends_the_reading_too(world: World) -> None:
    """A stopped campaign ends the backfill with 3; what was read stays staged."""
    world.write_leads(50 * LEADS)
    with world.open(alone=True) as app:
        app.campaign("welcome").client.stop()
        results = run_backfill(app)
        assert (results["submit"].outcome, results["submit"].exit_code) == ("halted", 3)
        assert app.tools.stop.is_set()
    states = world.states()
    assert set(states) == {"staged"}
    assert states["staged"] < 50 * LEADS
    assert world.called() == {}


def test_from_and_limit_choose_what_is_moved(world: World) -> None:
    """`--from 40 --limit 25` moves leads 40 to 64, no more and no less."""
    with world.open(alone=True) as app:
        run_backfill(app, start=StartAt("40"), limit=25)
    keys = sorted(int(key) for (key,) in world.sql("SELECT key FROM leads"))
    assert keys == list(range(40, 65))
    assert len(world.box.jobs()) == 25


@pytest.mark.parametrize("seed", range(4))
def test_a_backfill_may_be_stopped_anywhere(world: World, seed: int) -> None:
    """Stops at random steps, any number of them: at the end each lead was called once."""
    dice = random.Random(seed)
    runs = 0
    while world.states().get("accepted", 0) < LEADS:
        stop = Countdown(dice.randrange(1, 60))
        with world.open(alone=True, stop=stop) as app:
            run_backfill(app)
        world.pass_time(LONG_S)
        runs += 1
        assert runs < 200
    world.assert_each_once(LEADS)
    world.assert_one_body_a_key()


class Countdown(threading.Event):
    """A stop that comes when it was looked at so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks

    def is_set(self) -> bool:
        self._looks -= 1
        if self._looks <= 0:
            self.set()
        return super().is_set()


def test_a_backfill_waits_while_the_source_is_slow(world: World) -> None:
    """The vendor asks for patience before the first record is read: no idle running in circles."""
    stop = Hurried(world)
    with world.open(alone=True, stop=stop) as app:
        app.ledger.wait_until("welcome", world.clock.now() + timedelta(seconds=900))
        results = run_backfill(app)
        assert results["submit"].counts["answered"] == LEADS
    assert stop.waits < 60


# --- submit -----------------------------------------------------------------------------------


class Together:
    """Notes how many batches are at the vendor at the same time."""

    def __init__(self, box: RunningSandbox, patch: pytest.MonkeyPatch, most: int) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0
        self._meet = threading.Barrier(most)
        real = CampaignClient.add_phones

        def counted(client: CampaignClient, *args: Any, **named: Any) -> list[str]:
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            try:
                self._meet.wait(10)
                return real(client, *args, **named)
            finally:
                with self._lock:
                    self._now -= 1

        patch.setattr(CampaignClient, "add_phones", counted)


def test_several_batches_are_in_flight(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With max_in_flight = 4 four batches meet at the vendor, never a fifth."""
    world.configure(max_in_flight=4, batch_size=5)
    together = Together(world.box, monkeypatch, 4)
    with world.open(alone=True) as app:
        poll_all(app)
        assert work(app)["submit"].counts["answered"] == LEADS
    assert together.most == 4
    world.assert_each_once(LEADS)


def test_failures_in_a_row_end_the_pass(world: World) -> None:
    """Five sendings without an answer: the rest stays staged, and is sent when the time comes."""
    world.configure(max_in_flight=1)
    world.box.faults.add(Fault("reset", count=FAILURES_IN_A_ROW_MAX, path="addPhones"))
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
        assert told.counts == {"sealed": 50, "in_doubt": 50}
        assert (told.outcome, told.exit_code) == ("done", 1)
        assert world.states() == {"sealed": 50, "staged": 50}
        world.pass_time(LONG_S)
        settle(world, app)
    world.assert_each_once(LEADS)


def test_a_success_between_two_failures_begins_the_count_anew(world: World) -> None:
    """Four failures, one answer, four failures: the pass goes on."""
    world.configure(max_in_flight=1)
    for skip in (0, 1):
        world.box.faults.add(Fault("reset", count=4, path="addPhones", skip=skip))
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
    assert told.counts == {"sealed": 100, "in_doubt": 80, "answered": 20}


def test_a_stop_between_two_batches_records_what_is_in_flight(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing new is sealed, what is under way is answered and counted, the rest stays staged."""
    with world.open(alone=True) as app:
        poll_all(app)
        real = Ledger.record_answer

        def stopping(*args: Any, **named: Any) -> Any:
            app.tools.stop.set()
            return real(*args, **named)

        monkeypatch.setattr(Ledger, "record_answer", stopping)
        told = submit.run_once(app.campaign("welcome"), app.tools)
        assert told.outcome == "stopped"
        # One that still waited for its turn does not begin any more.
        ended = told.counts["answered"] + told.counts.get("not_sent", 0)
        assert ended == told.counts["sealed"] < LEADS
        assert world.states()["accepted"] == told.counts["answered"]
        app.tools.stop.clear()
        passes = work_campaign(app.campaign("welcome"), app.tools)
        assert [told.outcome for told in passes if told.kind == "submit"] == ["stopped"]
        app.tools.stop.clear()
        monkeypatch.undo()
        settle(world, app)
    world.assert_each_once(LEADS)


def test_a_stopped_cycle_begins_no_other_pass(world: World) -> None:
    """work_campaign looks at the stop between two passes."""
    with world.open(alone=True) as app:
        assert poll.run_once(app.sync("leads"), app.tools).counts["new"] == LEADS
        app.tools.stop.set()
        assert work_campaign(app.campaign("welcome"), app.tools) == []


def test_an_overtaken_sending_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that somebody else took over is neither sent nor recorded by us."""
    monkeypatch.setattr(Ledger, "mark_sent", lambda *_args, **_named: False)
    with world.open(alone=True) as app:
        poll_all(app)
        told = work(app)["submit"]
        assert told.counts == {"sealed": LEADS, "overtaken": LEADS}
        assert world.sendings == []


@pytest.mark.parametrize("verb", ["record_answer", "record_refusal", "record_no_answer"])
def test_an_answer_that_came_too_late_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """The claim ran out while the vendor was thinking: the new claimer has the batch."""
    if verb == "record_refusal":
        world.box.turn(duplicates="error")
        monkeypatch.setattr("syncd.sandbox.campaign.SandboxCampaign.is_duplicate", lambda *_: True)
    real = CampaignClient.add_phones

    def slow(client: CampaignClient, *args: Any, **named: Any) -> list[str]:
        try:
            ids = real(client, *args, **named)
            if verb == "record_no_answer":
                what = "the answer was cut"
                raise InDoubt(what)
            return ids
        finally:
            world.clock.set(world.clock.now() + timedelta(minutes=11))
            app.ledger.claim_open_batch("welcome", after_id=0, now=world.clock.now())

    world.configure(batch_size=LEADS)
    with world.open(alone=True) as app:
        poll_all(app)
        monkeypatch.setattr(CampaignClient, "add_phones", slow)
        told = submit.run_once(app.campaign("welcome"), app.tools)
        assert told.counts == {"sealed": LEADS, "overtaken": LEADS}
        assert world.states() == {"sealed": LEADS}
