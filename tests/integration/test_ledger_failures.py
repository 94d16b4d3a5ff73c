"""A full disk, a lost server, a verb that dies: nothing is stored by halves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url

from syncd.core.call_job import JobState
from syncd.errors import LedgerError, Transient
from syncd.ledger.ledger import Ledger
from tests.ledgers import (
    CAMPAIGN,
    ENDPOINT,
    HOUR,
    NOW,
    answered,
    assert_consistent,
    attempt,
    by,
    job,
    lead,
    new_ledger,
    page,
    phone,
    report,
    rows,
    seal,
    sealed,
    sent,
    snapshot,
    sqlite_url,
    stage,
    tally,
)


@contextmanager
def full_disk(ledger: Ledger) -> Iterator[None]:
    """The file cannot grow by a page."""
    with ledger._store.write("test") as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        with ledger._store.write("test") as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")


def test_a_full_disk_stores_nothing_by_halves(tmp_path: Path) -> None:
    """A page that does not fit is refused whole, the cursor stays, and later it goes in."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    stage(ledger, 10)
    found = page(*[lead(n) for n in range(10, 900)], cursor={"line": 9})
    with full_disk(ledger):
        before = snapshot(ledger)
        with pytest.raises(LedgerError, match="full") as caught:
            ledger.store_page(found, by=by("poll"))
        assert "disk space" in caught.value.hint
        assert snapshot(ledger) == before
    ledger.store_page(found, by=by("poll"))
    assert tally(ledger) == {"staged": 900}
    assert ledger.position("crm").cursor == {"line": 9}
    assert_consistent(ledger)
    ledger.close()


