"""Transaction C: what the vendor answered is stored under the claim, by position only when sure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.core.call_job import JobState
from syncd.core.refused_batch import Rest, splits_max
from syncd.ledger.answers import AnswerStored, Unmatched
from syncd.ledger.campaign_state import CampaignState
from syncd.ledger.ledger import Ledger
from syncd.ledger.outbox import CLAIM_LIFE, ClaimedBatch
from syncd.ledger.refusals import RefusalStored
from tests.ledgers import (
    CAMPAIGN,
    HOUR,
    MINUTE,
    NOW,
    NOW_MS,
    answered,
    assert_consistent,
    by,
    one,
    phone,
    report,
    rows,
    seal,
    sealed,
    sent,
    snapshot,
    stage,
    states,
    tally,
)

DUE = NOW + MINUTE


def ids(ledger: Ledger) -> list[str | None]:
    """The vendor's ID of each job, in their order."""
    return [row[0] for row in rows(ledger, "SELECT call_job_id FROM call_jobs ORDER BY id")]


def test_ids_go_by_position_when_there_are_as_many(ledger: Ledger) -> None:
    """Each job has its ID, the batch its open jobs and its time; the body is no longer kept."""
    batch = sent(ledger, sealed(ledger, 3))
    assert (
        ledger.record_answer(batch, ["c", "a", "b"], next_report_at=DUE, by=by("submit"))
        is AnswerStored.BY_POSITION
    )
    assert ids(ledger) == ["c", "a", "b"]
    ((state, body, size, open_jobs, next_, lease, answered_ids),) = rows(
        ledger,
        "SELECT state, body, size, open_jobs, next_report_at, leased_until, answered_ids "
        "FROM batches",
    )
    assert (state, body, size, open_jobs) == ("answered", None, 3, 3)
    assert (next_, lease, answered_ids) == (NOW_MS + 60_000, None, None)
    assert tally(ledger) == {"accepted": 3}
    assert_consistent(ledger)


@pytest.mark.parametrize(
    "given", [[], ["a"], ["a", "b"], ["a", "b", "c", "d"], ["a", "b", "b"], ["a", "a", "a"]]
)
def test_any_other_answer_is_kept_and_waits(ledger: Ledger, given: list[str]) -> None:
    """Short, long or with a repeated ID: no job gets an ID, and the batch is never sent again."""
    batch = sent(ledger, sealed(ledger, 3))
    assert (
        ledger.record_answer(batch, given, next_report_at=DUE, by=by("submit"))
        is AnswerStored.LATER
    )
    assert ids(ledger) == [None, None, None]
    phones = frozenset(map(phone, range(3)))
    assert ledger.unmatched_batches(CAMPAIGN) == [Unmatched(1, tuple(given), phones, NOW)]
    assert ledger.campaign_view(CAMPAIGN).unmatched == 1
    assert ledger.claim_open_batch(CAMPAIGN, after_id=0, now=NOW + 24 * HOUR) is None
    assert ledger.batches_due(CAMPAIGN, now=NOW + 24 * HOUR, limit=9) == []
    assert tally(ledger) == {"sealed": 3}
    assert_consistent(ledger)


def test_an_id_that_another_open_job_has_goes_to_nobody(ledger: Ledger) -> None:
    """An answer as long as the request that names a known open call is not trusted by position."""
    answered(ledger, 2)  # IDs 1000 and 1001
    batch = sent(ledger, sealed(ledger, 2, first=5))
    assert (
        ledger.record_answer(batch, ["9", "1001"], next_report_at=DUE, by=by())
        is AnswerStored.LATER
    )
    phones = frozenset({phone(5), phone(6)})
    assert ledger.unmatched_batches(CAMPAIGN) == [Unmatched(2, ("9", "1001"), phones, NOW)]
    assert tally(ledger) == {"accepted": 2, "sealed": 2}
    assert_consistent(ledger)


def test_an_id_may_be_known_in_another_campaign(ledger: Ledger) -> None:
    """IDs are the campaign's own."""
    answered(ledger, 1)
    with ledger._store.write("test") as connection:
        connection.exec_driver_sql("UPDATE call_jobs SET campaign = 'other'")
    batch = sent(ledger, sealed(ledger, 1, first=5))
    assert (
        ledger.record_answer(batch, ["1000"], next_report_at=DUE, by=by())
        is AnswerStored.BY_POSITION
    )


