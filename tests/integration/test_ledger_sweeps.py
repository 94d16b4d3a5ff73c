"""What a sweep changes, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

from syncd.core.report import JobReport
from syncd.ledger.ledger import Ledger
from tests.ledgers import (
    CAMPAIGN,
    HOUR,
    NOW,
    answered,
    assert_consistent,
    by,
    phone,
    report,
    sealed,
    sent,
    snapshot,
    stage,
    states,
)

SWEEP = by("sweep", after=3 * HOUR)


def call(id_: int, n: int, **more: object) -> JobReport:
    """A call to the n-th phone, an hour after NOW."""
    told = {"phone": str(phone(n)), "created_at": NOW + HOUR, **more}
    return report(id_, "noAnswer", **told)


def parked(ledger: Ledger, n: int) -> None:
    """A batch of lead n alone that was in doubt, and of which nothing was found."""
    batch = sent(ledger, sealed(ledger, 1, first=n))
    ledger.record_no_answer(batch, in_doubt=True, outcome="503", next_at=NOW)
    (again,) = [ledger.claim_open_batch(CAMPAIGN, after_id=0, now=NOW + HOUR)]
    assert again is not None
    ledger.look_ups.adopt(again, {}, next_report_at=NOW, by=by("reconcile", after=HOUR))


def test_each_call_finds_its_job_and_a_second_sweep_changes_nothing(ledger: Ledger) -> None:
    """Known, parked, waiting, a stranger's, and a second one: all in one look."""
    answered(ledger, 1)
    parked(ledger, 1)
    stage(ledger, 1, first=2)
    calls = [
        call(1000, 0),
        call(5001, 1),
        call(5002, 2),
        call(5003, 3),
        call(5004, 0),
        call(5005, 2, redial_number=1),
        call(5006, 9, phone="no phone"),
    ]
    strangers, ours = ledger.sweeps.keep_strangers(CAMPAIGN, calls, by=SWEEP)
    assert strangers == 2
    assert {one.call_job_id for one in ours} == {"5001", "5002", "5004"}
    told = ledger.sweeps.sort_out(CAMPAIGN, ours, {}, by=SWEEP)
    assert told == {"adopted": 1, "held_back": 1, "unknown_calls": 1, "second_calls": 1}
    assert states(ledger) == {"key-0": "accepted", "key-1": "accepted", "key-2": "duplicate"}
    assert ledger.open_call_job_ids(2) == ["5001"]
    assert_consistent(ledger)
    before = snapshot(ledger)
    strangers, ours = ledger.sweeps.keep_strangers(CAMPAIGN, calls, by=SWEEP)
    assert (strangers, [one.call_job_id for one in ours]) == (0, ["5004"])
    assert ledger.sweeps.sort_out(CAMPAIGN, ours, {}, by=SWEEP) == {}
    assert snapshot(ledger) == before
    assert ledger.sweeps.unknown_count(CAMPAIGN) == 3
    assert len(ledger.sweeps.unknown_calls(CAMPAIGN, limit=2)) == 2


def test_the_calls_of_another_campaign_are_its_own(ledger: Ledger) -> None:
    """The same phone in two campaigns is two stories."""
    stage(ledger, 1)
    strangers, ours = ledger.sweeps.keep_strangers("other", [call(5000, 0)], by=SWEEP)
    assert (strangers, ours) == (1, [])
    assert ledger.sweeps.unknown_count(CAMPAIGN) == 0


def test_jobs_that_nobody_is_sure_of_are_asked_for(ledger: Ledger) -> None:
    """Parked ones, and those that were sent before; where calls cannot be listed by date."""
    answered(ledger, 1)
    parked(ledger, 1)
    batch = sent(ledger, sealed(ledger, 1, first=3))
    assert ledger.record_refusal(batch, why="other.reason", by=by("submit"))
    stage(ledger, 1, first=2)
    assert ledger.sweeps.unsure_phones(CAMPAIGN, limit=9) == [phone(1), phone(3)]
    assert ledger.sweeps.unsure_phones(CAMPAIGN, limit=1) == [phone(3)]


def test_the_mark_never_goes_back(ledger: Ledger) -> None:
    """A look into an older time does not make the next sweep longer."""
    sweeps = ledger.sweeps
    assert sweeps.swept_to(CAMPAIGN) is None
    for at in (NOW, NOW - timedelta(days=1)):
        sweeps.set_swept_to(CAMPAIGN, at, by=SWEEP)
        assert sweeps.swept_to(CAMPAIGN) == NOW
