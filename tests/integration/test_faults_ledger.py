"""Faults below the ledger: its disk, its pages, its log, its schema. Nothing is sent unwritten."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, event

from syncd.app import App
from syncd.engine import submit
from syncd.errors import LedgerError, Transient
from syncd.ledger import migrate, sqlite, witness
from syncd.ledger.ledger import Ledger
from syncd.ledger.store import open_store
from tests.ledgers import (
    answered,
    assert_consistent,
    new_ledger,
    snapshot,
    sqlite_url,
    stage,
    tally,
)
from tests.worlds import World, new_world, poll_all, settle

LEADS = 12
#: Where the first frame of a log begins.
LOG_HEAD = 32


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Twelve leads that wait to be sent."""
    with new_world(tmp_path) as made:
        wait_for_sending(made)
        yield made


def wait_for_sending(world: World) -> None:
    world.write_leads(LEADS)
    with world.open(alone=True) as app:
        poll_all(app)


def send(app: App) -> None:
    """A submit that the ledger's failure has to end, wherever it comes by it."""
    told = submit.run_once(app.campaign("welcome"), app.tools)
    assert told.error is not None
    raise told.error


def test_l1_a_foreign_program_that_writes_is_waited_for_and_nothing_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1: one that knows only SQLite's own lock holds it for long: later is right, none is lost."""
    monkeypatch.setattr(sqlite, "BUSY_WAIT_MS", 20)
    with world.open(alone=True) as app, closing(sqlite3.connect(world.path / "syncd.db")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Transient, match="locked"):
            submit.run_once(app.campaign("welcome"), app.tools)
        assert world.sendings == []
        other.execute("ROLLBACK")
        settle(world, app)
    world.assert_each_once(LEADS)


