"""Faults of a PostgreSQL ledger: connections, commits, leases, PgBouncer, standbys (P1 to P6)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url

from syncd.app import App
from syncd.clock import to_ms
from syncd.engine import pull_reports, reconcile, submit
from syncd.engine.passes import PassResult
from syncd.errors import HeldElsewhere, LedgerError, Transient
from syncd.ledger import postgres, reports
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.ledger.store import open_store
from tests.running import PATIENCE_S, eventually, phone_of
from tests.worlds import LONG_S, ROUNDS_MAX, World, new_world, poll_all

LEADS = 20
ROUND = (submit, reconcile, pull_reports)


@pytest.fixture
def postgres_url(_postgres_template: str, postgres_server: str) -> Iterator[str]:
    """A database with an empty ledger, copied: a migration costs more than most of these tests."""
    url = make_url(postgres_server)
    name = f"{_postgres_template}_faults"
    with server(postgres_server) as there:
        there.execute(f"CREATE DATABASE {name} TEMPLATE {_postgres_template}".encode())
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server(postgres_server) as there:
            there.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def server(url: str) -> psycopg.Connection[Any]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


def sql(url: str, query: str) -> list[tuple[Any, ...]]:
    """Run one statement beside syncd; its rows."""
    with server(url) as connection:
        done = connection.execute(query.encode())
        return done.fetchall() if done.description else []


def terminate(url: str, *, but: int = 0) -> None:
    """Cut every connection of this database but ours and this one."""
    query = f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), {but})"""
    sql(url, query)


def assert_each_once(world: World, leads: int = LEADS) -> None:
    """Each lead has one job at the vendor, and the ledger has its ID."""
    assert world.called() == {phone_of(n).lstrip("+"): 1 for n in range(leads)}
    told = sql(world.ledger_url, "SELECT phone, call_job_id FROM call_jobs")
    truth = {(int(job.phone), str(job.id)) for job in world.box.jobs() if job.redial is None}
    assert set(told) == truth


def converge(world: World, app: App) -> None:
    """Passes come again, as the daemon's do, until nothing waits any more."""
    campaign = app.campaign("welcome")
    for _ in range(ROUNDS_MAX):
        with suppress(Transient):
            poll_all(app)
            for pass_ in ROUND:
                pass_.run_once(campaign, app.tools)
            waits = [one.has_work(campaign, app.tools) for one in (submit, reconcile)]
            if not any(waits) and polled_to_the_end(world):
                return
        world.pass_time(LONG_S)
    message = "it does not converge"
    raise AssertionError(message)


def polled_to_the_end(world: World) -> bool:
    ((count,),) = sql(world.ledger_url, "SELECT count(*) FROM leads")
    return bool(count == LEADS)


@contextmanager
def cut_commit(app: App, url: str, number: int, *, committed: bool) -> Iterator[list[int]]:
    """The server drops the connection at this commit: before it, or before its answer arrives."""
    engine = app.ledger._store.writer
    seen: list[int] = []

    def cut(connection: Connection) -> None:
        seen.append(len(seen) + 1)
        if len(seen) != number:
            return
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, psycopg.Connection)
        pid = raw.info.backend_pid
        if committed:
            raw.commit()
        sql(url, f"SELECT pg_terminate_backend({pid})")

    event.listen(engine, "commit", cut)
    try:
        yield seen
    finally:
        event.remove(engine, "commit", cut)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("number", range(1, 18))
def test_p1_a_connection_lost_at_any_commit_converges(
    tmp_path: Path, postgres_url: str, number: int, committed: bool
) -> None:
    """P1: whether the commit was made or not, the rows are read again, and each lead goes once."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as app:
            with cut_commit(app, postgres_url, number, committed=committed) as seen:
                with suppress(Transient):
                    poll_all(app)
                for pass_ in ROUND:
                    with suppress(Transient):
                        pass_.run_once(app.campaign("welcome"), app.tools)
                assert len(seen) >= number, "there is no such commit: the range is too long"
            converge(world, app)
        world.assert_one_body_a_key()
        assert_each_once(world)


def test_p1_a_connection_lost_inside_a_transaction_converges(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P1: every connection is cut while reports are stored; they are stored by the next pull."""
    real, cuts = reports.keep_reports, []

    def cut(connection: Connection, *more: Any) -> None:
        if not cuts:
            cuts.append(1)
            terminate(postgres_url)
        real(connection, *more)

    monkeypatch.setattr(reports, "keep_reports", cut)
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as app:
            poll_all(app)
            campaign = app.campaign("welcome")
            submit.run_once(campaign, app.tools)
            world.pass_time(86_400)
            with suppress(Transient):
                assert pull_reports.run_once(campaign, app.tools).outcome == "retry"
            told = pull_reports.run_once(campaign, app.tools)
            assert told.counts["closed"] == LEADS
        assert_each_once(world)


def signed(app: App) -> By:
    return By("cli:recover", to_ms(app.tools.clock.now()))


