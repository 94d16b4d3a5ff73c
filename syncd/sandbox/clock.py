"""The sandbox's own time: runs at a speed, stands still, or is moved by hand.

Owns the virtual clock. It must never run backwards: a dialled call cannot be undone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_SPEED = 1_000_000.0
MAX_ADVANCE_S = 3660 * 24 * 3600.0
"""Ten years in one move are enough, and keep every date inside the calendar."""


class Anchor(NamedTuple):
    """Virtual time is `virtual_ms` at the real instant `real_s`, and runs `speed` times as fast."""

    virtual_ms: int
    real_s: float
    speed: float


class VirtualClock:
    """Unix milliseconds of the virtual world.

    `start_ms` None starts at the real present. `speed` 0 stands still until moved by hand.
    `real_s` gives real seconds since the Unix epoch; tests pass their own.
    """

    def __init__(
        self,
        start_ms: int | None = None,
        speed: float = 1.0,
        real_s: Callable[[], float] = time.time,
    ) -> None:
        self._real_s = real_s
        real = real_s()
        self._anchor = Anchor(int(real * 1000) if start_ms is None else start_ms, real, speed)
        self._latest_ms = self._anchor.virtual_ms

    @property
    def anchor(self) -> Anchor:
        """Where the clock stands; a later process continues from it as if it had never stopped."""
        return self._anchor

    def now_ms(self) -> int:
        """The virtual present; it never goes back, even when the real clock is set back."""
        virtual_ms, real_s, speed = self._anchor
        if speed:
            virtual_ms += int((self._real_s() - real_s) * 1000 * speed)
        self._latest_ms = max(self._latest_ms, virtual_ms)
        return self._latest_ms

    def advance(self, seconds: float) -> None:
        """Jumps forward; from there the clock runs on at its speed."""
        assert 0 <= seconds <= MAX_ADVANCE_S, "the clock moves forward, and not out of the calendar"
        self._move(self.now_ms() + round(seconds * 1000), self._anchor.speed)

    def set_speed(self, speed: float) -> None:
        """Runs on from the present at another speed."""
        assert 0 <= speed <= MAX_SPEED, "speed is 0 to a million"
        self._move(self.now_ms(), speed)

    def pin(self, at_ms: int) -> None:
        """Stands at an instant of the past life that is being replayed from the state file."""
        self._latest_ms = at_ms
        self._move(at_ms, 0.0)

    def restore(self, anchor: Anchor) -> None:
        """Takes up the anchor of an earlier process: the time in between has passed."""
        self._anchor = anchor

    def real_ms(self) -> int:
        """The real present, for the log of requests."""
        return int(self._real_s() * 1000)

    def _move(self, virtual_ms: int, speed: float) -> None:
        self._anchor = Anchor(virtual_ms, self._real_s(), speed)


def iso_ms(at_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds, as a person reads an instant."""
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_ms(text: str) -> int:
    """Unix milliseconds of an ISO 8601 instant with zone; ValueError for anything else."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone, such as Z or +03:00")
    return (at - _EPOCH) // timedelta(milliseconds=1)
