"""Retry: who was not called goes again, once, and the guards hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.clock import to_ms
from syncd.core import retry as reasons
from syncd.core.call_job import PHONE_KNOWN, JobState
from syncd.core.call_policy import CallPolicy, OnWithdrawn
from syncd.core.guards import Tripwires
from syncd.core.withdrawal import LEFT_SOURCE, SUPPRESSED
from syncd.engine import approve, renew, retry, sweep
from syncd.engine.retry import Found
from syncd.ledger import retries
from syncd.ledger.approvals import Word
from syncd.ledger.moves import By
from syncd.ledger.retries import RetryFilter
from syncd.ledger.suppressions import Listed
from syncd.sandbox.faults import Fault
from tests.running import phone_of
from tests.worlds import World, new_world, poll_all, settle

LEADS = 8
REFUSED = (JobState.REFUSED,)
FREE = Tripwires()
BY = By("test", 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with new_world(tmp_path) as made:
        made.write_leads(LEADS)
        yield made


@pytest.fixture
def app(world: World) -> Iterator[App]:
    """Leads 1 and 2 were refused by name; the vendor takes them now."""
    for n in (1, 2):
        phone = phone_of(n).lstrip("+")
        error = {"type": "phone.bad.format", "phone": phone}
        world.box.faults.add(
            Fault("refused", path="addPhones", where=phone, count=None, error=error)
        )
    with world.open(alone=True) as opened:
        poll_all(opened)
        settle(world, opened)
        assert world.states() == {"accepted": LEADS - 2, "refused": 2}
        world.box.faults.clear()
        yield opened


def asked(**more: Any) -> RetryFilter:
    return RetryFilter(**{"sync": "leads", "campaign": "welcome", "states": REFUSED} | more)


def look(app: App, tripwires: Tripwires = FREE, most: int | None = None, **more: Any) -> Found:
    return retry.look(asked(**more), tripwires, app.ledger, app.tools.clock, most=most)


def run(app: App, found: Found) -> int:
    return retry.run(found, "ann", app.ledger, app.tools.clock)


def test_refused_leads_go_again_once_under_another_key(world: World, app: App) -> None:
    """A look writes nothing; then a new generation is sent, and the journal says who."""
    before = world.sql("SELECT count(*) FROM journal")
    found = look(app)
    assert (found.again, found.skipped, [job.key for job in found.first]) == (2, {}, ["1", "2"])
    assert world.sql("SELECT count(*) FROM journal") == before
    assert run(app, found) == 2
    assert run(app, found) == 0, "whoever went is not meant any more"
    settle(world, app)
    world.assert_each_once(LEADS)
    assert world.sql("SELECT max(generation) FROM call_jobs WHERE id IN (2, 3)") != [(1,)]
    told = world.sql("SELECT actor, from_state, to_state FROM journal WHERE why = 'retried by ann'")
    assert told == [("cli:retry", "refused", "staged")]


def test_the_filter_says_who_is_meant(world: World, app: App) -> None:
    """By reason, by state, by age, and the oldest of them."""
    assert look(app, reasons=("phone.bad.format",)).again == 2
    assert look(app, reasons=("other",)).jobs == 0
    assert look(app, states=(JobState.CANCELLED,)).jobs == 0
    assert look(app, since=world.clock.now() + timedelta(seconds=1)).jobs == 0
    found = look(app, most=1)
    assert (found.again, run(app, found)) == (1, 1)
    assert world.states()["refused"] == 1


def test_whoever_has_a_call_meanwhile_stays(world: World, app: App) -> None:
    """Another lead with the phone was called, or somebody called by hand."""
    world.write([(100, phone_of(1), "Again")])
    poll_all(app)
    settle(world, app)
    world.box.call_by_hand([{"phone": phone_of(2)}])
    world.pass_time(3_600)
    sweep.run_once(app.campaign("welcome"), app.tools)
    found = look(app)
    assert found.skipped == {PHONE_KNOWN: 1, reasons.MAY_BE_CALLED: 1}
    assert run(app, found) == 0


def test_one_phone_goes_once(world: World, app: App) -> None:
    """Two refused leads with one phone: the older one; with one call a lead: both."""
    world.execute("UPDATE call_jobs SET phone = (SELECT phone FROM call_jobs WHERE id = 2)")
    world.execute("UPDATE call_jobs SET phone = id WHERE state <> 'refused'")
    assert look(app).skipped == {PHONE_KNOWN: 1}
    assert look(app, policy=CallPolicy(per_phone=False)).again == 2


def test_do_not_call_lists_and_withdrawals_hold(world: World, app: App) -> None:
    """Whoever is on a list, or whose row has left, does not go."""
    phone = phone_of(1).lstrip("+")
    app.ledger.withdrawals.store_listed("dnc", [Listed("phone", phone)], by=BY)
    world.execute("UPDATE leads SET withdrawn_at = 1 WHERE key = '2'")
    policy = CallPolicy(lists=("dnc",), on_withdrawn=OnWithdrawn.CANCEL)
    assert look(app, policy=policy).skipped == {SUPPRESSED: 1, LEFT_SOURCE: 1}
    assert look(app).again == 2


def test_a_tripwire_holds_a_retry_for_a_person(world: World, app: App) -> None:
    """As many as a poll may not start at once are held; `approve` lets them go."""
    found = look(app, Tripwires(max_new=1))
    assert found.limit is not None
    assert run(app, found) == 2
    assert world.states()["held"] == 2
    (trip,) = app.ledger.guards.open_trips()
    assert (trip.guard, trip.allowed, trip.found) == ("max_new_per_poll", 1, 2)
    assert look(app, Tripwires(max_new=2)).limit is None
    approve.run("leads", Word("ann"), app.ledger, app.tools.clock, limit=None)
    settle(world, app)
    world.assert_each_once(LEADS)


def test_many_small_retries_are_one_large_one(world: World, app: App) -> None:
    """What went again in the last 24 hours counts with what goes now, and then no more."""
    wires = Tripwires(max_new=1)
    first = look(app, wires, most=1)
    assert (first.limit, run(app, first)) == (None, 1)
    second = look(app, wires)
    assert (second.before, second.again, second.limit is not None) == (1, 1, True)
    assert run(app, second) == 1
    assert world.states()["held"] == 1
    (trip,) = app.ledger.guards.open_trips()
    assert (trip.guard, trip.found) == ("max_new_per_poll", 2)
    assert app.ledger.guards.day_use("welcome", now=world.clock.now()).approved == 0
    world.pass_time(24 * 3_600 + 1)
    assert look(app, wires).before == 0


def test_growth_beyond_what_is_usual_holds_a_retry(world: World, app: App) -> None:
    """The relative tripwire looks at earlier polls, like that of a poll."""
    wires = Tripwires(max_growth=1.0, growth_floor=1)
    assert look(app, wires).limit is None, "too few polls to know what is usual"
    for n in range(5):
        world.write_leads(1, first=20 + n)
        poll_all(app)
    assert look(app, wires).limit is not None


def test_cancelled_leads_go_again_by_name_only(world: World, app: App) -> None:
    """A person cancelled before the sending; one that was parked and dropped stays."""
    world.write_leads(2, first=20)
    poll_all(app)
    open_jobs = app.ledger.cancellable(sync="leads")
    jobs = [job.job_id for job in open_jobs if job.state is JobState.STAGED]
    app.ledger.cancel_unsent(jobs, why="cancelled by a person", by=BY)
    world.execute(f"UPDATE call_jobs SET batch_id = 1 WHERE id = {jobs[0]}")
    assert look(app).jobs == 2
    found = look(app, states=(JobState.CANCELLED,))
    assert (found.again, found.skipped) == (1, {reasons.MAY_BE_CALLED: 1})


def test_expired_leads_need_a_new_end(tmp_path: Path) -> None:
    """Without one they would only expire once more; with one the vendor gets it."""
    mapping = 'gmtZone = "+00:00"\nfinishDateTime = "{finish}"'
    with new_world(tmp_path, mapping=mapping) as world:
        finish = (world.clock.now() + timedelta(minutes=10)).isoformat()
        world.write([(n, phone_of(n), finish) for n in range(3)], columns="id,phone,finish")
        with world.open(alone=True) as app:
            poll_all(app)
            world.pass_time(3_600)
            settle(world, app)
            assert world.states() == {"expired": 3}
            expired = (JobState.EXPIRED,)
            assert look(app, states=expired).skipped == {reasons.FINISH_PASSED: 3}
            later = world.clock.now() + timedelta(days=1)
            assert run(app, look(app, states=expired, finish=later)) == 3
            settle(world, app)
        world.assert_each_once(3)
        assert f"{later:%Y-%m-%dT%H:%M:%SZ}".encode() in world.sendings[-1].body


def test_a_job_of_slices_gets_its_new_end_and_its_next_slice(tmp_path: Path) -> None:
    """The end that is sent is the slice's, in its window: it is not sent twice."""
    mapping = 'gmtZone = "+00:00"\nfinishDateTime = "{finish}"\n'
    mapping += "[syncs.leads.hours]\nclosed = [2026-03-20]"
    with new_world(tmp_path, mapping=mapping) as world:
        finish = (world.clock.now() + timedelta(days=1)).isoformat()
        world.write([(0, phone_of(0), finish)], columns="id,phone,finish")
        with world.open(alone=True) as app:
            poll_all(app)
            world.pass_time(2 * 24 * 3_600)
            settle(world, app)
            assert world.states() == {"expired": 1}
            expired = (JobState.EXPIRED,)
            assert look(app, states=expired).skipped == {reasons.FINISH_PASSED: 1}
            later = world.clock.now() + timedelta(days=10)
            assert run(app, look(app, states=expired, finish=later)) == 1
            settle(world, app)
            assert world.states() == {"held": 1}
            renew.run_once(app.campaign("welcome"), app.tools)
            settle(world, app)
        world.assert_each_once(1)
        assert world.sendings[-1].body.count(b"finishDateTime") == 1
        assert b"2026-03-11T00:00:00Z" in world.sendings[-1].body
        assert world.sql("SELECT ends_at FROM call_jobs") == [(to_ms(later),)]


def test_pages_of_jobs_are_walked_whole(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, and wherever those stand that do not go."""
    monkeypatch.setattr(retries, "AT_ONCE", 1)
    found = look(app)
    assert found.again == 2
    assert run(app, found) == 2
    settle(world, app)
    world.assert_each_once(LEADS)
