"""Opening the ledger's database: the only place that knows which database it is.

SQLite: write-ahead log, `synchronous=FULL`, foreign keys, explicit `BEGIN IMMEDIATE`, and one
writer at a time over all processes (a lock file beside the ledger): SQLite before 3.51.3 can
corrupt a write-ahead log that two connections write or checkpoint at once. Readers open `mode=ro`.

PostgreSQL: psycopg 3, one pool (postgres.py).
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from syncd.errors import LedgerError, Transient
from syncd.ledger.call_windows import KnownWindows
from syncd.ledger.compact import compact
from syncd.ledger.exposure import refuse_exposed
from syncd.ledger.failures import errors_told
from syncd.ledger.file_watch import FileWatch
from syncd.ledger.sqlite import create_file, open_beside, open_engines, unwritable
from syncd.observe.steps import reached

if TYPE_CHECKING:
    from syncd.ledger.postgres import ServerWatch

#: How long a writer waits for another process's transaction before it says so.
LOCK_WAIT_S = 30.0
_LOCK_POLL_S = 0.005
_SQLITE = "sqlite:///"
_SETTING = "ledger.url"
_URLS = "use sqlite:///path or postgresql://host/database"


class Store:
    """An opened database with one way to write and one way to read."""

    def __init__(
        self,
        writer: Engine,
        reader: Engine,
        *,
        file: Path | None,
        server: ServerWatch | None = None,
    ) -> None:
        self.writer = writer
        self.reader = reader
        self.file = file  #: the SQLite file, or None on PostgreSQL
        self.windows = KnownWindows()
        self._thread_lock = threading.Lock()
        self._lock_fd: int | None = None
        self._has_writer = False
        self._watch: FileWatch | None = None
        self._server = server
        if file is not None:
            self._watch = FileWatch(file)
            self._lock_fd = open_beside(file, ".lock")
            event.listen(writer, "connect", self._writer_connected)

    @contextmanager
    def write(self, step: str) -> Iterator[Connection]:
        """One transaction, a named step: committed when the block ends, not when it raises."""
        watch = self._watch
        if watch is None:
            server = self._server
            with errors_told(), self.writer.begin() as connection:
                noted = None if server is None else server.note(connection)
                yield connection
                reached(step, "before")
            reached(step, "after")
            if server is not None:
                server.noted(noted)
            return
        with self._thread_lock:
            self._lock_file()
            try:
                with errors_told(), self.writer.begin() as connection:
                    watch.see_log()
                    yield connection
                    reached(step, "before")
                reached(step, "after")
            finally:
                self._unlock_file()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only look at what is committed."""
        with errors_told(), self.reader.connect() as connection:
            yield connection

    def compact(self) -> None:
        """Rewrite the SQLite file: no removed byte stays. Transient when others have it open."""
        assert self.file is not None, "PostgreSQL has its own VACUUM"
        with self._thread_lock:
            self._lock_file()
            try:
                compact(self.writer, self.file)
                self._watch = FileWatch(self.file)
            finally:
                self._unlock_file()

    def check_file(self) -> None:
        """Raise LedgerError when the opened SQLite file is no longer the one at its path, or whole.

        Writes to a deleted file succeed silently, so the last look before a request asks this.
        """
        if self._watch is not None:
            self._watch.check()

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        self.reader.dispose()
        if self._lock_fd is None:
            self.writer.dispose()
            return
        with self._thread_lock:
            # Without a writer nothing is folded: a look never waits for one that stands still.
            if self._has_writer:
                self._lock_file()
            self.writer.dispose()
            os.close(self._lock_fd)
            self._lock_fd = None

    def _writer_connected(self, _connection: object, _record: object) -> None:
        self._has_writer = True
        if self._watch is not None:
            self._watch.forget_log()

    def _lock_file(self) -> None:
        assert self._lock_fd is not None, "the ledger is closed"
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Transient(
                        f"another process has been writing to the ledger for {LOCK_WAIT_S:.0f} s",
                        where=str(self.file),
                        hint="`syncd status` says which pass runs",
                    ) from None
                threading.Event().wait(_LOCK_POLL_S)
            else:
                return

    def _unlock_file(self) -> None:
        assert self._lock_fd is not None
        fcntl.flock(self._lock_fd, fcntl.LOCK_UN)


def open_store(url: str, *, create: bool = False) -> Store:
    """Open the database at `url`; only `create=True` (that is `syncd init`) makes an SQLite file.

    Raises:
        LedgerError: no such file, a file that is no ledger, no server, or an unknown database.
    """
    file = sqlite_file(url)
    if file is not None:
        return _open_sqlite(file, create=create)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Nothing of the URL is said: it may hold a password.
        raise LedgerError("the ledger's URL cannot be read", where=_SETTING, hint=_URLS) from None
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _open_postgresql(parsed)
    raise LedgerError(f"the ledger cannot live in {parsed.drivername}", where=_SETTING, hint=_URLS)


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite ledger, or None for another database.

    What follows `sqlite:///` is the path as it is: nothing in it is an escape, a query or a
    fragment, so that a folder of any name serves.
    """
    if not url.startswith(_SQLITE):
        return None
    path = url.removeprefix(_SQLITE)
    if not path or path == ":memory:":
        raise LedgerError("the ledger needs a file", where=_SETTING, hint=_URLS)
    return Path(path)


def _open_sqlite(file: Path, *, create: bool) -> Store:
    try:
        if create:
            create_file(file)
        is_there = file.is_file()
    except OSError as error:
        raise unwritable(file, error) from None
    if not is_there:
        raise LedgerError(
            "there is no ledger",
            where=str(file),
            hint="`syncd init` makes one. If there was one, restore it: "
            "an empty ledger would call everybody again",
        )
    refuse_exposed(file)
    writer, reader = open_engines(file)
    return Store(writer, reader, file=file)


def _open_postgresql(url: URL) -> Store:
    # Its driver costs 9 MB and a tenth of a second; a ledger in SQLite does without.
    from syncd.ledger.postgres import open_engine, opening  # noqa: PLC0415 - see above

    with opening():
        engine, server = open_engine(url)
        store = Store(engine, engine, file=None, server=server)
        with store.read():
            return store


def shown_url(url: str) -> str:
    """The ledger's URL without its password, for people."""
    if url.startswith(_SQLITE):
        return url
    return make_url(url).render_as_string(hide_password=True)
