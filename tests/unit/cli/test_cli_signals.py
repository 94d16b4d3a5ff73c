"""A signal becomes a stop, wherever in the program it comes."""

from __future__ import annotations

import os
import queue
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
    told = signal.set_wakeup_fd(-1)
    os.close(told)  # ends its thread
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_sets_the_stop(signals: Signals, number: signal.Signals, code: int) -> None:
    """The stop is set soon, and the exit code names the signal."""
    signal.raise_signal(number)
    assert signals.stop.wait(PATIENCE_S)
    assert signals.received == number
    assert signals.exit_code(0) == code


def test_a_signal_is_heard_while_the_main_thread_is_in_no_python(signals: Signals) -> None:
    """Neither the Event's own lock nor a main thread that never returns to Python holds it up.

    The signal's number in the pipe is all that a signal leaves when it arrives between the last
    look of the main thread and its endless wait.
    """
    told = signal.set_wakeup_fd(-1)
    os.write(told, bytes([signal.SIGTERM]))
    assert signals.stop.wait(PATIENCE_S)
    assert signals.received == signal.SIGTERM
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)


def test_c4_a_second_signal_ends_at_once(signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for anything, and gives the code of that signal."""
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    monkeypatch.setattr(os, "_exit", ended.put)
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)
    assert ended.get(timeout=PATIENCE_S) == 130


def test_another_signal_ends_nothing(signals: Signals) -> None:
    """A signal with a handler of its own writes to the same pipe, and stops nobody."""
    signals._take(signal.SIGCHLD)
    assert not signals.stop.is_set()


def test_without_a_signal_the_code_stays(signals: Signals) -> None:
    """The work's own exit code is given when nobody ended it."""
    assert signals.exit_code(1) == 1
    assert not signals.stop.is_set()
