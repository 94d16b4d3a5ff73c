"""Whose is a call that no job names: the judgement of one phone's calls and jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.core.call_job import CALLED_BEFORE, NOT_IN_REPORTS, PHONE_KNOWN, JobState
from syncd.core.call_policy import CallPolicy
from syncd.core.look_up import CLOCK_MARGIN, REQUEST_LIFE
from syncd.core.sweep import Call, PhoneJob, SortedOut, sort_out

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
SENT = NOW - timedelta(hours=3)
CALL = Call("1", SENT)
ANOTHER = Call("2", SENT + timedelta(minutes=1))
PER_LEAD = {"crm": CallPolicy(per_phone=False)}


def job(state: str, id_: int = 1, **more: Any) -> PhoneJob:
    return PhoneJob(id_, "crm", JobState(state), SENT - timedelta(days=1), **more)


PARKED = job("parked", reason=NOT_IN_REPORTS, first_sent_at=SENT, last_sent_at=SENT)
STAGED, AGAIN = job("staged"), job("staged", generation=2)
CLOSED = job("closed", 9, call_job_id="9")


def sorted_out(*jobs: PhoneJob, calls: tuple[Call, ...] = (CALL,), **more: Any) -> SortedOut:
    return sort_out(jobs, calls, **{"policies": {}, "now": NOW, **more})


def test_a_parked_job_gets_its_one_call() -> None:
    """Created while its batch may have been carried out, with the error of clocks on both sides."""
    assert sorted_out(PARKED) == SortedOut(adopts=PARKED)
    for at in (SENT - CLOCK_MARGIN, SENT + REQUEST_LIFE + CLOCK_MARGIN, None):
        assert sorted_out(PARKED, calls=(Call("1", at),)).adopts == PARKED


@pytest.mark.parametrize(
    ("jobs", "calls"),
    [
        ((PARKED,), (CALL, ANOTHER)),
        ((PARKED, replace(PARKED, id=2)), (CALL,)),
        ((PARKED,), (Call("1", SENT - CLOCK_MARGIN - timedelta(seconds=1)),)),
        ((PARKED,), (Call("1", SENT + REQUEST_LIFE + CLOCK_MARGIN + timedelta(seconds=1)),)),
        ((job("parked"),), (CALL,)),
    ],
)
def test_what_is_not_surely_its_call_leaves_it_parked(
    jobs: tuple[PhoneJob, ...], calls: tuple[Call, ...]
) -> None:
    """Two calls, two jobs, another time, or a job that was never sent: a person decides."""
    assert sorted_out(*jobs, calls=calls) == SortedOut(unknown=calls)


def test_a_batch_without_an_answer_is_left_to_reconcile() -> None:
    """Its key, or its look-up, tells better whose call it is."""
    assert sorted_out(job("sealed"), PARKED) == SortedOut()


@pytest.mark.parametrize("waiting", [STAGED, job("held", reason="no_zone"), AGAIN])
def test_whoever_was_called_does_not_wait_for_a_call(waiting: PhoneJob) -> None:
    """One call is its own; of two nobody can tell which, but it is not called a third time."""
    assert sorted_out(waiting) == SortedOut(held_back=(waiting,), owner=waiting)
    told = sorted_out(waiting, calls=(CALL, ANOTHER))
    assert told == SortedOut(held_back=(waiting,), unknown=(CALL, ANOTHER))


def test_where_phones_do_not_count_only_what_was_sent_before_is_held_back() -> None:
    """A lead that was never sent is called whatever its phone; so is one younger than the call."""
    assert sorted_out(STAGED, policies=PER_LEAD) == SortedOut(unknown=(CALL,))
    assert sorted_out(AGAIN, policies=PER_LEAD).held_back == (AGAIN,)
    old = Call("1", AGAIN.made_at - CLOCK_MARGIN - timedelta(seconds=1))
    assert sorted_out(AGAIN, calls=(old,), policies=PER_LEAD).held_back == ()


def test_a_phone_that_may_be_called_again_is_not_held_back_by_an_old_call() -> None:
    """The horizon of the sync holds for calls that others made, too."""
    policies = {"crm": CallPolicy(again_after=timedelta(hours=2))}
    assert sorted_out(STAGED, policies=policies).held_back == ()
    fresh = Call("1", NOW - timedelta(hours=1))
    assert sorted_out(STAGED, calls=(fresh,), policies=policies).held_back == (STAGED,)


def test_a_call_beside_one_that_is_known_is_a_second_one() -> None:
    """It ends no job that waits: by which rule that one may be called is settled already."""
    assert sorted_out(CLOSED) == SortedOut(unknown=(CALL,), second=True)
    assert sorted_out(CLOSED, STAGED).held_back == ()
    assert sorted_out(CLOSED, AGAIN).held_back == (AGAIN,)


def test_a_duplicate_of_a_call_from_elsewhere_gets_its_id() -> None:
    """But not one of another lead's call, nor one that has its ID, nor two of them."""
    duplicate = job("duplicate", reason=CALLED_BEFORE)
    assert sorted_out(duplicate) == SortedOut(owner=duplicate)
    for none in (
        [replace(duplicate, reason=PHONE_KNOWN)],
        [replace(duplicate, call_job_id="7")],
        [duplicate, replace(duplicate, id=2)],
        [job("refused")],
    ):
        assert sorted_out(*none) == SortedOut(unknown=(CALL,))
