"""The scheduler calls on time, never twice at once, and ends when told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.clock import ManualClock, SystemClock
from syncd.daemon.scheduler import OVERRUN_S, Scheduler
from tests.unit.daemon.conftest import Lines

PATIENCE_S = 20.0
HOUR = timedelta(hours=1)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """Not started; drained at the end."""
    made = Scheduler(SystemClock(), polls=2, campaigns=2)
    yield made
    if made._apscheduler.running:
        made.drain(PATIENCE_S)


def trigger(scheduler: Scheduler, name: str) -> Any:
    """What decides when `name` is called."""
    return scheduler._apscheduler.get_job(name).trigger


def nothing() -> None:
    """A pass with nothing to do."""


def test_an_interval_begins_at_once_and_goes_on(scheduler: Scheduler) -> None:
    """The first call does not wait for the interval; a second follows."""
    calls = threading.Semaphore(0)
    scheduler.every("poll a", calls.release, timedelta(seconds=0.05), pool="polls")
    scheduler.start()
    assert calls.acquire(timeout=PATIENCE_S)
    assert calls.acquire(timeout=PATIENCE_S)


def test_jitter_varies_an_interval_by_a_tenth(scheduler: Scheduler) -> None:
    """The next call comes 95 to 105 % of the interval later, so the mean is the interval."""
    scheduler.every("poll a", nothing, HOUR, pool="polls")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    waits = {trigger(scheduler, "poll a").get_next_fire_time(at, at) - at for _ in range(50)}
    assert len(waits) > 1
    assert min(waits) >= 0.95 * HOUR
    assert max(waits) <= 1.05 * HOUR


def test_cron_is_meant_in_its_zone(scheduler: Scheduler) -> None:
    """Nine o'clock in Berlin is eight in UTC in winter, and seven in summer."""
    scheduler.cron("poll a", nothing, "0 9 * * mon", time_zone="Europe/Berlin", pool="polls")
    winter = datetime(2026, 1, 1, tzinfo=UTC)
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    fire = trigger(scheduler, "poll a").get_next_fire_time
    assert fire(None, winter).astimezone(UTC) == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert fire(None, summer).astimezone(UTC) == datetime(2026, 7, 6, 7, tzinfo=UTC)


BERLIN_CLOCKS = [
    # Clocks go forward on 29 March at 01:00 UTC, and back on 25 October at 01:00 UTC.
    ("0 9 * * *", "2026-03-28 12:00", ["03-29 07:00", "03-30 07:00"]),
    ("0 9 * * *", "2026-10-24 12:00", ["10-25 08:00", "10-26 08:00"]),
    ("30 2 * * *", "2026-03-28 12:00", ["03-29 01:30", "03-30 00:30"]),
    ("30 2 * * *", "2026-10-24 12:00", ["10-25 00:30", "10-25 01:30", "10-26 01:30"]),
    ("*/30 * * * *", "2026-03-29 00:20", ["03-29 00:30", "03-29 01:00", "03-29 01:30"]),
    ("*/30 * * * *", "2026-10-25 00:20", ["10-25 00:30", "10-25 01:00", "10-25 01:30"]),
    ("*/10 9-18 * * mon-fri", "2026-03-27 17:45", ["03-27 17:50", "03-30 07:00", "03-30 07:10"]),
]


@pytest.mark.parametrize(("expression", "start", "fires"), BERLIN_CLOCKS)
def test_cron_goes_on_when_clocks_change(
    scheduler: Scheduler, expression: str, start: str, fires: list[str]
) -> None:
    """Times in UTC: an hour that is skipped loses no look at the source, one that repeats adds one.

    To look once more is harmless: what is known is not taken twice.
    """
    scheduler.cron("poll a", nothing, expression, time_zone="Europe/Berlin", pool="polls")
    now = datetime.fromisoformat(f"{start}+00:00")
    before, seen = None, []
    for _ in fires:
        before = trigger(scheduler, "poll a").get_next_fire_time(before, now)
        now = before.astimezone(UTC) + timedelta(microseconds=1)
        seen.append(f"{before.astimezone(UTC):%m-%d %H:%M}")
    assert seen == fires


