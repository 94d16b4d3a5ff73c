"""The last look before the first byte: a claim that is about to end sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.campaign import transport
from syncd.clock import ManualClock, to_ms
from syncd.engine import reconcile, submit
from syncd.ledger.moves import By
from tests.worlds import LONG_S, World, new_world, poll_all

MINUTE = timedelta(minutes=1)


def suspended(patch: pytest.MonkeyPatch, sleep: Callable[[], None]) -> None:
    """The machine sleeps between the committed intent and the request, once."""
    exchange = transport.Transport.exchange
    slept: list[bool] = []

    def late(self: transport.Transport, *more: Any) -> Any:
        if not slept:
            slept.append(True)
            sleep()
        return exchange(self, *more)

    patch.setattr(transport.Transport, "exchange", late)


def batches_at_the_vendor(world: World) -> int:
    return len(world.box.jobs())


@pytest.mark.parametrize("minutes", [9, 26 * 60])
def test_c7_a_sender_that_was_suspended_sends_nothing(tmp_path: Path, minutes: int) -> None:
    """C7: after nine minutes another instance may soon have the batch: 0 bytes, and later once."""
    with new_world(tmp_path) as world, world.open(alone=True) as app:
        world.write_leads(5)
        poll_all(app)
        with pytest.MonkeyPatch.context() as patch:
            suspended(patch, lambda: world.pass_time(minutes * 60))
            told = submit.run_once(app.campaign("welcome"), app.tools)
        assert told.counts["not_sent"] == 5
        assert batches_at_the_vendor(world) == 0
        world.pass_time(LONG_S)
        reconcile.run_once(app.campaign("welcome"), app.tools)
        submit.run_once(app.campaign("welcome"), app.tools)
        world.assert_each_once(5)


def test_k1_a_calendar_that_stands_still_hides_no_suspension(tmp_path: Path) -> None:
    """K1: the clock that counts more is believed, so a calendar set back sends nothing late."""
    with new_world(tmp_path) as world, pytest.MonkeyPatch.context() as patch:
        world.write_leads(5)
        boot = {"s": 0.0}
        patch.setattr(ManualClock, "boot_s", lambda _self: boot["s"])
        with world.open(alone=True) as app:
            poll_all(app)
            suspended(patch, lambda: boot.update(s=600.0))
            told = submit.run_once(app.campaign("welcome"), app.tools)
        assert told.counts["not_sent"] == 5
        assert batches_at_the_vendor(world) == 0


def test_a_claim_in_its_first_minutes_is_used(tmp_path: Path) -> None:
    """A wait of eight minutes, such as for a turn, is no reason to give up."""
    with new_world(tmp_path) as world, world.open(alone=True) as app:
        world.write_leads(5)
        poll_all(app)
        with pytest.MonkeyPatch.context() as patch:
            suspended(patch, lambda: world.clock.set(world.clock.now() + 8 * MINUTE))
            told = submit.run_once(app.campaign("welcome"), app.tools)
        assert told.counts["answered"] == 5
        world.assert_each_once(5)


def test_nothing_is_sent_while_a_recovery_is_required(tmp_path: Path) -> None:
    """With the mark in the ledger submit and reconcile are held, and go on after its end."""
    with new_world(tmp_path) as world, world.open(alone=True) as app:
        world.write_leads(5)
        poll_all(app)
        campaign = app.campaign("welcome")
        by = signed(app)
        app.ledger.require_recovery("a backup was put back", by=by)
        for pass_ in (submit, reconcile):
            told = pass_.run_once(campaign, app.tools)
            assert told.outcome == "halted"
            assert "a backup was put back" in str(told.error)
        assert batches_at_the_vendor(world) == 0
        assert app.ledger.end_recovery(by=by)
        assert not app.ledger.end_recovery(by=by)
        assert submit.run_once(campaign, app.tools).counts["answered"] == 5


def test_a_recovery_that_is_required_meanwhile_stops_the_intent(tmp_path: Path) -> None:
    """A pass that had begun before the mark commits no intent, so nothing leaves."""
    with new_world(tmp_path) as world, world.open(alone=True) as app:
        world.write_leads(5)
        poll_all(app)
        real = type(app.ledger).seal_batch

        def then_lost(ledger: Any, *args: Any, **named: Any) -> Any:
            batch = real(ledger, *args, **named)
            ledger.require_recovery("the server was replaced", by=named["by"])
            return batch

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(app.ledger), "seal_batch", then_lost)
            told = submit.run_once(app.campaign("welcome"), app.tools)
        assert "answered" not in told.counts
        assert batches_at_the_vendor(world) == 0


def signed(app: App) -> By:
    """A signature, as of a person's command."""
    return By("cli:recover", to_ms(app.tools.clock.now()))
