"""The token bucket: bursts, turns, and the stop."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from syncd.campaign.pace import Pace
from syncd.clock import ManualClock

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def pace_and_clock(rate: float, burst: int | None = None) -> tuple[Pace, ManualClock]:
    clock = ManualClock(START)
    return Pace(rate, burst=burst, clock=clock), clock


def turns(pace: Pace, count: int) -> list[float]:
    return [round(pace.take_turn_s(), 4) for _ in range(count)]


def test_a_burst_of_one_second_is_free() -> None:
    """Ten at once, and from then on one each tenth of a second."""
    pace, _ = pace_and_clock(10)
    assert turns(pace, 13) == [0.0] * 10 + [0.1, 0.2, 0.3]


def test_a_slow_pace_has_a_burst_of_one() -> None:
    """One request in two seconds is one request in two seconds."""
    pace, clock = pace_and_clock(0.5)
    assert turns(pace, 3) == [0.0, 2.0, 4.0]
    clock.set(START + timedelta(seconds=6))
    assert turns(pace, 2) == [0.0, 2.0]


def test_an_idle_bucket_fills_to_its_burst_and_no_further() -> None:
    """A night without work is no reason for a flood."""
    pace, clock = pace_and_clock(10, burst=3)
    assert turns(pace, 4) == [0.0, 0.0, 0.0, 0.1]
    clock.set(START + timedelta(hours=8))
    assert turns(pace, 5) == [0.0, 0.0, 0.0, 0.1, 0.2]


def test_never_more_than_the_rate_over_any_time() -> None:
    """Sent times, taken one after another, keep the rate after the burst."""
    pace, clock = pace_and_clock(5, burst=2)
    sent: list[float] = []
    for step in range(200):
        clock.set(START + timedelta(milliseconds=37 * step))
        sent.append(0.037 * step + pace.take_turn_s())
    gaps = [later - earlier for earlier, later in zip(sent, sent[2:], strict=False)]
    assert min(gaps) >= 0.2 - 1e-6


def test_a_clock_that_steps_back_adds_no_turns() -> None:
    """The bucket is as empty as it was."""
    pace, clock = pace_and_clock(1)
    assert turns(pace, 1) == [0.0]
    clock.set(START - timedelta(seconds=5))
    assert pace.take_turn_s() == pytest.approx(1.0)


def test_waiting_ends_with_the_stop() -> None:
    """A stop ends the wait at once, and a set stop lets nothing through."""
    pace = Pace(0.001)
    stop = threading.Event()
    assert pace.wait(stop)
    threading.Timer(0.02, stop.set).start()
    assert not pace.wait(stop)
    assert not Pace(1).wait(stop)


def test_waiting_lasts_as_long_as_the_turn() -> None:
    """The second request of a burst of one goes out after its interval."""
    pace = Pace(100, burst=1)
    stop = threading.Event()
    assert [pace.wait(stop) for _ in range(4)] == [True] * 4


def test_threads_get_turns_of_their_own() -> None:
    """No two callers share one, whoever comes when."""
    pace, _ = pace_and_clock(10, burst=1)
    seen: list[float] = []
    threads = [threading.Thread(target=lambda: seen.extend(turns(pace, 50))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(seen) == [round(each / 10, 4) for each in range(400)]


@pytest.mark.parametrize(("rate", "burst"), [(0, None), (-1, None), (1, 0)])
def test_a_pace_of_nothing_is_a_bug(rate: float, burst: int | None) -> None:
    """It would wait forever."""
    with pytest.raises(AssertionError):
        Pace(rate, burst=burst)