def test_p2_another_server_sends_nothing_before_a_recovery(
    tmp_path: Path, postgres_url: str
) -> None:
    """P2: with another timeline than the ledger's every sending is held, in each process."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as app:
            poll_all(app)
        sql(postgres_url, "UPDATE meta SET value = value || '0' WHERE name = 'server'")
        with world.open(alone=True) as app, world.open() as other:
            for each in (app, other):
                told = submit.run_once(each.campaign("welcome"), each.tools)
                assert told.outcome == "halted"
                assert told.exit_code == 3
                assert told.error is not None
                assert "syncd recover" in told.error.hint
            assert world.called() == {}
            assert app.ledger.end_recovery(by=signed(app))
            converge(world, app)
        with world.open(alone=True) as app:
            assert app.ledger.recovery_needed() is None, "the server is known now"
        assert_each_once(world)


def overtake(url: str) -> None:
    """Every lease runs out, as if its holder had not been heard of."""
    sql(url, "UPDATE leases SET until = 0")


def test_p4_a_poll_that_was_paused_past_its_lease_stores_nothing(
    tmp_path: Path, postgres_url: str
) -> None:
    """P4: another instance has read on; the one that wakes up moves neither leads nor cursor."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as paused, world.open(alone=True) as heir:
            real = Ledger.store_page
            results: list[list[PassResult]] = []

            def then_wakes(ledger: Ledger, *args: Any, **named: Any) -> Any:
                if ledger is paused.ledger and not results:
                    overtake(postgres_url)
                    results.append(poll_all(heir))
                return real(ledger, *args, **named)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Ledger, "store_page", then_wakes)
                (told,) = poll_all(paused)
            assert told.outcome == "retry"
            assert "taken over" in str(told.error)
            assert results[0][0].counts["new"] == LEADS
            converge(world, heir)
        assert_each_once(world)


def test_p4_a_pull_that_was_paused_past_its_lease_stores_nothing(
    tmp_path: Path, postgres_url: str
) -> None:
    """P4: the same for reports: they are stored once, by the instance that took over."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as paused, world.open(alone=True) as heir:
            poll_all(paused)
            submit.run_once(paused.campaign("welcome"), paused.tools)
            world.pass_time(86_400)
            real, told = Ledger.store_reports, []

            def then_wakes(ledger: Ledger, *args: Any, **named: Any) -> Any:
                if ledger is paused.ledger and not told:
                    overtake(postgres_url)
                    told.append(pull_reports.run_once(heir.campaign("welcome"), heir.tools))
                return real(ledger, *args, **named)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Ledger, "store_reports", then_wakes)
                late = pull_reports.run_once(paused.campaign("welcome"), paused.tools)
            assert (late.outcome, late.counts.get("closed", 0)) == ("retry", 0)
            assert told[0].counts["closed"] == LEADS


def test_a_command_waits_for_a_busy_instance_then_names_it(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a daemon's poll is at work a command waits for a lease's time, and says for whom."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(LEADS)
        stop = threading.Event()
        with world.open(alone=True) as daemon, world.open(alone=True, stop=stop) as command:
            daemon.tools.holding.stay()
            monkeypatch.setattr(command.tools.holding, "_life", timedelta(0))
            with (
                daemon.tools.holding.held("sync:leads"),
                pytest.raises(HeldElsewhere, match=r'at work on sync "leads" \(.*, PID \d+\)'),
            ):
                poll_all(command)
            monkeypatch.undo()
            # Idle now: a command takes it, the daemon gets it back, and takes none that is held.
            assert poll_all(command)[0].outcome == "done"
            assert poll_all(daemon)[0].outcome == "done"
            with command.tools.holding.held("sync:leads"), pytest.raises(HeldElsewhere):
                poll_all(daemon)


def test_an_instance_gives_leases_away_until_it_has_its_share(
    tmp_path: Path, postgres_url: str
) -> None:
    """Of two leases the second instance gets one; alone, an instance keeps both."""
    with new_world(tmp_path, ledger_url=postgres_url) as world, world.open(alone=True) as one:
        names = ["sync:a", "sync:b"]
        one.tools.holding.stay()
        for name in names:
            with one.tools.holding.held(name):
                pass
        held = one.ledger.leases.held(now=world.clock.now())
        assert [row.name for row in held] == names
        with world.open(alone=True) as two:
            two.tools.holding.stay()
            one.tools.holding.beat()  # type: ignore[attr-defined]
            with pytest.raises(HeldElsewhere), two.tools.holding.held("sync:a"):
                pass
            for name in names:
                with one.tools.holding.held(name):
                    pass
            with two.tools.holding.held("sync:a"):
                pass
            with pytest.raises(HeldElsewhere), two.tools.holding.held("sync:b"):
                pass


def test_requests_of_all_instances_share_one_pace(tmp_path: Path, postgres_url: str) -> None:
    """With a second instance alive a turn is taken in the ledger, alone it is not."""
    with new_world(tmp_path, ledger_url=postgres_url) as world, world.open(alone=True) as one:
        one.campaign("welcome").client.status()
        query = "SELECT count(*) FROM campaigns WHERE next_turn_at IS NOT NULL"
        assert sql(postgres_url, query) == [(0,)]
        with world.open(alone=True) as two:
            two.campaign("welcome").client.status()
            assert sql(postgres_url, query) == [(1,)]


def in_thread(work: Callable[[], Any]) -> Any:
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(work)
    finally:
        pool.shutdown(wait=False)


def test_p5_a_deadlock_ends_the_pass_and_the_next_one_goes_on(
    tmp_path: Path, postgres_url: str
) -> None:
    """P5: the poll is the victim; nothing of its page is there, and the next poll stores it."""
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as app, server(postgres_url) as other:
            other.execute("INSERT INTO campaigns (name) VALUES ('welcome')")
            other.execute("SET deadlock_timeout = '1h'")
            other.execute("BEGIN")
            other.execute("SELECT 1 FROM campaigns WHERE name = 'welcome' FOR UPDATE")
            polled = in_thread(lambda: poll_all(app))
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
            eventually(lambda: sql(postgres_url, waiting), "the poll waits")
            other.execute("UPDATE leases SET busy = true")
            other.execute("ROLLBACK")
            (told,) = polled.result(PATIENCE_S)
            assert told.outcome == "retry"
            assert "deadlock" in str(told.error)
            converge(world, app)
        assert_each_once(world)


def test_p5_serialization_failures_are_tried_again(tmp_path: Path, postgres_url: str) -> None:
    """P5: at the strictest isolation two instances at once still send each lead once."""
    with new_world(tmp_path, ledger_url=postgres_url, batch_size=3) as world:
        name = make_url(postgres_url).database
        sql(
            postgres_url,
            f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'",
        )
        world.write_leads(LEADS)
        with world.open(alone=True) as one, world.open(alone=True) as two:
            poll_all(one)

            def send(app: App) -> None:
                for _ in range(6):
                    with suppress(Transient):
                        submit.run_once(app.campaign("welcome"), app.tools)

            for each in [in_thread(lambda app=app: send(app)) for app in (one, two)]:
                each.result(PATIENCE_S)
            world.pass_time(LONG_S)
            converge(world, one)
        assert_each_once(world)


def test_p5_an_exhausted_pool_is_waited_out(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5: with every connection in use a verb says so, and later goes on."""
    monkeypatch.setattr(postgres, "POOL_SIZE", 1)
    monkeypatch.setattr(postgres, "POOL_OVERFLOW", 0)
    monkeypatch.setattr(postgres, "POOL_WAIT_S", 0.05)
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as app:
            with app.ledger._store.read(), pytest.raises(Transient, match="is in use"):
                poll_all(app)
            converge(world, app)
        assert_each_once(world)


