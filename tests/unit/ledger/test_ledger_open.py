"""Opening a ledger: only the right file is opened, and what is wrong is said without a secret."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from syncd.errors import LedgerError
from syncd.ledger import migrate
from syncd.ledger.ledger import Ledger
from syncd.ledger.store import open_store, shown_url, sqlite_file
from tests.ledgers import new_ledger, seal, sqlite_url, stage, states

NAMES = [
    "plain.db",
    "a b.db",
    "what?.db",
    "C#.db",
    "100%25.db",
    "50%.db",
    "Füße € 𝄞.db",
    "a'b;c.db",
]
SECRET = "hunter2-canary"


def refusal(url: str) -> LedgerError:
    """How the opening of `url` is refused."""
    with pytest.raises(LedgerError) as caught:
        Ledger.open(url)
    return caught.value


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    """Whatever a file or folder is called, exactly that file becomes and stays the ledger."""
    folder = tmp_path / name
    file = folder / name
    ledger = new_ledger(sqlite_url(file))
    stage(ledger, 3)
    ledger.close()
    again = Ledger.open(sqlite_url(file))
    assert len(states(again)) == 3
    assert again.file == file
    again.close()
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert {each.name.removeprefix(name) for each in folder.iterdir()} <= {
        "", "-wal", "-shm", ".lock"}  # fmt: skip


def test_l6_a_missing_ledger_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    """An empty ledger would call everybody again: only `syncd init` makes one."""
    file = tmp_path / "syncd.db"
    error = refusal(sqlite_url(file))
    assert "no ledger" in error.what
    assert "syncd init" in error.hint
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    """A path that names a folder is refused like a missing file."""
    assert "no ledger" in refusal(sqlite_url(tmp_path)).what


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A text file at the ledger's path is not touched."""
    file = tmp_path / "leads.csv"
    file.touch(mode=0o600)
    file.write_text("id,phone\n" * 1_000, encoding="utf-8")
    before = file.read_bytes()
    error = refusal(sqlite_url(file))
    assert "is no database" in error.what
    assert "SQL:" not in str(error)
    assert file.read_bytes() == before


def test_a_torn_ledger_is_refused(tmp_path: Path) -> None:
    """A file that was cut in the middle is said to be damaged, not opened as an empty ledger."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    stage(ledger, 900)
    ledger.close()
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\x99" * (len(whole) - 4096))
    for beside in ("-wal", "-shm"):
        Path(f"{file}{beside}").unlink(missing_ok=True)
    assert "damaged" in refusal(sqlite_url(file)).what


def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    """A file of zero bytes is a database without a schema: it is no ledger."""
    file = tmp_path / "syncd.db"
    file.touch(mode=0o600)
    error = refusal(sqlite_url(file))
    assert "no ledger yet" in error.what
    assert "syncd init" in error.hint


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A ledger of a revision that this syncd does not know is not touched."""
    file = tmp_path / "syncd.db"
    new_ledger(sqlite_url(file)).close()
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", ("9999",))
    raw.close()
    error = refusal(sqlite_url(file))
    assert "newer" in error.what
    assert "install the syncd" in error.hint
    store = open_store(sqlite_url(file))
    with pytest.raises(LedgerError, match="newer"):
        migrate.upgrade(store)
    store.close()


def test_an_older_schema_is_refused_with_the_way_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint names `syncd db upgrade`."""
    url = sqlite_url(tmp_path / "syncd.db")
    new_ledger(url).close()
    known = [*migrate.revisions(), "0999"]
    monkeypatch.setattr(migrate, "revisions", lambda: known)
    error = refusal(url)
    assert f"is {known[-2]}, this syncd needs 0999" in error.what
    assert "syncd db upgrade" in error.hint


def test_an_upgrade_of_a_current_ledger_changes_nothing(tmp_path: Path) -> None:
    """Upgrading twice keeps the ledger's own ID, which is part of every key."""
    url = sqlite_url(tmp_path / "syncd.db")
    ledger = new_ledger(url)
    before = ledger.id
    ledger.close()
    store = open_store(url)
    assert migrate.upgrade(store) == (migrate.head(), migrate.head())
    assert migrate.ledger_id(store) == before
    store.close()


