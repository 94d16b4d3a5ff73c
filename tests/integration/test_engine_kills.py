"""Death before and after every step: each lead still ends with one call, and none is lost.

A step is a verb of the ledger or a request. The death is a BaseException that nothing catches; the
next life opens the same ledger anew, as after kill -9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.campaign import wire
from syncd.campaign.client import CampaignClient
from syncd.core.mapping import Mapper
from syncd.engine import pull_reports
from syncd.errors import Unsupported
from syncd.ledger.ledger import Ledger
from syncd.observe import steps
from syncd.sandbox.faults import Fault
from tests.worlds import LONG_S, World, new_world, poll_all, refuse, run_backfill, settle, work

LEADS = 12
STEPS: dict[str, tuple[type, str]] = {
    "store_page": (Ledger, "store_page"),
    "finish_poll": (Ledger, "finish_poll"),
    "seal_batch": (Ledger, "seal_batch"),
    "mark_sent": (Ledger, "mark_sent"),
    "check_file": (Ledger, "check_file"),
    "add_phones": (CampaignClient, "add_phones"),
    "record_answer": (Ledger, "record_answer"),
    "record_refusal": (Ledger, "record_refusal"),
    "record_no_answer": (Ledger, "record_no_answer"),
    "claim_open_batch": (Ledger, "claim_open_batch"),
    "match_answer": (Ledger, "match_answer"),
    "begin_pass": (Ledger, "begin_pass"),
    "finish_pass": (Ledger, "finish_pass"),
    "batches_due": (Ledger, "batches_due"),
    "store_reports": (Ledger, "store_reports"),
    "batch_asked": (Ledger, "batch_asked"),
    "store_attempts": (Ledger, "store_attempts"),
    "set_walked_to": (Ledger, "set_walked_to"),
}
PULL = ("batches_due", "store_reports", "batch_asked", "store_attempts", "set_walked_to")
#: What has to go wrong so that the step is reached at all.
TROUBLE = {
    "record_no_answer": "answer_lost",
    "claim_open_batch": "answer_lost",
    "match_answer": "short_answer",
}


class Killed(BaseException):
    """The end of a process, as far as Python can play it."""


class Axe:
    """Ends the process at the so-many-th call of one step; then the step works again."""

    def __init__(self, patch: pytest.MonkeyPatch, step: str, when: str, hit: int) -> None:
        owner, name = STEPS[step]
        self._real: Callable[..., Any] = getattr(owner, name)
        self._when = when
        self._hits_left = hit
        self.fell = False

        def struck(*args: Any, **named: Any) -> Any:
            return self._strike(args, named)

        patch.setattr(owner, name, struck)

    def _strike(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self._hits_left -= 1
        falls = self._hits_left == 0
        if falls and self._when == "before":
            self.fell = True
            raise Killed
        result = self._real(*args, **named)
        if falls:
            self.fell = True
            raise Killed
        return result


def lacking(*_args: Any, **_named: Any) -> Any:
    """An installation without reports by date."""
    message = "no such method"
    raise Unsupported(message)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """12 leads in batches of 4."""
    with new_world(tmp_path, batch_size=4) as made:
        made.write_leads(LEADS)
        yield made


def lives(world: World, live: Callable[[App], object], *, most: int = 3) -> int:
    """Live until a life ends by itself; how many it took."""
    for life in range(1, most + 1):
        with world.open(alone=True) as app:
            try:
                live(app)
            except Killed:
                world.pass_time(LONG_S)
                continue
            return life
    message = "every life was taken"
    raise AssertionError(message)


@pytest.mark.parametrize("hit", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", sorted(set(STEPS) - {"record_refusal", *PULL}))
def test_c2_a_kill_at_any_step_costs_no_call_and_makes_none(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, when: str, hit: int
) -> None:
    """Killed before or after a step, at its first or second time: each lead has one call."""
    if step in TROUBLE:
        world.box.faults.add(Fault(TROUBLE[step], count=2, path="addPhones"))
    axe = Axe(monkeypatch, step, when, hit)

    def live(app: App) -> None:
        poll_all(app)
        settle(world, app)

    lived = lives(world, live)
    # The export is one page, and one poll takes it: these two steps come once.
    assert axe.fell or (step in {"store_page", "finish_poll"} and hit > 1)
    assert lived == 1 + axe.fell
    world.assert_one_body_a_key()
    if step == "match_answer":
        assert world.states() == {"accepted": LEADS - 2, "duplicate": 2}
        assert sorted(world.called().values()) == [1] * LEADS
        return
    assert world.states() == {"accepted": LEADS}
    world.assert_each_once(LEADS)


@pytest.mark.parametrize("when", ["before", "after"])
def test_c2_a_kill_while_a_refusal_is_recorded_calls_nobody_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """A refusal whose record was killed is a doubt; it ends without a second call of anybody."""
    world.write([(n, f"+1201555010{n}", "x") for n in range(4)])
    refuse(world, monkeypatch, "phone.bad.format", phone="12015550102")
    axe = Axe(monkeypatch, "record_refusal", when, 1)

    def live(app: App) -> None:
        poll_all(app)
        for _ in range(4):
            work(app)
            world.pass_time(LONG_S)

    assert lives(world, live) == 2
    assert axe.fell
    if when == "after":
        assert world.states() == {"closed": 3, "refused": 1}
        assert sorted(world.called()) == ["12015550100", "12015550101", "12015550103"]
    else:
        # Nobody can know what the first sending did: law 1 lets only a look-up end it.
        assert world.states() == {"sealed": 4}
    assert all(calls == 1 for calls in world.called().values())


def test_a_new_life_keeps_the_quiet_time_of_the_old_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at the vendor's door and started again at once: nothing is sent for two minutes."""
    Axe(monkeypatch, "add_phones", "after", 1)
    with world.open(alone=True) as app:
        poll_all(app)
        with pytest.raises(Killed):
            work(app)
    monkeypatch.undo()
    sent = {sending.key for sending in world.sendings}
    with world.open(alone=True) as app:
        told = work(app)["reconcile"]
        assert told.counts["in_doubt"] == 4
        again = [sending.key for sending in world.sendings[1:]]
        assert world.sendings[0].key not in again
        assert len(sent) <= 2, "two may be in flight"
        world.pass_time(LONG_S)
        settle(world, app)
    world.assert_each_once(LEADS)


