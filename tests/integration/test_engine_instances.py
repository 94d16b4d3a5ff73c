"""Several syncd at once: refused on SQLite; on PostgreSQL each lead is called once."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from syncd.app import App
from syncd.campaign import transport
from syncd.core.guards import DayLimits
from syncd.engine import pull_reports, reconcile, submit
from syncd.engine.holding import LeasedHolding
from syncd.engine.passes import PassResult, run_pass
from syncd.errors import LedgerError
from syncd.ledger.ledger import Ledger
from syncd.sandbox.faults import Fault
from tests.running import phone_of
from tests.worlds import LONG_S, World, new_world, poll_all, run_backfill

LEADS = 400


def test_l8_a_second_process_on_sqlite_is_refused(tmp_path: Path) -> None:
    """While one runs passes no other may; afterwards it may, and readers always may."""
    with new_world(tmp_path) as world:
        with world.open(alone=True):
            with pytest.raises(LedgerError, match=r"another syncd \(PID \d+\) runs"):
                world.open(alone=True)
            world.open().close()
        world.open(alone=True).close()


def test_a_ledger_that_cannot_be_opened_is_let_go_of(tmp_path: Path) -> None:
    """A missing ledger is refused, never made, and the right to run passes is given back."""
    with new_world(tmp_path) as world:
        ledger = tmp_path / "syncd.db"
        ledger.rename(tmp_path / "kept.db")
        for _ in range(2):
            with pytest.raises(LedgerError, match="there is no ledger"):
                world.open(alone=True)
        assert not ledger.exists()
        (tmp_path / "kept.db").rename(ledger)
        world.open(alone=True).close()


def test_claims_of_the_dead_are_free_at_once_on_sqlite(tmp_path: Path) -> None:
    """The sole owner of the ledger waits for no lease of a process that was killed."""
    with new_world(tmp_path) as world:
        world.write_leads(5)
        with world.open(alone=True) as app:
            poll_all(app)
            # The batch is sealed and claimed, and its sender is gone.
            with run_pass("submit", "welcome", app.tools) as running:
                app.ledger.seal_batch(
                    "welcome", phones_max=10, now=world.clock.now(), by=running.by()
                )
            told = reconcile.run_once(app.campaign("welcome"), app.tools)
            assert told.counts == {"waiting": 5}
        with world.open(alone=True) as app:
            told = reconcile.run_once(app.campaign("welcome"), app.tools)
            assert told.counts == {"sent": 5, "answered": 5}
        world.assert_each_once(5)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    parts = make_url(url)
    assert parts.database is not None
    conninfo = parts.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo) as connection:
        return connection.execute(query.encode()).fetchall()


def together(*works: Any) -> list[Any]:
    """Run all at the same time; what each gave."""
    start = threading.Barrier(len(works))

    def run(work: Any) -> Any:
        start.wait(10)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result(120) for each in [pool.submit(run, work) for work in works]]


def send_all(app: App, world: World) -> list[PassResult]:
    """Submit and reconcile in turn until nothing of the campaign waits."""
    campaign, results = app.campaign("welcome"), []
    for _ in range(60):
        results.append(submit.run_once(campaign, app.tools))
        results.append(reconcile.run_once(campaign, app.tools))
        if not (submit.has_work(campaign, app.tools) or reconcile.has_work(campaign, app.tools)):
            break
    return results


def test_two_instances_on_postgresql_send_each_lead_once(tmp_path: Path, postgres_url: str) -> None:
    """Two apps poll, submit and reconcile at once, and answers get lost: one job for each lead."""
    with new_world(tmp_path, ledger_url=postgres_url, max_in_flight=3) as world:
        world.write_leads(LEADS)
        world.box.faults.add(
            Fault("answer_lost", count=4, path="addPhones", skip=3),
            Fault("http_500", count=4, path="addPhones", skip=5),
        )
        with world.open(alone=True) as one, world.open(alone=True) as two:
            polled = together(lambda: poll_all(one), lambda: poll_all(two))
            assert sum(told.counts["new"] for each in polled for told in each if told.counts) >= 1
            for _ in range(5):
                both = together(lambda: send_all(one, world), lambda: send_all(two, world))
                world.pass_time(LONG_S)
            outcomes = Counter(told.outcome for each in both for told in each)
            assert set(outcomes) <= {"done", "retry"}, outcomes
        world.assert_one_body_a_key()
        called = world.called()
        assert called == {phone_of(n).lstrip("+"): 1 for n in range(LEADS)}
        told = rows(postgres_url, "SELECT phone, call_job_id, state FROM call_jobs")
        assert {row[2] for row in told} == {"accepted"}
        jobs = [job for job in world.box.jobs() if job.redial is None]
        truth = {(int(job.phone), str(job.id)) for job in jobs}
        assert {(row[0], row[1]) for row in told} == truth


def test_two_submits_at_once_never_fail_each_other(tmp_path: Path, postgres_url: str) -> None:
    """Sealing in two processes takes different jobs, without a deadlock or a lost pass."""
    with new_world(tmp_path, ledger_url=postgres_url, batch_size=7, max_in_flight=4) as world:
        world.write_leads(LEADS)
        with world.open() as one, world.open() as two, world.open() as three:
            poll_all(one)
            apps = (one, two, three)
            results = together(
                *[
                    lambda app=app: submit.run_once(app.campaign("welcome"), app.tools)
                    for app in apps
                ]
            )
            errors = [str(told.error) for told in results if told.error]
            assert errors == []
            assert sum(told.counts.get("answered", 0) for told in results) == LEADS
        assert set(world.called().values()) == {1}


def test_a_limit_of_the_day_holds_for_all_instances(tmp_path: Path, postgres_url: str) -> None:
    """Three submits at once seal no more than the day has room for."""
    limits = DayLimits(max_jobs=10)
    with new_world(tmp_path, ledger_url=postgres_url, batch_size=7, max_in_flight=3) as world:
        world.write_leads(LEADS)
        with world.open() as one, world.open() as two, world.open() as three:
            poll_all(one)
            together(
                *[
                    lambda app=app: submit.run_once(
                        replace(app.campaign("welcome"), day=limits), app.tools
                    )
                    for app in (one, two, three)
                ]
            )
        assert sum(world.called().values()) == 10


def claimed_and_left(app: App, *, sent: bool) -> None:
    """The app polls and claims a batch, and goes no further: before its sending, or after it."""
    poll_all(app)
    step = "record_answer" if sent else "mark_sent"
    with pytest.MonkeyPatch.context() as patch:

        def killed(*_args: Any, **_named: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(Ledger, step, killed)
        with pytest.raises(KeyboardInterrupt):
            submit.run_once(app.campaign("welcome"), app.tools)


def taken_for_dead(app: App) -> None:
    """Nothing was heard of the app for the life of a lease."""
    holding = app.tools.holding
    assert isinstance(holding, LeasedHolding)
    app.ledger.leases.beat(holding.me, life=timedelta(), now=app.tools.clock.now())


def test_a_dead_instances_batches_are_free_with_its_leases(
    tmp_path: Path, postgres_url: str
) -> None:
    """Nobody claims what a living instance claimed; once it is taken for dead, others do at once.

    What it may have sent is a doubt: it waits for the quiet time, and goes with the same key.
    """
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(5)
        with world.open(alone=True) as dead, world.open(alone=True) as heir:
            claimed_and_left(dead, sent=True)
            campaign = heir.campaign("welcome")
            assert reconcile.run_once(campaign, heir.tools).counts == {"waiting": 5}
            taken_for_dead(dead)
            assert reconcile.run_once(campaign, heir.tools).counts == {"in_doubt": 5}
            world.clock.set(world.clock.now() + timedelta(minutes=2))
            told = reconcile.run_once(campaign, heir.tools)
            assert told.counts == {"resent": 5, "answered": 5}
        world.assert_one_body_a_key()
        assert set(world.called().values()) == {1}


def test_an_instance_that_only_seemed_dead_sends_nothing(tmp_path: Path, postgres_url: str) -> None:
    """It was paused before its sending, others sent its batch: its claim is of an older epoch."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(5)
        with world.open(alone=True) as paused, world.open(alone=True) as heir:
            poll_all(paused)
            campaign, mark_sent = paused.campaign("welcome"), paused.ledger.mark_sent

            def late(*args: Any, **named: Any) -> bool:
                taken_for_dead(paused)
                told = reconcile.run_once(heir.campaign("welcome"), heir.tools)
                assert told.counts == {"sent": 5, "answered": 5}
                return mark_sent(*args, **named)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(paused.tools.ledger, "mark_sent", late)
                told = submit.run_once(campaign, paused.tools)
            assert told.counts["overtaken"] == 5
        assert len(world.sendings) == 1
        assert set(world.called().values()) == {1}