def test_l2_on_a_full_disk_nothing_is_sent(tmp_path: Path) -> None:
    """A batch that cannot be committed does not exist: its jobs are still staged."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    stage(ledger, 900)
    with full_disk(ledger):
        with pytest.raises(LedgerError, match="full"):
            seal(ledger, size=900)
        assert tally(ledger) == {"staged": 900}
        assert rows(ledger, "SELECT * FROM batches") == []
    assert seal(ledger, size=900) is not None
    ledger.close()


def prepared(ledger: Ledger) -> dict[str, Callable[[], object]]:
    """Every verb that writes, ready to be called, on a ledger with something in each state."""
    ledger.store_page(page(lead(90, mapped=job(90, held="no_zone"))), by=by())
    answered(ledger, 3)
    ledger.store_reports(CAMPAIGN, [report(1000, attempts_count=2)], by=by())
    short = sent(ledger, sealed(ledger, 2, first=10))
    ledger.record_answer(short, ["x"], next_report_at=NOW, by=by())
    first, second, third = (sent(ledger, sealed(ledger, 2, first=n)) for n in (20, 30, 40))
    unsent = sealed(ledger, 2, first=50)
    stage(ledger, 3, first=60)
    running = ledger.begin_pass("poll", "crm", now=NOW)
    guilty = {phone(20): JobState.REFUSED}
    new = page(lead(80), changed=[(1, 5)], released=[(1, job(90))], cursor={"a": 1})
    return {
        "store_page": lambda: ledger.store_page(new, by=by()),
        "seal_batch": lambda: seal(ledger, size=2),
        "mark_sent": lambda: ledger.mark_sent(unsent, endpoint=ENDPOINT, now=NOW, by=by()),
        "record_refusal": lambda: ledger.record_refusal(first, why="n", guilty=guilty, by=by()),
        "record_answer": lambda: ledger.record_answer(
            second, ["1", "2"], next_report_at=NOW, by=by()
        ),
        "record_no_answer": lambda: ledger.record_no_answer(
            third, in_doubt=True, outcome="timeout", next_at=NOW
        ),
        "match_answer": lambda: ledger.match_answer(CAMPAIGN, short.id, {phone(10): "x"}, by=by()),
        "claim_open_batch": lambda: ledger.claim_open_batch(CAMPAIGN, after_id=0, now=NOW + HOUR),
        "store_reports": lambda: ledger.store_reports(CAMPAIGN, [report(1001)], by=by()),
        "store_attempts": lambda: ledger.store_attempts(
            CAMPAIGN, ["1000"], [attempt("1000")], by=by()
        ),
        "cancel_unsent": lambda: ledger.cancel_unsent([1, 13], why="asked", by=by()),
        "halt": lambda: ledger.halt(CAMPAIGN, "stopped", by=by()),
        "finish_poll": lambda: ledger.finish_poll("crm", "digest", by=by()),
        "finish_pass": lambda: ledger.finish_pass(running, outcome="done", counts={}, now=NOW),
    }


class Cut(Exception):
    """The process dies here."""


VERBS = (
    "store_page",
    "seal_batch",
    "mark_sent",
    "record_refusal",
    "record_answer",
    "record_no_answer",
    "match_answer",
    "claim_open_batch",
    "store_reports",
    "store_attempts",
    "cancel_unsent",
    "halt",
    "finish_poll",
    "finish_pass",
)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_dies_at_any_statement_changes_nothing(ledger: Ledger, verb: str) -> None:
    """Cut before each of its statements and before its commit, a verb is all or nothing."""
    call = prepared(ledger)[verb]
    before = snapshot(ledger)
    engine = ledger._store.writer
    left = 0

    def count_down(*_: Any) -> None:
        nonlocal left
        if left == 0:
            raise Cut
        left -= 1

    event.listen(engine, "before_cursor_execute", count_down)
    event.listen(engine, "commit", count_down)
    died = 0
    while True:
        left = died
        try:
            call()
        except Cut:
            left = 10**9
            assert snapshot(ledger) == before, f"died at statement {died}"
            died += 1
        else:
            break
    left = 10**9
    assert died >= 2
    assert snapshot(ledger) != before
    assert_consistent(ledger)


def terminated(url: str) -> int:
    """Cut every connection to the database; how many there were."""
    plain = make_url(url).set(drivername="postgresql", database="postgres")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as server:
        cut = server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [make_url(url).database],
        ).fetchall()
    return len(cut)


@pytest.fixture
def on_server(postgres_url: str) -> Iterator[Ledger]:
    """A ledger on PostgreSQL."""
    ledger = new_ledger(postgres_url)
    yield ledger
    ledger.close()


def test_a_server_that_was_restarted_is_found_again(on_server: Ledger, postgres_url: str) -> None:
    """Connections that died in the pool are replaced; nobody notices."""
    stage(on_server, 2)
    assert terminated(postgres_url) >= 1
    stage(on_server, 2, first=2)
    assert tally(on_server) == {"staged": 4}


def test_a_connection_that_is_lost_in_a_transaction_is_transient(
    on_server: Ledger, postgres_url: str
) -> None:
    """The transaction is gone, nothing of it is stored, and trying again later is right."""

    def lose() -> None:
        with on_server._store.write("test") as connection:
            connection.execute(text("INSERT INTO syncs (name) VALUES ('half')"))
            terminated(postgres_url)
            connection.execute(text("SELECT 1"))

    with pytest.raises(Transient):
        lose()
    assert rows(on_server, "SELECT * FROM syncs") == []


def test_a_server_that_went_away_is_transient(
    on_server: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later than at the start, a server that cannot be reached is waited for."""

    def refused(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("connection refused")

    on_server._store.writer.dispose()
    monkeypatch.setattr(on_server._store.writer.dialect, "connect", refused)
    with pytest.raises(Transient, match="refused"):
        stage(on_server, 1)
    monkeypatch.undo()
    stage(on_server, 1)
    assert tally(on_server) == {"staged": 1}


def test_a_deadlock_is_transient(on_server: Ledger) -> None:
    """Of two transactions that wait for each other one is undone and may be tried again."""
    for name in ("a", "b"):
        on_server.finish_poll(name, "d", by=by())
    ready = threading.Barrier(2)
    ends: list[str] = []

    def cross(first: str, second: str) -> None:
        move = text("UPDATE syncs SET polled_at = 1 WHERE name = :name")
        try:
            with on_server._store.write("test") as connection:
                connection.execute(move, {"name": first})
                ready.wait()
                connection.execute(move, {"name": second})
        except Transient:
            ends.append("undone")
        else:
            ends.append("done")

    threads = [threading.Thread(target=cross, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["done", "undone"]


def test_errors_of_the_server_hold_no_value(on_server: Ledger) -> None:
    """A failed statement is told without its SQL and without its values."""
    too_long = text("SELECT repeat(:secret, 2000000000)")
    with pytest.raises(LedgerError) as caught, on_server._store.read() as connection:
        connection.execute(too_long, {"secret": "canary"})
    assert "SELECT" not in str(caught.value)
    assert "canary" not in str(caught.value)