def test_a_short_answer_is_matched_by_phone(ledger: Ledger) -> None:
    """Jobs whose phones the reports name are accepted; the vendor ignored the others."""
    batch = sent(ledger, sealed(ledger, 3))
    ledger.record_answer(batch, ["b", "a"], next_report_at=DUE, by=by("submit"))
    phones = {phone(0): "a", phone(2): "b", phone(99): "c"}
    assert ledger.match_answer(CAMPAIGN, batch.id, phones, by=by("reconcile")) == (2, 1, 0)
    assert ids(ledger) == ["a", None, "b"]
    assert states(ledger) == {"key-0": "accepted", "key-1": "duplicate", "key-2": "accepted"}
    assert one(ledger, "SELECT reason FROM call_jobs WHERE id = 2") == "vendor_ignored_duplicate"
    assert ledger.unmatched_batches(CAMPAIGN) == []
    assert [due.id for due in ledger.batches_due(CAMPAIGN, now=DUE, limit=9)] == [batch.id]
    assert_consistent(ledger)


def test_an_answer_is_matched_once(ledger: Ledger) -> None:
    """A second match, or one of a batch that never waited, changes nothing."""
    batch = sent(ledger, sealed(ledger, 2))
    assert ledger.match_answer(CAMPAIGN, batch.id, {phone(0): "a"}, by=by()) == (0, 0, 0)
    ledger.record_answer(batch, [], next_report_at=DUE, by=by())
    assert ledger.match_answer(CAMPAIGN, batch.id, {}, by=by()) == (0, 2, 0)
    before = snapshot(ledger)
    assert ledger.match_answer(CAMPAIGN, batch.id, {phone(0): "a"}, by=by()) == (0, 0, 0)
    assert snapshot(ledger) == before
    assert_consistent(ledger)


@pytest.mark.parametrize("taken", ["1000", "x"])
def test_an_id_that_cannot_be_this_job_s_parks_it(ledger: Ledger, taken: str) -> None:
    """An ID of another open job, or one for two phones: a person must look, and others go on."""
    answered(ledger, 1)
    batch = sent(ledger, sealed(ledger, 3, first=5))
    ledger.record_answer(batch, ["1000", "x"], next_report_at=DUE, by=by())
    phones = {phone(5): "x", phone(6): taken}
    assert ledger.match_answer(CAMPAIGN, batch.id, phones, by=by()) == (1, 1, 1)
    assert states(ledger) == {
        "key-0": "accepted",
        "key-5": "accepted",
        "key-6": "parked",
        "key-7": "duplicate",
    }
    assert one(ledger, "SELECT reason FROM call_jobs WHERE state = 'parked'") == "id_of_another_job"
    assert_consistent(ledger)


def test_a_refusal_stages_the_innocent_again(ledger: Ledger) -> None:
    """The guilty end as the refusal says; the rest goes out as a new generation."""
    batch = sent(ledger, sealed(ledger, 4))
    guilty = {phone(1): JobState.REFUSED, phone(2): JobState.DUPLICATE, phone(77): JobState.REFUSED}
    assert ledger.record_refusal(batch, why="phone.wrong", guilty=guilty, by=by("submit"))
    assert states(ledger) == {
        "key-0": "staged",
        "key-1": "refused",
        "key-2": "duplicate",
        "key-3": "staged",
    }
    found = rows(ledger, "SELECT generation, batch_id, reason FROM call_jobs ORDER BY id")
    assert found == [(2, None, None), (1, 1, "phone.wrong"), (1, 1, "phone.wrong"), (2, None, None)]
    assert rows(ledger, "SELECT state, outcome, body FROM batches") == [
        ("refused", "phone.wrong", None)
    ]
    again = seal(ledger)
    assert again is not None
    assert [job for job, _ in again.members] == [1, 4]
    assert again.key != batch.key
    assert_consistent(ledger)


def test_a_refusal_that_nobody_understands_holds_the_campaign(ledger: Ledger) -> None:
    """All go again, once a person has released the campaign; a resume by itself ends no hold."""
    batch = sent(ledger, sealed(ledger, 2))
    stored = ledger.record_refusal(batch, why="unknown.type", rest=Rest.HOLD, by=by("submit"))
    assert stored is not None
    assert stored.jobs == {JobState.STAGED: 2}
    state = ledger.campaign_state(CAMPAIGN)
    assert (state.held, state.halted_reason) == (True, "a batch was refused (unknown.type)")
    ledger.resume_sending(CAMPAIGN, by=by())
    assert not ledger.halt(CAMPAIGN, "something else", by=by())
    assert ledger.campaign_state(CAMPAIGN) == state
    assert ledger.brake.release(CAMPAIGN, by=by("cli:release"))
    assert not ledger.brake.release(CAMPAIGN, by=by("cli:release"))
    assert ledger.campaign_state(CAMPAIGN) == CampaignState()
    moves = rows(ledger, "SELECT from_state, to_state FROM journal WHERE what = 'campaign'")
    assert moves == [("sending", "held"), ("held", "sending")]
    assert_consistent(ledger)