def test_an_instance_that_wakes_up_before_its_first_byte_sends_nothing(
    tmp_path: Path, postgres_url: str
) -> None:
    """Its intent was committed, then it slept; others have sent the batch: 0 bytes more."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(5)
        with world.open(alone=True) as paused, world.open(alone=True) as heir:
            poll_all(paused)
            exchange = transport.Transport.exchange

            def late(self: transport.Transport, *more: Any) -> Any:
                patch.undo()
                taken_for_dead(paused)
                for _ in range(2):
                    told = reconcile.run_once(heir.campaign("welcome"), heir.tools)
                    world.clock.set(world.clock.now() + timedelta(minutes=2))
                assert told.counts == {"resent": 5, "answered": 5}
                return exchange(self, *more)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(transport.Transport, "exchange", late)
                told = submit.run_once(paused.campaign("welcome"), paused.tools)
            assert told.counts["overtaken"] == 5
        asked = [entry for entry in world.box.requests.entries() if "addPhones" in entry["path"]]
        assert len(asked) == 1
        assert set(world.called().values()) == {1}


def test_an_instance_that_ended_leaves_no_claims(tmp_path: Path, postgres_url: str) -> None:
    """It signed off: what it had sealed is free at once."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(5)
        with world.open(alone=True) as ended:
            claimed_and_left(ended, sent=False)
        with world.open(alone=True) as heir:
            told = reconcile.run_once(heir.campaign("welcome"), heir.tools)
            assert told.counts == {"sent": 5, "answered": 5}
        assert set(world.called().values()) == {1}