def test_soon_calls_ahead_of_time(scheduler: Scheduler) -> None:
    """A pass that is due in an hour is called now; a name that is not there is let be."""
    calls = threading.Semaphore(0)
    scheduler.every("submit a", calls.release, HOUR, pool="campaigns")
    scheduler.start()
    assert calls.acquire(timeout=PATIENCE_S)
    scheduler.soon("submit a")
    assert calls.acquire(timeout=PATIENCE_S)
    scheduler.soon("submit b")


def test_a_pass_never_runs_beside_itself(scheduler: Scheduler, lines: Lines) -> None:
    """While one call is at work the next is left out, and a debug line says so; no other does."""
    begun, go_on = threading.Event(), threading.Event()
    calls: list[int] = []

    def slow() -> None:
        calls.append(1)
        begun.set()
        go_on.wait(PATIENCE_S)

    seen = threading.Event()
    scheduler._apscheduler.add_listener(lambda _event: seen.set(), 1 << 16)
    scheduler.every("poll a", slow, timedelta(seconds=0.05), pool="polls")
    scheduler.start()
    assert begun.wait(PATIENCE_S)
    assert seen.wait(PATIENCE_S)
    assert calls == [1]
    go_on.set()
    assert scheduler.drain(PATIENCE_S)
    told = {(line["event"], line["level"], line["kind"], line["target"]) for line in lines()}
    assert told == {("pass.overlapped", "debug", "poll", "a")}


def test_drain_waits_for_what_runs(scheduler: Scheduler) -> None:
    """A drain that is asked for while a pass runs ends after that pass, even if it asks `soon`."""
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(PATIENCE_S)
        scheduler.soon("submit a")
        ended.set()

    scheduler.every("submit a", nothing, HOUR, pool="campaigns")
    scheduler.every("poll a", slow, HOUR, pool="polls")
    scheduler.start()
    assert begun.wait(PATIENCE_S)
    assert scheduler.drain(0.01) is False
    drained: list[bool] = []
    draining = threading.Thread(target=lambda: drained.append(scheduler.drain(PATIENCE_S)))
    draining.start()
    go_on.set()
    draining.join(PATIENCE_S)
    assert drained == [True]
    assert ended.is_set()


def test_g4_a_hanging_poll_takes_no_thread_of_a_campaign(scheduler: Scheduler) -> None:
    """With every thread of the polls stuck, the passes of campaigns go on."""
    go_on, submitted = threading.Event(), threading.Semaphore(0)
    for name in ("poll a", "poll b", "poll c"):
        scheduler.every(name, lambda: go_on.wait(PATIENCE_S) and None, HOUR, pool="polls")
    scheduler.every("submit a", submitted.release, timedelta(seconds=0.05), pool="campaigns")
    scheduler.start()
    assert submitted.acquire(timeout=PATIENCE_S)
    assert submitted.acquire(timeout=PATIENCE_S)
    go_on.set()


def test_g4_a_pass_that_hangs_is_told_once(clock: ManualClock, lines: Lines) -> None:
    """At work for longer than a quarter of an hour: one warning, however often it is due."""
    clock.set(datetime.now(UTC))  # the library compares it with the machine's
    watched = Scheduler(clock, polls=1, campaigns=1)
    begun, go_on, skipped = threading.Event(), threading.Event(), threading.Semaphore(0)

    def hangs() -> None:
        begun.set()
        go_on.wait(PATIENCE_S)

    watched._apscheduler.add_listener(lambda _event: skipped.release(), 1 << 16)
    watched.every("poll a", hangs, timedelta(seconds=0.05), pool="polls")
    watched.start()
    assert begun.wait(PATIENCE_S)
    assert skipped.acquire(timeout=PATIENCE_S)
    clock.set(clock.now() + timedelta(seconds=OVERRUN_S + 1))
    for _ in range(3):  # one may have been under way
        assert skipped.acquire(timeout=PATIENCE_S)
    go_on.set()
    assert watched.drain(PATIENCE_S)
    told = [line for line in lines() if line["event"] == "pass.overran"]
    assert [(line["level"], line["target"]) for line in told] == [("warning", "a")]