def assert_sends_nothing(app: App, world: World, match: str) -> None:
    with pytest.raises(LedgerError, match=match):
        send(app)
    assert world.sendings == []


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """A file system of its own at the folder."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def test_l3_on_a_read_only_file_system_nothing_begins(tmp_path: Path) -> None:
    """L3: refused at the start, with the place; mounted for writing again, each is called once."""
    folder = tmp_path / "disk"
    with disk(folder), new_world(folder) as world:
        wait_for_sending(world)
        remount(folder, "ro")
        with pytest.raises(LedgerError) as told:
            world.open(alone=True)
        assert told.value.exit_code == 2
        assert world.sendings == []
        remount(folder, "rw")
        with world.open(alone=True) as app:
            settle(world, app)
        world.assert_each_once(LEADS)


def test_l3_a_ledger_that_becomes_read_only_stops_the_sending(world: World) -> None:
    """L3: while syncd runs. SQLite's own answer to a file that it may not write any more."""

    def read_only(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only=ON")

    with world.open(alone=True) as app:
        writer = app.ledger._store.writer
        event.listen(writer, "begin", read_only)
        assert_sends_nothing(app, world, "readonly")
        event.remove(writer, "begin", read_only)
        writer.dispose()
        settle(world, app)
    world.assert_each_once(LEADS)


@pytest.mark.parametrize("table", ["call_jobs", "batches", "meta"])
def test_l4_a_damaged_page_sends_nothing(world: World, table: str) -> None:
    """L4: at the start or in the pass that comes by it; the file is left as it is."""
    file = world.path / "syncd.db"
    with closing(sqlite3.connect(file)) as ledger:
        sql = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        ((number,),) = ledger.execute(sql, (table,)).fetchall()
        ((size,),) = ledger.execute("PRAGMA page_size").fetchall()
    with file.open("r+b") as pages:
        pages.seek((number - 1) * size)
        pages.write(b"\x99" * 64)
    before = file.read_bytes()
    with pytest.raises(LedgerError, match="damaged"), world.open(alone=True) as app:
        send(app)
    assert world.sendings == []
    assert len(file.read_bytes()) == len(before)


def copied(ledger: Ledger, folder: Path) -> Path:
    """The files of a ledger as a kill leaves them, in another folder; the path of the log."""
    assert ledger.file is not None
    folder.mkdir()
    for suffix in ("", "-wal", witness.SUFFIX):
        shutil.copy(f"{ledger.file}{suffix}", folder)
    return folder / f"{ledger.file.name}-wal"


def test_l4_junk_behind_the_log_changes_nothing(tmp_path: Path) -> None:
    """L4: what no checksum covers was never committed; everything that was is there."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    ledger.witness.renew()
    answered(ledger, 5)
    stage(ledger, 5, first=5)
    log = copied(ledger, tmp_path / "killed")
    with log.open("ab") as junk:
        junk.write(b"\x99" * 9_999)
    again = Ledger.open(sqlite_url(log.parent / "syncd.db"))
    assert snapshot(again) == snapshot(ledger)
    assert again.witness.why_restored() is None
    again.close()
    ledger.close()


def test_l4_a_log_whose_commits_cannot_be_read_is_noticed(tmp_path: Path) -> None:
    """L4: SQLite drops such commits without a word; the witness has seen more marks."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    ledger.close()
    ledger = Ledger.open(sqlite_url(tmp_path / "syncd.db"))
    ledger.witness.renew()
    stage(ledger, 5)
    log = copied(ledger, tmp_path / "killed")
    frames = log.read_bytes()
    log.write_bytes(frames[:LOG_HEAD] + b"\x99" * (len(frames) - LOG_HEAD))
    again = Ledger.open(sqlite_url(log.parent / "syncd.db"))
    assert tally(again) == {}
    assert again.witness.why_restored() == witness.OLDER
    again.close()
    ledger.close()


@contextmanager
def failing_disk(file: Path) -> Iterator[None]:
    """Writes to this open file fail below SQLite: its descriptor leads to one that is read-only."""
    mine = [
        int(link.name)
        for link in Path("/proc/self/fd").iterdir()
        if link.is_symlink() and os.path.realpath(link) == str(file.resolve())
    ]
    assert mine, f"{file} is not open"
    kept = {number: os.dup(number) for number in mine}
    broken = os.open(file, os.O_RDONLY)
    try:
        for number in mine:
            os.dup2(broken, number)
        yield
    finally:
        for number, good in kept.items():
            os.dup2(good, number)
            os.close(good)
        os.close(broken)


def test_l9_an_error_of_the_disk_sends_nothing(world: World) -> None:
    """L9: the pass ends, nothing of it is stored, and on a mended disk each is called once."""
    with world.open(alone=True) as app:
        app.ledger.witness.renew()  # so that the log is there
        before = snapshot(app.ledger)
        with failing_disk(world.path / "syncd.db-wal"):
            assert_sends_nothing(app, world, "disk I/O error")
        assert snapshot(app.ledger) == before
        settle(world, app)
        assert_consistent(app.ledger)
    world.assert_each_once(LEADS)


KILLED = """
import os, signal, sys
from syncd.ledger import migrate
from syncd.ledger.store import open_store
from syncd.observe import steps

def die(step, when):
    if (step, when) == ("schema.upgrade", sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

steps.hook = die
migrate.upgrade(open_store(sys.argv[1]))
"""


@pytest.mark.parametrize(("when", "found"), [("before", "0001"), ("after", migrate.head())])
def test_l10_a_migration_that_is_killed_is_done_or_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, found: str
) -> None:
    """L10: right before its commit or right after it; then an upgrade brings it to its end."""
    upgrade = command.upgrade

    def to_the_first(config: Any, _head: str) -> None:
        upgrade(config, "0001")

    url = sqlite_url(tmp_path / "syncd.db")
    store = open_store(url, create=True)
    monkeypatch.setattr(command, "upgrade", to_the_first)
    migrate.upgrade(store)
    monkeypatch.undo()
    with store.write("test") as connection:
        connection.exec_driver_sql("INSERT INTO syncs (name) VALUES ('old')")
    store.close()
    died = subprocess.run([sys.executable, "-c", KILLED, url, when], check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    store = open_store(url)
    assert migrate.current(store) == found
    assert migrate.upgrade(store) == (found, migrate.head())
    store.close()
    ledger = Ledger.open(url)
    assert ledger.position("old").cursor is None
    ledger.close()
    with closing(sqlite3.connect(tmp_path / "syncd.db")) as looked:
        assert looked.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert looked.execute("SELECT name FROM syncs").fetchall() == [("old",)]
