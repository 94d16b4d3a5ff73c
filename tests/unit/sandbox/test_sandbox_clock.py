"""Virtual time runs at its speed, stands still, and never goes back."""

from __future__ import annotations

import pytest

from syncd.sandbox.clock import Anchor, VirtualClock, iso_ms, parse_ms


class Real:
    """Real seconds that a test sets."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_the_clock_starts_at_the_real_present() -> None:
    """Without a start, virtual time is real time."""
    real = Real()
    clock = VirtualClock(None, 1.0, real)
    assert clock.now_ms() == clock.real_ms() == 1_000_000


def test_speed_multiplies_real_time() -> None:
    """A second at speed 60 is a minute; another speed goes on from there."""
    real = Real()
    clock = VirtualClock(0, 60.0, real)
    real.now_s += 1
    assert clock.now_ms() == 60_000
    clock.set_speed(0.0)
    real.now_s += 1
    assert clock.now_ms() == 60_000


def test_the_clock_can_be_moved_by_hand() -> None:
    """An advance is added to what passes by itself."""
    real = Real()
    clock = VirtualClock(0, 1.0, real)
    clock.advance(90.5)
    real.now_s += 2
    assert clock.now_ms() == 92_500


def test_a_real_clock_that_is_set_back_does_not_turn_virtual_time() -> None:
    """The virtual present waits until the real clock has caught up."""
    real = Real()
    clock = VirtualClock(0, 1.0, real)
    real.now_s += 10
    assert clock.now_ms() == 10_000
    real.now_s -= 5
    assert clock.now_ms() == 10_000


def test_a_restored_clock_has_run_on() -> None:
    """An anchor of an earlier process counts the time in between."""
    real = Real()
    clock = VirtualClock(0, 1.0, real)
    clock.restore(Anchor(50_000, 990.0, 2.0))
    assert clock.now_ms() == 70_000


@pytest.mark.parametrize("text", ["", "soon", "2026-11-23T08:00:00"])
def test_an_instant_needs_a_date_and_a_zone(text: str) -> None:
    """Anything else is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - both messages are of the standard library
        parse_ms(text)


def test_instants_are_written_as_they_are_read() -> None:
    """ISO 8601 in UTC with milliseconds, there and back."""
    text = "2026-11-23T08:00:00.123Z"
    assert iso_ms(parse_ms(text)) == text
    assert parse_ms("2026-11-23T11:00:00.123+03:00") == parse_ms(text)
