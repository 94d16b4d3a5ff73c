"""Waiting after a failure: never too soon, never too long, never all at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.backoff import BASE_S, CAP_S, delay_s, next_try_at

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
JITTER = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10**9), JITTER)
def test_a_wait_has_its_bounds(tries: int, jitter: float) -> None:
    """From nothing to the cap, however often it failed."""
    assert 0 <= delay_s(tries, jitter=jitter) < CAP_S


@given(st.integers(1, 50), JITTER)
def test_the_longer_it_fails_the_longer_the_wait(tries: int, jitter: float) -> None:
    """With the same jitter a later try never waits less."""
    assert delay_s(tries, jitter=jitter) <= delay_s(tries + 1, jitter=jitter)


def test_the_first_waits_double() -> None:
    """Half of 4, 8, 16 … seconds, up to half of the cap."""
    waits = [delay_s(tries, jitter=0.5) for tries in range(1, 12)]
    assert waits[:4] == [BASE_S, BASE_S * 2, BASE_S * 4, BASE_S * 8]
    assert waits[-1] == CAP_S / 2


@given(st.integers(1, 50), JITTER, st.floats(0, 10_000))
def test_a_wait_is_never_shorter_than_asked(tries: int, jitter: float, asked_s: float) -> None:
    """Retry-After is obeyed, also beyond the cap."""
    assert delay_s(tries, jitter=jitter, retry_after_s=asked_s) >= asked_s


@pytest.mark.parametrize(("tries", "jitter"), [(0, 0.5), (1, 1.0), (1, -0.1)])
def test_a_count_or_jitter_that_cannot_be_is_a_bug(tries: int, jitter: float) -> None:
    """A first failure is 1, and jitter is below 1."""
    with pytest.raises(AssertionError):
        delay_s(tries, jitter=jitter)


def test_the_next_try_is_an_instant() -> None:
    """The wait counts from now."""
    at = next_try_at(NOW, 1, jitter=0.0, retry_after_s=7.5)
    assert at == NOW + timedelta(seconds=7.5)
