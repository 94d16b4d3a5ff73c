"""What a batch without an answer needs: the key's life decides, never hope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.doubt import KEY_LIFE_HOURS, QUIET, RESEND_WINDOW, OpenBatch, Step, decide

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def decided(
    first: timedelta | None,
    last: timedelta | None = None,
    *,
    ambiguous: bool = True,
    same_endpoint: bool = True,
) -> Step:
    """The step for a batch first and last sent so long ago."""
    batch = OpenBatch(
        None if first is None else NOW - first,
        None if first is None else NOW - (first if last is None else last),
        ambiguous,
        same_endpoint,
    )
    return decide(batch, now=NOW)


@pytest.mark.parametrize("same_endpoint", [True, False])
def test_what_was_never_sent_is_sent(same_endpoint: bool) -> None:
    """A batch of which no byte left may go to the endpoint of today."""
    step = decided(None, ambiguous=False, same_endpoint=same_endpoint)
    assert step is Step.SEND


def test_a_silent_request_is_left_in_peace_first() -> None:
    """Within the quiet time the last sending may still be at work."""
    assert decided(QUIET - SECOND) is Step.WAIT
    assert decided(QUIET) is Step.SEND
    assert decided(timedelta(hours=5), QUIET - SECOND) is Step.WAIT


def test_what_surely_did_nothing_goes_again_at_once() -> None:
    """Without a doubt there is nothing to wait for."""
    assert decided(SECOND, ambiguous=False) is Step.SEND


@pytest.mark.parametrize(
    ("first", "ambiguous", "step"),
    [
        (SECOND, False, Step.LOOK_UP),
        (None, False, Step.SEND),
        (timedelta(hours=1), True, Step.SEND),
    ],
)
def test_what_never_left_does_not_go_with_a_withdrawn_call(
    first: timedelta | None, ambiguous: bool, step: Step
) -> None:
    """A doubt goes again with its key: its call may exist, and is cancelled by its ID."""
    at = None if first is None else NOW - first
    assert decide(OpenBatch(at, at, ambiguous, True, withdrawn=True), now=NOW) is step


@pytest.mark.parametrize("ambiguous", [True, False])
def test_past_the_key_s_life_nothing_is_sent(ambiguous: bool) -> None:
    """The life counts from the first sending; a later sending does not lengthen it."""
    assert decided(RESEND_WINDOW - SECOND, timedelta(hours=1), ambiguous=ambiguous) is Step.SEND
    assert decided(RESEND_WINDOW, timedelta(hours=1), ambiguous=ambiguous) is Step.LOOK_UP
    assert timedelta(hours=KEY_LIFE_HOURS) > RESEND_WINDOW


@pytest.mark.parametrize("ambiguous", [True, False])
def test_another_endpoint_does_not_know_the_key(ambiguous: bool) -> None:
    """After a change of URL or token the stored key proves nothing."""
    step = decided(SECOND, ambiguous=ambiguous, same_endpoint=False)
    assert step is Step.LOOK_UP


def test_the_limits_can_be_given() -> None:
    """A sandbox with a fast clock has its own quiet time and window."""
    batch = OpenBatch(NOW - 5 * SECOND, NOW - 5 * SECOND, True, True)
    assert decide(batch, now=NOW, quiet=6 * SECOND) is Step.WAIT
    assert decide(batch, now=NOW, quiet=SECOND) is Step.SEND
    assert decide(batch, now=NOW, quiet=SECOND, resend_window=5 * SECOND) is Step.LOOK_UP


@given(st.timedeltas(timedelta(), timedelta(days=400)), st.booleans(), st.booleans())
def test_nothing_is_ever_sent_when_a_key_may_be_forgotten(
    age: timedelta, ambiguous: bool, same: bool
) -> None:
    """Law 1, for any age: sending again implies the same endpoint and a living key."""
    if decided(age, ambiguous=ambiguous, same_endpoint=same) is Step.SEND:
        assert same
        assert age < timedelta(hours=KEY_LIFE_HOURS)


@pytest.mark.parametrize(
    ("ahead", "clock_doubted", "step"),
    [
        (timedelta(minutes=4), False, Step.WAIT),
        (timedelta(minutes=6), False, Step.LOOK_UP),
        (timedelta(hours=48), False, Step.LOOK_UP),
        (-timedelta(hours=1), True, Step.LOOK_UP),
    ],
)
def test_a_clock_that_was_set_back_ends_the_sending(
    ahead: timedelta, clock_doubted: bool, step: Step
) -> None:
    """When now is before the first sending, nobody knows whether the key still lives."""
    batch = OpenBatch(NOW + ahead, NOW + ahead, True, True, clock_doubted=clock_doubted)
    assert decide(batch, now=NOW) is step


def test_a_refusal_after_a_doubt_or_a_passed_end_is_only_looked_up() -> None:
    """Whatever the age of the key."""
    for told in ({"refused_in_doubt": True}, {"closes_at": NOW}):
        batch = OpenBatch(
            first_sent_at=NOW - timedelta(minutes=5),
            last_sent_at=NOW - timedelta(minutes=5),
            ambiguous=True,
            same_endpoint=True,
            **told,  # type: ignore[arg-type]
        )
        assert decide(batch, now=NOW) is Step.LOOK_UP
