"""One process runs passes on an SQLite ledger, and one transaction writes at a time."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    IntegrityError,
    InternalError,
    OperationalError,
)

from syncd.errors import LedgerError, Transient
from syncd.ledger import store as store_module
from syncd.ledger.failures import errors_told
from syncd.ledger.instance import hold_instance
from syncd.ledger.ledger import Ledger
from syncd.ledger.store import open_store
from tests.ledgers import new_ledger, sqlite_url, stage, tally

HOLDER = """\
import signal, sys
from syncd.ledger.instance import hold_instance
held = hold_instance(sys.argv[1])
print("held", flush=True)
signal.pause()
"""


def test_a_second_instance_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    """Who holds the ledger is named, so that a person can find it."""
    url = sqlite_url(tmp_path / "syncd.db")
    held = hold_instance(url)
    assert held.is_sole_owner
    with pytest.raises(LedgerError, match=rf"PID {os.getpid()}\)") as caught:
        hold_instance(url)
    assert caught.value.hint == "wait for it or stop it"
    held.release()
    held.release()
    hold_instance(url).release()


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    """The kernel frees the lock however its holder dies; a stale PID in the file stops nobody."""
    url = sqlite_url(tmp_path / "syncd.db")
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LedgerError, match=rf"PID {holder.pid}\)"):
            hold_instance(url)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    hold_instance(url).release()


def test_a_holder_that_wrote_no_pid_is_unknown(tmp_path: Path) -> None:
    """Killed between its lock and its PID, a holder is still a holder."""
    file = tmp_path / "syncd.db"
    with Path(f"{file}.instance").open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(LedgerError, match="PID unknown"):
            hold_instance(sqlite_url(file))


def test_the_instance_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """It has the mode of the ledger."""
    hold_instance(sqlite_url(tmp_path / "syncd.db")).release()
    assert (tmp_path / "syncd.db.instance").stat().st_mode & 0o777 == 0o600


def test_an_instance_in_a_missing_folder_is_told(tmp_path: Path) -> None:
    """No folder, no ledger: the hint names `syncd init`."""
    with pytest.raises(LedgerError) as caught:
        hold_instance(sqlite_url(tmp_path / "nowhere" / "syncd.db"))
    assert "syncd init" in caught.value.hint


def test_postgresql_is_held_by_nobody_alone() -> None:
    """Several processes share a PostgreSQL ledger, so none may free the others' claims."""
    held = hold_instance("postgresql://host/db")
    assert not held.is_sole_owner
    held.release()


def test_l1_a_writer_waits_for_another_process(tmp_path: Path) -> None:
    """A transaction elsewhere delays ours; when it ends, ours goes on."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    with Path(f"{file}.lock").open("r+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        ours = threading.Thread(target=stage, args=(ledger, 1))
        ours.start()
        ours.join(0.05)
        assert ours.is_alive()
        fcntl.flock(other, fcntl.LOCK_UN)
        ours.join(10)
        assert not ours.is_alive()
    assert tally(ledger) == {"staged": 1}
    ledger.close()


def test_l1_a_writer_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the limit it says that another process writes: later is right, nothing is lost."""
    monkeypatch.setattr(store_module, "LOCK_WAIT_S", 0.01)
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    with Path(f"{file}.lock").open("r+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Transient, match="another process"):
            stage(ledger, 1)
    stage(ledger, 1)
    assert tally(ledger) == {"staged": 1}
    ledger.close()


def test_a_reader_never_waits_for_a_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a stopped process in the middle of its transaction, looking and closing still work."""
    monkeypatch.setattr(store_module, "LOCK_WAIT_S", 0.0)
    url = sqlite_url(tmp_path / "syncd.db")
    new_ledger(url).close()
    stopped = open_store(url)
    with stopped.write("test"):  # holds the lock file, and SQLite's own by BEGIN IMMEDIATE
        looking = Ledger.open(url)
        assert looking.counts().jobs == {}
        assert looking.campaign_view("welcome").in_doubt == 0
        looking.close()
    stopped.close()


def test_threads_write_one_after_the_other(tmp_path: Path) -> None:
    """Eight threads that stage the same phones stage each of them once."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    threads = [
        threading.Thread(target=stage, args=(ledger, 20), kwargs={"sync": f"sync-{n}"})
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally(ledger) == {"staged": 20, "duplicate": 140}
    ledger.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """The reading connections are read-only for SQLite itself."""
    url = sqlite_url(tmp_path / "syncd.db")
    new_ledger(url).close()
    store = open_store(url)
    with pytest.raises(LedgerError, match="readonly"), store.read() as connection:
        connection.execute(text("DELETE FROM meta"))
    store.close()


def test_the_writer_is_durable(tmp_path: Path) -> None:
    """Write-ahead log, synchronous=FULL and foreign keys are on."""
    url = sqlite_url(tmp_path / "syncd.db")
    new_ledger(url).close()
    store = open_store(url)
    with store.write("test") as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    store.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def sqlite_error(code: int) -> sqlite3.OperationalError:
    """SQLite's error with this code."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    return error


class ServerError(Exception):
    """What psycopg raises, with PostgreSQL's code."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("the server's words\nDETAIL: a value")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (OperationalError("SELECT 1", None, sqlite_error(sqlite3.SQLITE_BUSY)), Transient),
        (OperationalError("SELECT 1", None, sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT)), Transient),
        (OperationalError("SELECT 1", None, sqlite_error(sqlite3.SQLITE_FULL)), LedgerError),
        (OperationalError("SELECT 1", None, ServerError("40P01")), Transient),
        (OperationalError("SELECT 1", None, ServerError("57P01")), Transient),
        (OperationalError("SELECT 1", None, ServerError(None)), Transient),
        (OperationalError("SELECT 1", None, ServerError("53100")), LedgerError),
        (DatabaseError("SELECT 1", None, ServerError("XX001")), LedgerError),
        (InternalError("SELECT 1", None, ServerError("XX000")), LedgerError),
        (IntegrityError("SELECT 1", None, ServerError("23505")), IntegrityError),
        (
            DBAPIError("SELECT 1", None, ServerError(None), connection_invalidated=True),
            Transient,
        ),
        (OperationalError("SELECT 1", None, ServerError("")), LedgerError),
    ],
)
def test_failures_are_sorted_by_what_to_do_next(error: DBAPIError, ours: type[Exception]) -> None:
    """What passes by itself is Transient, what needs a person is a LedgerError, a bug stays one."""
    with pytest.raises(ours) as caught, errors_told():
        raise error
    if ours is not IntegrityError:
        told = f"{caught.value}"
        assert "SELECT" not in told
        assert "a value" not in told


def test_a_failure_without_words_is_named_by_its_kind() -> None:
    """An empty message of the driver does not make an empty message of ours."""
    with pytest.raises(LedgerError, match="IntegrityError"), errors_told():
        raise DatabaseError("SELECT 1", None, sqlite3.IntegrityError())


def test_without_room_to_say_who_runs_nobody_does(tmp_path: Path) -> None:
    """A full disk is told as what it is, with exit code 2, and the lock is free again."""
    url = sqlite_url(tmp_path / "syncd.db")
    new_ledger(url).close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(LedgerError, match="cannot be written"):
            hold_instance(url)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    hold_instance(url).release()