def test_halves_are_batches_of_their_own(ledger: Ledger) -> None:
    """The newest pen first, then the others; a batch of a pen knows the batch that began it all."""
    first = sent(ledger, sealed(ledger, 8))
    stage(ledger, 1, first=20)
    halve(ledger, first)
    second = seal(ledger)
    assert second is not None
    assert [job for job, _ in second.members] == [5, 6, 7, 8]
    halve(ledger, sent(ledger, second))
    sizes = []
    while (batch := seal(ledger)) is not None:
        sizes.append([job for job, _ in batch.members])
    assert sizes == [[7, 8], [5, 6], [1, 2, 3, 4], [9]]
    found = rows(ledger, "SELECT root, splits FROM batches ORDER BY id")
    assert found == [(None, 2), (1, None), (1, None), (1, None), (1, None), (None, None)]
    assert_consistent(ledger)


def test_what_the_budget_of_halves_does_not_reach_is_parked(ledger: Ledger) -> None:
    """Of a batch of 8 four may be halved, and no more; the newest go down to single jobs."""
    halve(ledger, sent(ledger, sealed(ledger, 8)))
    while (batch := seal(ledger)) is not None:
        sent(ledger, batch)
        if batch.size > 1:
            halve(ledger, batch)
        else:
            guilty = {phone(batch.members[0][0] - 1): JobState.REFUSED}
            assert ledger.record_refusal(batch, why="no", guilty=guilty, by=by("submit"))
    assert one(ledger, "SELECT splits FROM batches WHERE id = 1") == splits_max(8) == 4
    assert tally(ledger) == {"refused": 4, "parked": 4}
    assert one(ledger, "SELECT count(*) FROM batches") == 1 + 2 * 4
    assert_consistent(ledger)


def halve(ledger: Ledger, batch: ClaimedBatch) -> RefusalStored:
    """The vendor refuses the batch and names nobody."""
    stored = ledger.record_refusal(batch, why="no", rest=Rest.HALVES, by=by("submit"))
    assert stored is not None
    return stored


@pytest.mark.parametrize("how", ["told", "killed"])
def test_a_refusal_after_a_doubt_proves_nothing(ledger: Ledger, how: str) -> None:
    """An earlier sending may have created the calls: the refusal is not stored."""
    batch = sent(ledger, sealed(ledger, 2))
    if how == "told":
        ledger.record_no_answer(batch, in_doubt=True, outcome="timeout", next_at=NOW)
    again = ledger.claim_open_batch(CAMPAIGN, after_id=0, now=NOW + CLAIM_LIFE)
    assert again is not None
    assert again.doubtful
    sent(ledger, again, now=NOW + CLAIM_LIFE)
    before = snapshot(ledger)
    assert not ledger.record_refusal(again, why="phone.wrong", by=by("reconcile"))
    assert snapshot(ledger) == before
    stored = ledger.record_answer(again, ["1", "2"], next_report_at=DUE, by=by("reconcile"))
    assert stored is AnswerStored.BY_POSITION


def test_a_refusal_after_a_sending_that_surely_did_nothing_counts(ledger: Ledger) -> None:
    """A refused connection leaves no doubt behind."""
    batch = sent(ledger, sealed(ledger, 1))
    ledger.record_no_answer(batch, in_doubt=False, outcome="connection refused", next_at=NOW)
    again = ledger.claim_open_batch(CAMPAIGN, after_id=0, now=NOW)
    assert again is not None
    assert ledger.record_refusal(sent(ledger, again), why="phone.wrong", by=by("reconcile"))


def test_the_campaign_view_counts_open_ends(ledger: Ledger) -> None:
    """Sealed, in doubt, waiting for IDs, and since when something is staged."""
    empty = ledger.campaign_view(CAMPAIGN)
    assert (empty.in_doubt, empty.unsent, empty.unmatched, empty.oldest_staged_at) == (
        0,
        0,
        0,
        None,
    )
    sent(ledger, sealed(ledger, 1))
    sealed(ledger, 1, first=2)
    short = sent(ledger, sealed(ledger, 2, first=4))
    ledger.record_answer(short, ["1"], next_report_at=DUE, by=by())
    answered(ledger, 1, first=8)
    stale = sent(ledger, sealed(ledger, 1, first=10))
    ledger.record_refusal(stale, why="no", by=by(after=timedelta(hours=1)))
    view = ledger.campaign_view(CAMPAIGN)
    assert (view.in_doubt, view.unsent, view.unmatched) == (1, 1, 1)
    assert view.oldest_staged_at == NOW
    assert ledger.campaign_view("other") == empty


def test_a_closed_call_s_id_may_come_again(ledger: Ledger) -> None:
    """Only open calls must have IDs of their own: an old ID does not block a new answer."""
    answered(ledger, 1)
    ledger.store_reports(CAMPAIGN, [report(1000)], by=by())
    batch = sent(ledger, sealed(ledger, 1, first=5))
    assert (
        ledger.record_answer(batch, ["1000"], next_report_at=DUE, by=by())
        is AnswerStored.BY_POSITION
    )