def test_every_ledger_has_an_id_of_its_own(tmp_path: Path) -> None:
    """Two ledgers never share an idempotence key."""
    first = new_ledger(sqlite_url(tmp_path / "a.db"))
    second = new_ledger(sqlite_url(tmp_path / "b.db"))
    assert first.id != second.id
    stage(first, 2)
    stage(second, 2)
    one, other = seal(first), seal(second)
    assert one is not None
    assert other is not None
    assert (one.body, one.key == other.key) == (other.body, False)
    first.close()
    second.close()


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{SECRET}@host/db",
        f"postgresql+psycopg2://u:{SECRET}@host/db",
        f"postgresql+asyncpg://u:{SECRET}@host/db",
        f"sqlite+aiosqlite:///{SECRET}",
        f"sqlite://{SECRET}",
        f"postgresql://u:{SECRET}@host:port/db",
        f"{SECRET} is no URL",
        "sqlite:///",
        "sqlite:///:memory:",
        "",
    ],
)
def test_another_database_is_refused(url: str) -> None:
    """Only an SQLite file and PostgreSQL by psycopg are ledgers; the password is never said."""
    error = refusal(url)
    assert error.where == "ledger.url"
    assert "sqlite:///path" in error.hint
    assert SECRET not in f"{error} {error.hint} {error!r}"
    assert error.__cause__ is None


@pytest.mark.parametrize("query", ["", "?connect_timeout=3"])
def test_a_server_that_is_not_there_is_told_without_the_password(query: str) -> None:
    """A refused connection is a LedgerError that names neither user's password nor URL."""
    error = refusal(f"postgresql://u:{SECRET}@127.0.0.1:1/db{query}")
    assert "refused" in error.what.lower()
    assert SECRET not in f"{error} {error.hint}"


@pytest.mark.parametrize(
    "rest",
    [
        "127.0.0.1:1/db?foo=1",
        "127.0.0.1:1/db?plugin=x",
        "127.0.0.1:1/db?row_factory=3",
        "127.0.0.1:1/db?connect_timeout=abc",
        "127.0.0.1:1/db?host=a:1&host=b:z",
        "/db?host=/nowhere&port=abc",
        f"{'h' * 300}/db",
        "\N{SNOWMAN}../db",
    ],
)
def test_a_url_that_no_server_can_be_asked_with_is_refused(rest: str) -> None:
    """An option that libpq does not know, or a value that it cannot read: the URL is wrong."""
    error = refusal(f"postgresql://u:{SECRET}@{rest}")
    assert error.where == "ledger.url"
    assert error.hint
    assert SECRET not in f"{error} {error.hint} {error!r}"
    assert error.__cause__ is None


@pytest.mark.parametrize("name", ["n" * 300, f"{'folder/' * 1_000}syncd.db"])
@pytest.mark.parametrize("create", [True, False])
def test_a_path_that_no_file_can_have_is_refused(tmp_path: Path, name: str, create: bool) -> None:
    """A name or a path that is too long for the file system is said to be so."""
    with pytest.raises(LedgerError, match="File name too long"):
        open_store(sqlite_url(tmp_path / name), create=create)


def test_a_shown_url_hides_the_password() -> None:
    """What people see of the URL has no password, and a path as it is."""
    assert SECRET not in shown_url(f"postgresql://u:{SECRET}@host/db")
    assert shown_url("sqlite:////var/100%/C#.db") == "sqlite:////var/100%/C#.db"
    assert sqlite_file("sqlite:///100%25.db") == Path("100%25.db")
    assert sqlite_file("postgresql://host/db") is None


def test_a_ledger_is_for_its_owner_only(tmp_path: Path) -> None:
    """The file, its log, its index and its locks have mode 0600, whatever the umask."""
    old = os.umask(0)
    try:
        file = tmp_path / "syncd.db"
        ledger = new_ledger(sqlite_url(file))
        stage(ledger, 1)
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
        ledger.close()
    finally:
        os.umask(old)
    assert set(modes) == {"syncd.db", "syncd.db-wal", "syncd.db-shm", "syncd.db.lock"}
    assert set(modes.values()) == {0o600}


def test_a_ledger_is_never_made_over_another_file(tmp_path: Path) -> None:
    """Making a ledger where one is keeps what it holds."""
    url = sqlite_url(tmp_path / "syncd.db")
    ledger = new_ledger(url)
    stage(ledger, 2)
    ledger.close()
    again = new_ledger(url)
    assert len(states(again)) == 2
    again.close()


@pytest.mark.parametrize("create", [True, False])
def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, create: bool) -> None:
    """A file in the way of the folder gives an error of ours, not Python's."""
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError) as caught:
        open_store(sqlite_url(tmp_path / "file" / "syncd.db"), create=create)
    assert caught.value.where.endswith("syncd.db")


