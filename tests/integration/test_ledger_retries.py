"""What a retry changes, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

from syncd.core.call_job import JobState
from syncd.core.guards import TRIPWIRE, Limit
from syncd.ledger.ledger import Ledger
from syncd.ledger.retries import RetryFilter
from tests.ledgers import (
    CAMPAIGN,
    NOW,
    SYNC,
    assert_consistent,
    by,
    phone,
    seal,
    sealed,
    sent,
    stage,
    tally,
)

ASKED = RetryFilter(SYNC, CAMPAIGN, (JobState.REFUSED, JobState.CANCELLED))
PERSON = by("cli:retry", pass_id=None)


def refused(ledger: Ledger, count: int) -> None:
    """So many leads in one batch, and all of them refused."""
    batch = sent(ledger, sealed(ledger, count))
    guilty = {phone(n): JobState.REFUSED for n in range(count)}
    assert ledger.record_refusal(batch, why="phone.bad.format", guilty=guilty, by=by("submit"))


def again(ledger: Ledger, most: int, limit: Limit | None = None) -> int:
    return ledger.retries.again(
        ASKED, after_id=0, most=most, limit=limit, who="ann", by=PERSON
    ).again


def test_jobs_go_again_as_a_new_generation(ledger: Ledger) -> None:
    """So many as are asked for; counts and journal agree, and they can be sealed."""
    refused(ledger, 3)
    assert [one.why_not for one in ledger.retries.look(ASKED, now=NOW)] == [None] * 3
    assert again(ledger, 2) == 2
    assert tally(ledger) == {"refused": 1, "staged": 2}
    assert again(ledger, 9, Limit("max_new_per_poll", TRIPWIRE, 0)) == 1
    ledger.retries.note_trip(ASKED, Limit("max_new_per_poll", TRIPWIRE, 0), 1, by=PERSON)
    assert ledger.guards.held() == {SYNC: 1}
    assert [trip.found for trip in ledger.guards.open_trips()] == [1.0]
    batch = seal(ledger)
    assert batch is not None
    assert batch.size == 2
    assert_consistent(ledger)


def test_nobody_in_another_state_is_meant(ledger: Ledger) -> None:
    """Staged, sealed, sent and accepted ones stay what they are."""
    sent(ledger, sealed(ledger, 1))
    sealed(ledger, 1, first=1)
    stage(ledger, 1, first=2)
    assert again(ledger, 9) == 0
    assert list(ledger.retries.look(ASKED, now=NOW + timedelta(days=9))) == []
