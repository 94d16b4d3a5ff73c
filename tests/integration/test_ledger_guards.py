"""The verbs of the guards, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncd.core.call_policy import CallPolicy
from syncd.core.guards import DAILY_CAP, JUDGING, TRIPWIRE, Limit
from syncd.ledger.approvals import Approved, Word
from syncd.ledger.guards import DayUse, Trip, Unjudged
from syncd.ledger.ledger import Ledger
from tests.ledgers import (
    CAMPAIGN,
    HOUR,
    NOW,
    NOW_MS,
    SYNC,
    answered,
    by,
    job,
    lead,
    one,
    page,
    phone,
    rows,
    seal,
    sealed,
    stage,
    tally,
)

TRIP = Trip(Limit("max_new_per_poll", TRIPWIRE, 3), 5)
CAP = Limit("max_jobs_per_day", DAILY_CAP, 4)
ANNA = Word("anna")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


def wait(ledger: Ledger, count: int, *, first: int = 0) -> None:
    """Store leads whose poll is not judged yet."""
    stored = stage(ledger, count, first=first, held_as=JUDGING)
    assert (stored.staged, stored.held) == (count, 0)


def settle(ledger: Ledger, trip: Trip | None = None, passed: int | None = None) -> int:
    return ledger.guards.settle_poll(SYNC, CAMPAIGN, trip=trip, passed=passed, by=by("poll"))


def reasons(ledger: Ledger) -> dict[str, int]:
    query = "SELECT reason, count(*) FROM call_jobs WHERE state = 'held' GROUP BY reason"
    return dict(rows(ledger, query))


def counts_are_true(ledger: Ledger) -> None:
    """The kept counts are those of the rows."""
    kept: Counter[str] = Counter()
    for states in ledger.counts().jobs.values():
        kept.update(states)
    assert +kept == tally(ledger)


def test_jobs_that_are_judged_are_not_sealed_and_keep_their_phones(ledger: Ledger) -> None:
    """Another page, another sync: nobody gets a second job while the first waits."""
    wait(ledger, 3)
    assert seal(ledger) is None
    again = ledger.store_page(page(lead(0, key="other"), sync="b"), by=by("poll"))
    assert (again.staged, again.duplicate) == (0, 1)
    assert ledger.guards.unjudged(SYNC) == Unjudged(waiting=3)
    assert settle(ledger) == 3
    assert tally(ledger) == {"staged": 3, "duplicate": 1}
    assert one(ledger, "SELECT count(*) FROM call_jobs WHERE reason = 'judging'") == 0
    counts_are_true(ledger)
    batch = seal(ledger)
    assert batch is not None
    assert batch.size == 3


def test_a_trip_holds_all_that_waits_and_gives_its_phones_back(ledger: Ledger) -> None:
    """A later poll that is within its limits may call them; the held ones are compared again."""
    wait(ledger, 5)
    assert settle(ledger, TRIP) == 5
    assert reasons(ledger) == {TRIPWIRE: 5}
    (trip,) = ledger.guards.open_trips()
    assert (trip.sync, trip.guard, trip.allowed, trip.found) == (SYNC, "max_new_per_poll", 3, 5)
    stored = ledger.store_page(page(lead(0, key="other"), sync="b"), by=by("poll"))
    assert stored.staged == 1
    done = ledger.guards.approve(SYNC, ANNA, most=10, by=by("cli:approve"))
    assert done == Approved(released=4, duplicate=1)
    assert one(ledger, "SELECT duplicate_of FROM call_jobs WHERE id = 1") == 6
    counts_are_true(ledger)
    moves = rows(ledger, "SELECT from_state, to_state, why FROM journal WHERE what = 'job'")
    assert ("held", "held", "max_new_per_poll: 5 jobs, 3 allowed") in moves
    assert ("held", "staged", "approved by anna") in moves


def test_an_approval_of_some_leaves_the_trip_open(ledger: Ledger) -> None:
    """Each approval is a row of its own; the last one settles the trip."""
    wait(ledger, 5)
    settle(ledger, TRIP)
    for most, left in ((2, 3), (1, 2)):
        ledger.guards.approve(SYNC, ANNA, most=most, by=by("cli:approve"))
        assert ledger.guards.held() == {SYNC: left}
        assert len(ledger.guards.open_trips()) == 1
    later = by("cli:approve", after=HOUR)
    ledger.guards.approve(SYNC, Word("bob", drop=True), most=10, by=later)
    assert ledger.guards.held() == {}
    assert ledger.guards.open_trips() == []
    told = rows(ledger, "SELECT approved_by, released, approved_at FROM trips ORDER BY id")
    late = NOW_MS + 3_600_000
    assert told == [("bob", 0, late), ("anna", 3, NOW_MS), ("bob", 0, late)]
    assert tally(ledger) == {"staged": 3, "cancelled": 2}
    counts_are_true(ledger)


def test_an_approval_of_nothing_does_nothing(ledger: Ledger) -> None:
    """Neither a job nor a row of the trips."""
    stage(ledger, 2)
    assert ledger.guards.approve(SYNC, ANNA, most=10, by=by("cli:approve")) == Approved()
    assert rows(ledger, "SELECT * FROM trips") == []


def test_what_waits_for_its_zone_is_no_guards_business(ledger: Ledger) -> None:
    """An approval sends nobody whose hour is not known."""
    ledger.store_page(page(lead(0, mapped=job(0, held="no_zone"))), by=by("poll"))
    wait(ledger, 2, first=1)
    settle(ledger, TRIP)
    assert ledger.guards.held() == {SYNC: 2}
    assert ledger.guards.approve(SYNC, ANNA, most=10, by=by("cli:approve")).jobs == 2
    assert reasons(ledger) == {"no_zone": 1}


def test_two_held_leads_of_one_phone_are_one_call(ledger: Ledger) -> None:
    """Also when they came with two polls; with one call a lead both go."""
    for n, key in ((0, "a"), (0, "b"), (1, "c")):
        ledger.store_page(page(lead(n, key=key), held_as=TRIPWIRE), by=by("poll"))
    done = ledger.guards.approve(SYNC, ANNA, most=10, by=by("cli:approve"))
    assert done == Approved(released=2, duplicate=1)
    for n, key in ((2, "d"), (2, "e")):
        ledger.store_page(page(lead(n, key=key), held_as=TRIPWIRE), by=by("poll"))
    each = Word("anna", policy=CallPolicy(per_phone=False))
    done = ledger.guards.approve(SYNC, each, most=10, by=by("cli:approve"))
    assert done == Approved(released=2)


def test_jobs_of_a_poll_that_nobody_will_judge_can_be_approved(ledger: Ledger) -> None:
    """Its sync is not configured any more; else an approval leaves a running poll alone."""
    wait(ledger, 2)
    assert ledger.guards.approve(SYNC, ANNA, most=10, by=by("cli:approve")) == Approved()
    assert ledger.guards.held() == {}
    assert ledger.guards.held(also_judging=True) == {SYNC: 2}
    lost = Word("anna", also_judging=True)
    assert ledger.guards.approve(SYNC, lost, most=10, by=by("cli:approve")).released == 2


def test_what_a_cut_poll_let_go_is_remembered(ledger: Ledger) -> None:
    """Until a poll comes to its end; the cursor beside it stays."""
    ledger.store_page(page(cursor={"at": 1}), by=by("poll"))
    settle(ledger, passed=7)
    assert ledger.guards.unjudged(SYNC) == Unjudged(passed=7)
    assert ledger.position(SYNC).cursor == {"at": 1}
    settle(ledger)
    assert ledger.guards.unjudged(SYNC) == Unjudged()


def test_only_polls_that_started_something_are_usual(ledger: Ledger) -> None:
    """Idle ones, cut ones, tripped ones and those of other syncs tell nothing."""
    told = [
        ("poll", SYNC, "done", {"staged": 3, "released": 2}),
        ("poll", SYNC, "done", {"staged": 0, "tripped": 900}),
        ("poll", SYNC, "retry", {"staged": 50}),
        ("poll", "other", "done", {"staged": 60}),
        ("submit", SYNC, "done", {"staged": 70}),
        ("poll", SYNC, "done", {"known": 4}),
        ("poll", SYNC, "done", {"staged": 8}),
    ]
    for kind, target, outcome, counts in told:
        id_ = ledger.begin_pass(kind, target, now=NOW)
        ledger.finish_pass(id_, outcome=outcome, counts=counts, now=NOW)
    ledger.begin_pass("poll", SYNC, now=NOW)
    assert ledger.guards.usual_polls(SYNC, most=10) == [8, 5]
    assert ledger.guards.usual_polls(SYNC, most=1) == [8]


def test_a_day_counts_what_was_sealed_and_what_was_approved(ledger: Ledger) -> None:
    """Of this campaign, in the 24 hours before; a refused batch counts no more."""
    answered(ledger, 4)
    refused = sealed(ledger, 3, first=10)
    assert ledger.mark_sent(refused, endpoint="x", now=NOW, by=by("submit"))
    now = NOW + HOUR
    assert ledger.guards.day_use(CAMPAIGN, now=now) == DayUse(7, 0)
    assert ledger.record_refusal(refused, why="no", by=by("submit"))
    wait(ledger, 5, first=20)
    settle(ledger, TRIP)
    ledger.guards.approve(SYNC, ANNA, most=2, by=by("cli:approve"))
    assert ledger.guards.day_use(CAMPAIGN, now=now) == DayUse(4, 2)
    assert ledger.guards.day_use("other", now=now) == DayUse(0, 0)
    assert ledger.guards.day_use(CAMPAIGN, now=NOW + timedelta(hours=24)) == DayUse(0, 0)


def test_what_a_day_has_no_room_for_is_held_a_piece_at_a_time(ledger: Ledger) -> None:
    """One trip for each sync, however many pieces; what comes later is added to it."""
    stage(ledger, 3)
    ledger.store_page(page(lead(5), sync="b"), by=by("poll"))

    def hold() -> Counter[str]:
        return ledger.guards.hold_staged(CAMPAIGN, CAP, sent=4, most=2, by=by("submit"))

    assert [hold(), hold(), hold()] == [{SYNC: 2}, {SYNC: 1, "b": 1}, {}]
    found = {trip.sync: trip.found for trip in ledger.guards.open_trips()}
    assert found == {SYNC: 7, "b": 5}
    assert reasons(ledger) == {DAILY_CAP: 4}
    assert phone(5) not in ledger.taken_phones(CAMPAIGN, [phone(5)])
    counts_are_true(ledger)
