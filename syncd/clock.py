"""Time as a value: the present, and seconds to measure with.

The ledger's verbs and the core take `now` as an argument; a pass asks its `Clock` at each step.
Nothing else of ours asks the calendar; the sandbox has a clock of its own. Monotonic seconds, which
measure waits and durations, are the clock's too, or `time.monotonic` where no clock is at hand.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Gives the present instant; passes ask it, and hand it on as `now`."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds for measuring durations; no relation to the calendar."""
        ...

    def boot_s(self) -> float:
        """The same, but they go on while the machine is suspended."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks the calendar

    def monotonic_s(self) -> float:
        return time.monotonic()

    def boot_s(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class ManualClock:
    """A clock that moves only when told to; for tests and simulations.

    Like a machine's it may be set back, and what it counts since the start never runs back.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._counted_s = start.timestamp()

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._counted_s

    def boot_s(self) -> float:
        return self._counted_s

    def set(self, now: datetime) -> None:
        self._counted_s += max(0.0, (now - self._now).total_seconds())
        self._now = now


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant by two clocks, to ask later how long ago it was."""

    at: datetime
    boot_s: float

    @classmethod
    def of(cls, clock: Clock) -> Moment:
        """The present."""
        return cls(clock.now(), clock.boot_s())

    def elapsed_s(self, clock: Clock) -> float:
        """Seconds since then by the clock that counts more.

        One of them may have been set back, or have stood still while the machine was suspended.
        """
        wall_s = (clock.now() - self.at).total_seconds()
        return max(wall_s, clock.boot_s() - self.boot_s)


def to_operator(at: datetime) -> datetime:
    """The instant as this machine's own clock shows it: the operator's time, which has a name."""
    return at.astimezone()


def to_ms(at: datetime) -> int:
    """Unix milliseconds of an aware instant: the form in which the ledger keeps time."""
    assert at.tzinfo is not None, "a naive datetime has no instant"
    return int(at.timestamp() * 1000)


def to_ms_or_none(at: datetime | None) -> int | None:
    """The same of an instant that may be missing."""
    return None if at is None else to_ms(at)


def from_ms(ms: int) -> datetime:
    """The aware UTC instant of Unix milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC)
