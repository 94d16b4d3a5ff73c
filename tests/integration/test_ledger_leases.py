"""Leases in the ledger: one holder at a time, and an epoch that guards what it writes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.core.lease import Lease
from syncd.errors import Transient
from syncd.ledger.leases import InstanceRow
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from tests.ledgers import (
    CAMPAIGN,
    NOW,
    NOW_MS,
    SYNC,
    answered,
    lead,
    one,
    page,
    phone,
    report,
    rows,
)

MINUTE = timedelta(minutes=1)
#: A lease that is over as soon as it is taken, whatever the database's clock says.
OVER = timedelta(seconds=-1)
NAME = "sync:crm"


def take(ledger: Ledger, holder: str, *, life: timedelta = MINUTE, **more: bool) -> Lease | None:
    told = {"interrupts": False, **more}
    return ledger.leases.take(NAME, holder, life=life, now=NOW, **told)


def taken(ledger: Ledger, holder: str, **more: timedelta) -> Lease:
    lease = take(ledger, holder, **more)
    assert lease is not None
    return lease


def instance(name: str) -> InstanceRow:
    return InstanceRow(name, "host", 1, "0.1.0", NOW, NOW)


def under(lease: Lease) -> By:
    return By("poll", NOW_MS, 1, lease)


def test_one_holder_at_a_time(ledger: Ledger) -> None:
    """Another gets nothing while a lease runs; the holder renews it under its epoch."""
    assert taken(ledger, "a") == Lease(NAME, "a", 1)
    assert take(ledger, "b") is None
    assert taken(ledger, "a") == Lease(NAME, "a", 1)


def test_a_lease_that_ran_out_changes_hands_with_a_new_epoch(ledger: Ledger) -> None:
    """Each new holder has a higher epoch, also one that had the lease before."""
    taken(ledger, "a", life=OVER)
    assert taken(ledger, "b", life=OVER).epoch == 2
    assert taken(ledger, "a").epoch == 3


def test_an_idle_holder_gives_way_to_a_command_only(ledger: Ledger) -> None:
    """A command takes an idle lease, never a busy one; another daemon takes neither."""
    mine = taken(ledger, "a")
    assert take(ledger, "b", interrupts=True) is None
    assert ledger.leases.rest(mine, life=MINUTE, now=NOW)
    assert take(ledger, "b") is None
    lease = take(ledger, "b", interrupts=True)
    assert lease is not None
    assert lease.epoch == 2
    assert not ledger.leases.rest(mine, life=MINUTE, now=NOW)
    assert not ledger.leases.release(mine, now=NOW)
    (row,) = ledger.leases.held(name=NAME, now=NOW)
    assert (row.holder, row.busy, row.host) == ("b", True, None)


def test_a_released_lease_is_anybodys_at_once(ledger: Ledger) -> None:
    """It belongs to nobody, its epoch goes on, and it is not listed."""
    assert ledger.leases.release(taken(ledger, "a"), now=NOW)
    assert ledger.leases.held(now=NOW) == []
    assert taken(ledger, "b").epoch == 2


def test_a_beat_renews_what_is_mine(ledger: Ledger) -> None:
    """A lease that nobody took meanwhile goes on; who is alive and what is held is counted."""
    taken(ledger, "a", life=OVER)
    ledger.leases.beat(instance("b"), life=MINUTE, now=NOW)
    alive = ledger.leases.beat(instance("a"), life=MINUTE, now=NOW)
    assert (alive.instances, alive.leases) == (2, 1)
    assert take(ledger, "b") is None
    (row,) = ledger.leases.held(now=NOW)
    assert (row.host, row.pid) == ("host", 1)
    assert row.left_s > 50


def test_who_signs_off_leaves_nothing_behind(ledger: Ledger) -> None:
    """Its leases are free, and it is not listed any more; the others stay."""
    for name in ("a", "b"):
        ledger.leases.beat(instance(name), life=MINUTE, now=NOW)
    taken(ledger, "a")
    ledger.leases.sign_off("a", now=NOW)
    assert [row.id for row in ledger.leases.instances(now=NOW)] == ["b"]
    assert take(ledger, "b") is not None
    ledger.leases.forget_others("c")
    assert ledger.leases.instances(now=NOW) == []


def test_p4_whoever_was_overtaken_changes_nothing(ledger: Ledger) -> None:
    """P4: a page, a poll's end, reports, attempts and a sweep of an older epoch are refused."""
    answered(ledger, 1)
    old = under(taken(ledger, "a", life=OVER))
    new = under(taken(ledger, "b"))
    before = rows(ledger, "SELECT cursor FROM syncs")
    for verb in (
        lambda by: ledger.store_page(page(lead(9), cursor={"line": 9}), by=by),
        lambda by: ledger.finish_poll(SYNC, "digest", by=by),
        lambda by: ledger.store_reports(CAMPAIGN, [report(1000)], by=by),
        lambda by: ledger.store_attempts(CAMPAIGN, ["1000"], [], by=by),
        lambda by: ledger.match_answer(CAMPAIGN, 1, {}, by=by),
        lambda by: ledger.sweeps.keep_strangers(CAMPAIGN, [report(7)], by=by),
        lambda by: ledger.sweeps.sort_out(CAMPAIGN, [report(7, phone=str(phone(0)))], {}, by=by),
        lambda by: ledger.sweeps.set_swept_to(CAMPAIGN, NOW, by=by),
    ):
        with pytest.raises(Transient, match='taken over "sync:crm" meanwhile'):
            verb(old)
    assert rows(ledger, "SELECT cursor FROM syncs") == before
    assert one(ledger, "SELECT count(*) FROM reports") == 0
    ledger.store_page(page(lead(9), cursor={"line": 9}), by=new)
    assert one(ledger, "SELECT count(*) FROM leads") == 2


def test_a_bucket_is_shared(ledger: Ledger) -> None:
    """A burst goes at once, then each request waits one interval longer than the one before."""
    waits = [ledger.leases.take_turn(CAMPAIGN, interval_s=10.0, burst=3, now=NOW) for _ in range(6)]
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert waits[3:] == pytest.approx([10.0, 20.0, 30.0], abs=2.0)