def test_a_ledger_whose_lock_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Without its lock file nothing could keep two writers apart: the ledger is not opened."""
    file = tmp_path / "syncd.db"
    new_ledger(sqlite_url(file)).close()
    Path(f"{file}.lock").unlink()
    Path(f"{file}.lock").mkdir()
    assert "cannot be written" in refusal(sqlite_url(file)).what


def test_readers_work_without_a_log(tmp_path: Path) -> None:
    """A ledger that was closed has no -wal: a look at it still works, and before any write."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    stage(ledger, 2)
    ledger.close()
    for beside in ("-wal", "-shm"):
        Path(f"{file}{beside}").unlink(missing_ok=True)
    looking = Ledger.open(sqlite_url(file))
    assert len(states(looking)) == 2
    looking.close()


def test_the_last_writer_folds_the_log_into_the_file(tmp_path: Path) -> None:
    """After a close the one file holds everything: it can be copied."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    stage(ledger, 5)
    ledger.close()
    copy = tmp_path / "copy" / "syncd.db"
    copy.parent.mkdir()
    copy.touch(mode=0o600)
    copy.write_bytes(file.read_bytes())
    again = Ledger.open(sqlite_url(copy))
    assert len(states(again)) == 5
    again.close()


def test_closing_twice_is_closing(tmp_path: Path) -> None:
    """A second close is no error."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    ledger.close()
    ledger.close()


def test_l5_a_deleted_ledger_is_noticed(tmp_path: Path) -> None:
    """Writes to a deleted file succeed silently: the last look before a request must see it."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    ledger.check_file()
    file.unlink()
    with pytest.raises(LedgerError, match="deleted or replaced"):
        ledger.check_file()
    ledger.close()


def test_l5_a_replaced_ledger_is_noticed(tmp_path: Path) -> None:
    """A restored or copied file at the same path is another ledger."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    other = tmp_path / "other.db"
    other.write_bytes(file.read_bytes())
    other.replace(file)
    with pytest.raises(LedgerError, match="deleted or replaced"):
        ledger.check_file()
    ledger.close()


@pytest.mark.parametrize("left_bytes", [0, 4096, 40_000])
def test_a_ledger_that_was_cut_is_noticed(tmp_path: Path, left_bytes: int) -> None:
    """Cached pages and the log hide that the file is shorter: its size tells."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    ledger.check_file()
    os.truncate(file, left_bytes)
    with pytest.raises(LedgerError, match="became smaller"):
        ledger.check_file()
    with pytest.raises(LedgerError, match="became smaller"):
        ledger.check_file()
    ledger.close()


def test_a_cut_below_what_was_seen_last_is_noticed(tmp_path: Path) -> None:
    """The size that counts is the largest one seen, not that of the opening."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    opened = file.stat().st_size
    stage(ledger, 900)
    fold(file)
    assert file.stat().st_size > opened
    ledger.check_file()
    os.truncate(file, opened)
    with pytest.raises(LedgerError, match="became smaller"):
        ledger.check_file()
    ledger.close()


def test_a_log_that_is_gone_is_noticed(tmp_path: Path) -> None:
    """Commits to a deleted log succeed silently, and a power cut would lose them."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    stage(ledger, 1)
    ledger.check_file()
    log = Path(f"{file}-wal")
    log.unlink()
    stage(ledger, 1, first=1)
    with pytest.raises(LedgerError, match=r"log \(-wal\) was deleted"):
        ledger.check_file()
    log.touch()
    with pytest.raises(LedgerError, match=r"log \(-wal\) was deleted"):
        ledger.check_file()
    ledger.close()


def test_a_ledger_at_work_is_never_doubted(tmp_path: Path) -> None:
    """Growing, folding the log from outside, and a link as the path are nothing to stop for."""
    file, link = tmp_path / "there" / "syncd.db", tmp_path / "syncd.db"
    new_ledger(sqlite_url(file)).close()
    link.symlink_to(file)
    ledger = Ledger.open(sqlite_url(link))
    ledger.check_file()
    for first in range(0, 900, 300):
        stage(ledger, 300, first=first)
        ledger.check_file()
        fold(file)
        ledger.check_file()
    assert Path(f"{file}-wal").stat().st_size == 0
    ledger.close()
    again = Ledger.open(sqlite_url(link))
    again.check_file()
    again.close()


def fold(file: Path) -> None:
    """Another program writes the log into the file, and empties it."""
    raw = sqlite3.connect(file)
    assert raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    raw.close()


def test_no_migrations_means_a_broken_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no revision was installed the message says so."""
    monkeypatch.setattr(migrate, "__file__", str(tmp_path / "syncd" / "ledger" / "migrate.py"))
    with pytest.raises(LedgerError, match="not installed"):
        migrate.head()