def test_p6_a_server_that_became_a_standby_is_left(tmp_path: Path, postgres_url: str) -> None:
    """P6: where nothing can be written nothing is sent; new connections find the primary again."""
    name = make_url(postgres_url).database
    with new_world(tmp_path, ledger_url=postgres_url) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as app:
            poll_all(app)
            sql(postgres_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            terminate(postgres_url)
            errors = []
            for _ in range(3):
                with pytest.raises(Transient) as caught:
                    submit.run_once(app.campaign("welcome"), app.tools)
                errors.append(str(caught.value))
            assert any("takes no writes" in error for error in errors)
            assert world.called() == {}
            # The read-only connections of before would stay so: they must have been given up.
            sql_writable(postgres_url, f"ALTER DATABASE {name} RESET default_transaction_read_only")
            converge(world, app)
        assert_each_once(world)


def sql_writable(url: str, query: str) -> None:
    with server(url) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(query.encode())


def test_a_server_that_may_lose_commits_is_refused(tmp_path: Path, postgres_url: str) -> None:
    """With synchronous_commit off a committed intent could be lost: the ledger is not opened."""
    name = make_url(postgres_url).database
    sql(postgres_url, f"ALTER DATABASE {name} SET synchronous_commit = off")
    with pytest.raises(LedgerError, match="synchronous_commit = off"):
        open_store(postgres_url)
    sql(postgres_url, f"ALTER DATABASE {name} SET synchronous_commit = local")
    open_store(postgres_url).close()


def test_g4_a_server_that_is_gone_without_a_word_is_given_up(postgres_url: str) -> None:
    """No pass waits for hours for a host that vanished, unless the URL says so."""
    asked = make_url(postgres_url).update_query_dict({"keepalives_idle": "600"})
    store = open_store(asked.render_as_string(hide_password=False))
    try:
        with store.read() as connection:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, psycopg.Connection)
            told = raw.info.get_parameters()
    finally:
        store.close()
    limits = {name: told[name] for name in postgres.PATIENCE}
    assert limits == {**postgres.PATIENCE, "keepalives_idle": "600"}
