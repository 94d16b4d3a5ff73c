"""A holding: renewed while it lives, and what it does when the ledger cannot be asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.clock import ManualClock, Moment
from syncd.engine.holding import NOTHING_HELD, LeasedHolding
from syncd.errors import HeldElsewhere, LedgerError, Transient
from syncd.ledger.leases import Leases
from syncd.ledger.ledger import Ledger
from tests.ledgers import new_ledger, sqlite_url
from tests.running import eventually

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIFE = timedelta(seconds=60)
NAME = "sync:crm"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger whose clock is the test's: SQLite takes the caller's time."""
    opened = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    yield opened
    opened.close()


def daemon(ledger: Ledger, clock: ManualClock, *, life: timedelta = LIFE) -> LeasedHolding:
    holding = LeasedHolding(ledger, clock, threading.Event(), life=life)
    holding.stay()
    return holding


def later(clock: ManualClock, span: timedelta) -> None:
    clock.set(clock.now() + span)


def test_a_dead_instances_work_is_taken_over_after_its_lease(
    ledger: Ledger, clock: ManualClock
) -> None:
    """A second short of it nobody gets it; then the next one does, and the old one no more."""
    dead, heir = daemon(ledger, clock), daemon(ledger, clock)
    with dead.held(NAME):
        later(clock, timedelta(seconds=59))
        with pytest.raises(HeldElsewhere), heir.held(NAME):
            pass
        later(clock, timedelta(seconds=1))
        with heir.held(NAME) as lease:
            assert lease is not None
            assert lease.epoch == 2
    with pytest.raises(HeldElsewhere, match='sync "crm"'), dead.held(NAME):
        pass


def test_a_beat_keeps_a_lease(ledger: Ledger, clock: ManualClock) -> None:
    """Who is heard of in time keeps what it has, however long a pass takes."""
    one, two = daemon(ledger, clock), daemon(ledger, clock)
    with one.held(NAME):
        for _ in range(5):
            later(clock, timedelta(seconds=50))
            one.beat()
        with pytest.raises(HeldElsewhere), two.held(NAME):
            pass


def test_two_passes_of_one_instance_share_a_lease(ledger: Ledger, clock: ManualClock) -> None:
    """Reconcile and pull_reports of a campaign work at once; the lease is busy until both end."""
    holding = daemon(ledger, clock)
    with holding.held(NAME) as first:
        with holding.held(NAME) as second:
            assert first == second
        (row,) = ledger.leases.held(now=clock.now())
        assert row.busy
    (row,) = ledger.leases.held(now=clock.now())
    assert not row.busy


def test_a_missed_beat_is_survived(
    ledger: Ledger, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that cannot be asked ends neither the heartbeat nor a pass; an end tells nobody."""
    holding = daemon(ledger, clock)

    def lost(*_args: Any, **_named: Any) -> None:
        raise Transient("the connection was lost")

    with holding.held(NAME):
        for verb in ("beat", "rest", "release", "sign_off"):
            monkeypatch.setattr(Leases, verb, lost)
        holding.beat()
    holding.close()
    holding.close()


def test_the_heartbeat_renews_by_itself(ledger: Ledger, clock: ManualClock) -> None:
    """From its own thread, three times a lease."""
    holding = daemon(ledger, clock, life=timedelta(seconds=0.06))
    holding.start()
    later(clock, LIFE)
    eventually(
        lambda: ledger.leases.instances(now=clock.now())[0].silent_s == 0,
        "the instance is heard of",
    )
    holding.close()
    assert ledger.leases.instances(now=clock.now()) == []


def test_a_command_that_is_stopped_waits_no_more(ledger: Ledger, clock: ManualClock) -> None:
    """A stop ends the wait for a busy instance at once."""
    stop = threading.Event()
    stop.set()
    command = LeasedHolding(ledger, clock, stop)
    with daemon(ledger, clock).held(NAME), pytest.raises(HeldElsewhere), command.held(NAME):
        pass


def test_a_process_without_passes_holds_nothing() -> None:
    """No lease is needed, nobody is beside it, and there is nothing to let go of."""
    NOTHING_HELD.stay()
    with NOTHING_HELD.held(NAME) as lease:
        assert lease is None
    NOTHING_HELD.close()
    assert not NOTHING_HELD.several


def test_an_instance_cannot_sign_on_without_a_ledger(
    ledger: Ledger, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start a failure is told, not survived."""

    def lost(*_args: Any, **_named: Any) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(Leases, "beat", lost)
    with pytest.raises(LedgerError):
        LeasedHolding(ledger, clock, threading.Event())


def test_who_may_be_taken_for_dead_sends_nothing(ledger: Ledger, clock: ManualClock) -> None:
    """Well before the end of its lease; and a silence that is over counts for what began before."""
    holding = daemon(ledger, clock)
    begun = Moment.of(clock)
    later(clock, timedelta(seconds=47))
    assert holding.heard_since(begun)
    later(clock, timedelta(seconds=1))
    assert not holding.heard_since(begun)
    holding.beat()
    assert holding.heard_since(begun)
    later(clock, timedelta(seconds=60))
    holding.beat()
    assert not holding.heard_since(begun)
    assert holding.heard_since(Moment.of(clock))


def test_an_instance_is_heard_before_it_sends(ledger: Ledger, clock: ManualClock) -> None:
    """Not at each sending: when half a lease has passed without a beat."""
    holding = daemon(ledger, clock)
    (before,) = ledger.leases.instances(now=clock.now())
    later(clock, timedelta(seconds=29))
    holding.be_heard()
    (same,) = ledger.leases.instances(now=clock.now())
    assert same.seen_at == before.seen_at
    later(clock, timedelta(seconds=1))
    holding.be_heard()
    (heard,) = ledger.leases.instances(now=clock.now())
    assert heard.seen_at == clock.now()
