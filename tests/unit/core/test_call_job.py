"""The states of jobs and batches, and the moves between them."""

from __future__ import annotations

import pytest

from syncd.core import retry
from syncd.core.call_job import (
    BATCH_TRANSITIONS,
    PHONE_TAKEN,
    TRANSITIONS,
    BatchState,
    JobState,
    check_move,
)

ENDS = {JobState.CLOSED, JobState.DUPLICATE}
#: Ends that only a person undoes: nobody was called.
RETRYABLE = {JobState.REFUSED, JobState.EXPIRED, JobState.CANCELLED}


def reachable(start: str) -> set[str]:
    """Every state that can follow `start`."""
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for state in TRANSITIONS[ahead.pop()] - seen:
            seen.add(state)
            ahead.append(state)
    return seen


def test_every_state_has_its_arrows() -> None:
    """The tables know each state, and what does not exist yet."""
    assert set(TRANSITIONS) == {"", *JobState}
    assert set(BATCH_TRANSITIONS) == set(BatchState)


def test_every_state_can_be_reached_and_left_or_is_an_end() -> None:
    """No job is stuck: each open state leads to an end, which only a person undoes, if anybody."""
    assert reachable("") == set(JobState)
    assert {state for state in JobState if not TRANSITIONS[state]} == ENDS
    assert all(reachable(state) & ENDS for state in set(JobState) - ENDS)
    assert set(retry.RETRYABLE) == RETRYABLE
    assert {frozenset(TRANSITIONS[state]) for state in RETRYABLE} == {
        frozenset({JobState.STAGED, JobState.HELD})
    }


def test_what_was_sent_is_never_staged_again_silently() -> None:
    """A sealed job goes back; by a person one that is parked, or that surely was not called."""
    back = {state for state in JobState if JobState.STAGED in TRANSITIONS[state]}
    assert back == {JobState.HELD, JobState.SEALED, JobState.PARKED, *RETRYABLE}
    assert not {JobState.STAGED, JobState.SEALED} & reachable(JobState.ACCEPTED)


def test_a_sent_batch_never_becomes_unsent() -> None:
    """A batch goes one way: sealed, sent, an end."""
    assert BATCH_TRANSITIONS[BatchState.SEALED] == {BatchState.SENT}
    assert all(not BATCH_TRANSITIONS[end] for end in BATCH_TRANSITIONS[BatchState.SENT])


def test_a_phone_is_taken_while_a_call_is_or_may_be_made() -> None:
    """Only what surely was not and will not be called leaves the phone free."""
    free = {
        JobState.HELD,
        JobState.REFUSED,
        JobState.DUPLICATE,
        JobState.EXPIRED,
        JobState.CANCELLED,
    }
    assert set(JobState) - PHONE_TAKEN == free


@pytest.mark.parametrize("old", ["", *JobState])
@pytest.mark.parametrize("new", list(JobState))
def test_a_move_without_an_arrow_is_a_bug(old: str, new: JobState) -> None:
    """check_move passes exactly where the picture has an arrow."""
    if new in TRANSITIONS[old]:
        check_move(old, new)
    else:
        with pytest.raises(AssertionError, match="no arrow"):
            check_move(old, new)