def test_c5_a_hundred_crashes_in_a_row_hammer_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started again at once and killed at each answer: a batch goes once in its quiet time."""

    def at_each_answer(step: str, when: str) -> None:
        if (step, when) == ("batch.send", "after"):
            raise Killed

    monkeypatch.setattr(steps, "hook", at_each_answer)
    for _ in range(100):
        with world.open(alone=True) as app, suppress(Killed):
            poll_all(app)
            work(app)
        world.pass_time(1)
    at: dict[str, list[datetime]] = {}
    for sending in world.sendings:
        at.setdefault(sending.key, []).append(sending.at)
    assert len(at) == LEADS / 4
    assert [len(times) for times in at.values()] == [1, 1, 1]
    monkeypatch.undo()
    world.pass_time(LONG_S)
    with world.open(alone=True) as app:
        settle(world, app)
    world.assert_each_once(LEADS)
    world.assert_one_body_a_key()


@pytest.mark.parametrize("what", ["mapping", "report"])
def test_c6_memory_that_runs_out_is_a_crash_like_others(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The pass ends as a bug, at the third record or report; the next life does all of it."""
    owner, name = {"mapping": (Mapper, "map"), "report": (wire, "read_job_page")}[what]
    real, calls = getattr(owner, name), []

    def starved(*args: Any, **named: Any) -> Any:
        calls.append(name)
        if len(calls) == (3 if what == "mapping" else 1):
            raise MemoryError
        return real(*args, **named)

    def live(app: App) -> None:
        poll_all(app)
        settle(world, app)
        world.pass_time(2 * 86_400)
        work(app)

    with monkeypatch.context() as patch, world.open(alone=True) as app:
        patch.setattr(owner, name, starved)
        with pytest.raises(MemoryError):
            live(app)
    with world.open(alone=True) as app:
        live(app)
    world.assert_each_once(LEADS)
    assert world.states() == {"closed": LEADS}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", PULL)
def test_c2_a_kill_while_reports_are_pulled_loses_no_outcome(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    """The next pass brings every outcome and every attempt."""
    if step == "batch_asked":
        monkeypatch.setattr(CampaignClient, "job_reports_by_date", lacking)
    with world.open(alone=True) as app:
        poll_all(app)
        settle(world, app)
    world.pass_time(2 * 86_400)
    axe = Axe(monkeypatch, step, when, 1)
    lived = lives(world, lambda app: pull_reports.run_once(app.campaign("welcome"), app.tools))
    assert (axe.fell, lived) == (True, 2)
    assert world.states() == {"closed": LEADS}
    attempts = world.sql("SELECT count(*) FROM attempts")[0][0]
    assert attempts == len(world.box.calls())


@pytest.mark.parametrize("step", ["seal_batch", "mark_sent", "add_phones", "record_answer"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_backfill_starts_again(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    """Whatever it was doing beside its reading, the next backfill does it all."""
    axe = Axe(monkeypatch, step, when, 2)
    with world.open(alone=True) as app, pytest.raises(Killed):
        run_backfill(app)
    assert axe.fell
    world.pass_time(LONG_S)
    with world.open(alone=True) as app:
        run_backfill(app)
    world.assert_each_once(LEADS)
    world.assert_one_body_a_key()
