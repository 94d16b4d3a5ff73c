"""A signal becomes a stop, wherever in the program it comes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from syncd.cli.common import Signals

PATIENCE_S = 20.0


@pytest.fixture
def signals() -> Iterator[Signals]:
    """Installed; the test runner's own handlers come back at the end."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    made = Signals()
    made.install()
    yield made
    made._asked.put(0)  # lets its thread end where no signal came
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_sets_the_stop(signals: Signals, number: signal.Signals, code: int) -> None:
    """The stop is set soon, and the exit code names the signal."""
    signal.raise_signal(number)
    assert signals.stop.wait(PATIENCE_S)
    assert signals.received == number
    assert signals.exit_code(0) == code


def test_a_signal_inside_the_events_own_lock_holds_nothing(signals: Signals) -> None:
    """The handler may interrupt `stop.wait` anywhere: it must not want the Event's lock itself."""
    with signals.stop._cond:
        signal.raise_signal(signal.SIGTERM)
    assert signals.stop.wait(PATIENCE_S)


def test_a_second_signal_ends_at_once(signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for anything, and gives the code of that signal."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)
    assert ended == [130]


def test_without_a_signal_the_code_stays(signals: Signals) -> None:
    """The work's own exit code is given when nobody ended it."""
    assert signals.exit_code(1) == 1
    assert not signals.stop.is_set()