def test_a_claim_without_an_instance_ends_by_time(tmp_path: Path, postgres_url: str) -> None:
    """Who has no ID cannot be found dead: ten minutes free its batch."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(5)
        with world.open() as nobody, world.open(alone=True) as heir:
            claimed_and_left(nobody, sent=True)
            campaign = heir.campaign("welcome")
            assert reconcile.run_once(campaign, heir.tools).counts == {"waiting": 5}
            world.clock.set(world.clock.now() + timedelta(minutes=10))
            told = reconcile.run_once(campaign, heir.tools)
            assert told.counts == {"resent": 5, "answered": 5}


def test_a_whole_life_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """Backfill, short answers, a second backfill and all outcomes, as on SQLite."""
    with new_world(tmp_path, ledger_url=postgres_url, batch_size=50) as world:
        world.write_leads(150)
        world.box.faults.add(Fault("short_answer", path="addPhones"))
        with world.open(alone=True) as app:
            results = run_backfill(app)
            assert results["poll"].counts["staged"] == 150
            assert run_backfill(app)["poll"].counts["known"] == 150
            world.pass_time(3 * 86_400)
            told = pull_reports.run_once(app.campaign("welcome"), app.tools)
            assert told.counts["closed"] == 149
        states = dict(rows(postgres_url, "SELECT state, count(*) FROM call_jobs GROUP BY 1"))
        assert states == {"closed": 149, "duplicate": 1}


def test_sealing_at_once_waits_for_nobody(tmp_path: Path, postgres_url: str) -> None:
    """Four instances seal 5,000 jobs: no deadlock, no failure, each job in one batch."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(5_000)
        with world.open() as app:
            poll_all(app)

        def sealing() -> list[int]:
            sealed: list[int] = []
            with world.open() as app, run_pass("submit", "welcome", app.tools) as running:
                named = {"phones_max": 100, "now": world.clock.now(), "by": running.by()}
                while batch := app.ledger.seal_batch("welcome", **named):  # type: ignore[arg-type]
                    sealed += [job for job, _ in batch.members]
            assert running.error is None
            return sealed

        jobs = [job for each in together(*[sealing] * 4) for job in each]
    assert len(jobs) == len(set(jobs)) == 5_000
