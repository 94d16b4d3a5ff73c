"""Which call keeps a new one to its phone back, and how the ledger remembers it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from syncd.clock import from_ms
from syncd.core.call_policy import CallPolicy
from syncd.ledger.ledger import Ledger
from tests.ledgers import (
    CAMPAIGN,
    HOUR,
    NOW,
    answered,
    assert_consistent,
    by,
    job,
    lead,
    page,
    phone,
    report,
    rows,
    sealed,
    stage,
    states,
)

DAY = timedelta(days=1)
FOR_EVER = CallPolicy()
PER_LEAD = CallPolicy(per_phone=False)
EVERYWHERE = CallPolicy(all_campaigns=True)
MONTH = CallPolicy(again_after=30 * DAY)


def store(ledger: Ledger, *numbers: int, key: str = "again", **more: Any) -> str:
    """A new lead with the phone of each number; the state of the last one's job."""
    after = more.pop("after", timedelta())
    found = [lead(n, key=f"{key}-{i}", mapped=job(n)) for i, n in enumerate(numbers)]
    ledger.store_page(page(*found, **more), by=by("poll", after=after))
    return states(ledger)[f"{key}-{len(numbers) - 1}"]


def firsts(ledger: Ledger) -> list[tuple[int, int]]:
    """Each duplicate with the job that it is a duplicate of."""
    found = rows(ledger, "SELECT id, duplicate_of FROM call_jobs WHERE state = 'duplicate'")
    return sorted((one, first) for one, first in found)


def test_a_duplicate_names_the_first_call(ledger: Ledger) -> None:
    """Of five records with one phone one is called, and the others say which."""
    assert store(ledger, 1, 1, 2, 1) == "duplicate"
    assert store(ledger, 1, 2, key="later") == "duplicate"
    assert firsts(ledger) == [(2, 1), (4, 1), (5, 1), (6, 3)]
    assert_consistent(ledger)


def test_a_released_duplicate_names_the_first_call(ledger: Ledger) -> None:
    """A job that was held is compared when it gets its zone."""
    ledger.store_page(page(lead(1, mapped=job(1, held="no_zone")), lead(2)), by=by("poll"))
    ledger.store_page(page(released=[(1, job(2))]), by=by("poll"))
    assert firsts(ledger) == [(1, 2)]


def test_per_lead_no_phone_is_compared(ledger: Ledger) -> None:
    """Each record is called; two of one phone never stand in one batch."""
    assert store(ledger, 1, 1, policy=PER_LEAD) == "staged"
    assert ledger.taken_phones(CAMPAIGN, [phone(1)], PER_LEAD) == set()
    assert firsts(ledger) == []


@pytest.mark.parametrize(("policy", "state"), [(FOR_EVER, "staged"), (EVERYWHERE, "duplicate")])
def test_the_scope_decides_which_campaigns_count(
    ledger: Ledger, policy: CallPolicy, state: str
) -> None:
    """With scope "all" a call of any campaign keeps a new one back."""
    stage(ledger, 2)
    assert store(ledger, 1, sync="other", campaign="other", policy=policy) == state
    assert firsts(ledger) == ([(3, 2)] if state == "duplicate" else [])


def test_an_ended_call_counts_until_the_horizon(ledger: Ledger) -> None:
    """From the end of the call, as reported: a day before it counts, at it no longer."""
    answered(ledger, 1)
    ended = from_ms(by(after=HOUR).at_ms)
    ledger.store_reports(CAMPAIGN, [report(1000, finished_at=ended)], by=by(after=2 * HOUR))
    late, past = HOUR + 29 * DAY, HOUR + 31 * DAY
    assert store(ledger, 0, key="late", policy=MONTH, after=late) == "duplicate"
    assert store(ledger, 0, key="ever", policy=FOR_EVER, after=past) == "duplicate"
    assert store(ledger, 0, key="past", policy=MONTH, after=past) == "staged"
    assert store(ledger, 0, key="next", policy=MONTH, after=past) == "duplicate"


@pytest.mark.parametrize("begin", [stage, sealed, answered])
def test_an_open_call_counts_however_old_it_is(
    ledger: Ledger, begin: Callable[[Ledger, int], object]
) -> None:
    """A call that may still come is not made twice, whatever the horizon."""
    begin(ledger, 1)
    assert store(ledger, 0, policy=MONTH, after=400 * DAY) == "duplicate"


def test_a_horizon_holds_over_all_campaigns(ledger: Ledger) -> None:
    """Scope and horizon work together."""
    answered(ledger, 1)
    ledger.store_reports(CAMPAIGN, [report(1000, finished_at=NOW)], by=by())
    policy = CallPolicy(all_campaigns=True, again_after=30 * DAY)
    there: dict[str, Any] = {"sync": "other", "campaign": "other", "policy": policy}
    assert store(ledger, 0, key="late", after=29 * DAY, **there) == "duplicate"
    assert store(ledger, 0, key="past", after=31 * DAY, **there) == "staged"


def test_a_duplicate_is_explained(ledger: Ledger) -> None:
    """The history of a duplicate tells whose call it is."""
    stage(ledger, 1)
    store(ledger, 0)
    (found,) = ledger.history(key="again-0")
    told = {"job_id": 1, "sync": "crm", "campaign": CAMPAIGN, "key": "key-0"}
    assert found.jobs[0].first == told
    (first,) = ledger.history(key="key-0")
    assert first.jobs[0].first is None
