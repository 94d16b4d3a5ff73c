"""Opening a ledger in an SQLite file: its engines, what each connection is told, and its files."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from syncd.errors import LedgerError

#: How long a statement waits for another program that has the file, such as a backup.
BUSY_WAIT_MS = 10_000

#: 10 MiB: holds the hot pages of the phone index of half a million jobs.
_CACHE_KIB = 10 * 1024
#: Of a new file. Twice SQLite's usual size: rows of some 300 bytes fill it better.
_PAGE_BYTES = 8_192
#: SQLite checkpoints after so many pages (32 MiB). The pages of the phone index are written again
#: and again, so that fewer checkpoints are less work, and the log stays small enough.
_CHECKPOINT_PAGES = 4_000


def open_engines(file: Path) -> tuple[Engine, Engine]:
    """The one connection that writes, and those that read."""
    writer = _engine(file, "rw", pool_size=1, max_overflow=0)
    reader = _engine(file, "ro", pool_size=4)
    event.listen(writer, "connect", _on_connect_writer)
    event.listen(writer, "begin", _on_begin)
    event.listen(reader, "connect", _on_connect_reader)
    return writer, reader


def _engine(file: Path, mode: str, **pool: int) -> Engine:
    # The path goes past SQLAlchemy: its versions differ in what they decode.
    uri = f"file:{quote(str(file.absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, check_same_thread=False)

    return create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True, **pool
    )


def create_file(file: Path) -> None:
    """Make an empty file that only its owner can read; -wal and -shm copy its mode."""
    if not file.exists():
        file.parent.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR))


def open_beside(file: Path, suffix: str) -> int:
    """Open, or make, a file beside the ledger that is there to be locked.

    A link to the ledger is the ledger: both names meet at one lock.
    """
    try:
        return os.open(f"{file.resolve()}{suffix}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unwritable(file, error) from None


def unwritable(file: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"the ledger's folder cannot be written: {error.strerror}",
        where=str(file),
        hint="`syncd init` makes a ledger; the folder must belong to the user of syncd",
    )


def _on_connect_writer(dbapi_connection: object, _record: object) -> None:
    # Python's sqlite3 would open transactions by itself; we say BEGIN ourselves.
    dbapi_connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = dbapi_connection.cursor()  # type: ignore[attr-defined]
    for pragma in (
        f"busy_timeout={BUSY_WAIT_MS}",
        f"page_size={_PAGE_BYTES}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"cache_size=-{_CACHE_KIB}",
        f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_connect_reader(dbapi_connection: object, _record: object) -> None:
    dbapi_connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = dbapi_connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(f"PRAGMA busy_timeout={BUSY_WAIT_MS}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
