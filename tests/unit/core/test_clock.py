"""How long ago something was, by two clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from syncd.clock import ManualClock, Moment, SystemClock

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class TwoClocks(ManualClock):
    """A calendar and a boot clock that a test moves apart."""

    boot = 0.0

    def boot_s(self) -> float:
        return self.boot


def test_the_clock_that_counts_more_is_believed() -> None:
    """A calendar that was set back, or one that jumped ahead, never makes a moment younger."""
    clock = TwoClocks(START)
    moment = Moment.of(clock)
    clock.boot = 30.0
    clock.set(START - timedelta(hours=1))
    assert moment.elapsed_s(clock) == 30.0
    clock.set(START + timedelta(hours=1))
    assert moment.elapsed_s(clock) == 3600.0


def test_the_machines_boot_clock_goes_forward() -> None:
    """A moment of the machine's own clock is not in the future."""
    clock = SystemClock()
    assert Moment.of(clock).elapsed_s(clock) >= 0.0
