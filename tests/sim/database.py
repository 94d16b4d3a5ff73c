"""The ledger of a simulation: real SQL in an SQLite database in memory, seen by every instance.

One connection serves all, as exactly one actor runs at a time and none sleeps inside a transaction.
Each instance has a store and a ledger of its own on it, whose commits are steps.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol
from unittest.mock import patch

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from syncd.ledger import migrate
from syncd.ledger.failures import errors_told
from syncd.ledger.ledger import Ledger
from syncd.ledger.schema import metadata
from syncd.ledger.store import Store

LEDGER_ID = "00000000-0000-4000-8000-000000000000"


class Steps(Protocol):
    """The instance that a store belongs to, asked at each of its steps."""

    def alive(self) -> None:
        """Raise the kill again when the instance is dead already."""

    def step(self, name: str) -> None:
        """Time may pass, others may run, or the instance is killed."""

    def committing(self, name: str) -> None:
        """The last moment before a commit: a kill or a failure undoes the transaction."""

    def committed(self, name: str) -> None:
        """The first moment after it."""


class Database:
    """One database in memory, empty again for each simulation; engines are made once."""

    def __init__(self) -> None:
        self.server_ms: Callable[[], int] = lambda: 0  # the clock of the database's machine
        self.raw = sqlite3.connect(
            ":memory:", check_same_thread=False, isolation_level=None, cached_statements=512
        )
        self.raw.execute("PRAGMA foreign_keys=ON")
        self.engine = create_engine(
            "sqlite://", creator=lambda: self.raw, poolclass=StaticPool, hide_parameters=True
        )
        migrate.upgrade(Store(self.engine, self.engine, file=None))
        # Held for good: taking a connection from a pool costs more than most statements.
        self.writer, self.reader = self.engine.connect(), self.engine.connect()
        self.raw.execute("UPDATE meta SET value = ? WHERE name = 'ledger_id'", (LEDGER_ID,))
        self._tables = sorted(table.name for table in metadata.tables.values())
        self._meta = self.raw.execute("SELECT name, value FROM meta").fetchall()

    def reset(self) -> None:
        """An empty ledger: deleting all is quicker than making a database, and as clean."""
        self.raw.execute("PRAGMA foreign_keys=OFF")
        for table in self._tables:
            self.raw.execute(f"DELETE FROM {table}")
        self.raw.executemany("INSERT INTO meta (name, value) VALUES (?, ?)", self._meta)
        self.raw.execute("PRAGMA foreign_keys=ON")

    def backup(self) -> sqlite3.Connection:
        """What is committed now, for `put_back`."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        self.raw.backup(copy)
        return copy

    def put_back(self, copy: sqlite3.Connection) -> None:
        """The ledger is what it was at the backup."""
        assert not self.raw.in_transaction, "nobody works on a ledger that is put back"
        copy.backup(self.raw)
        copy.close()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """A look at what is committed."""
        assert not self.raw.in_transaction, "somebody looks while a transaction is open"
        return self.raw.execute(query, values).fetchall()

    def open(self, steps: Steps) -> Ledger:
        """A ledger for one instance. Its schema was checked when the database was made."""
        with (
            patch.object(migrate, "check", lambda _: None),
            patch.object(migrate, "ledger_id", lambda _: LEDGER_ID),
        ):
            return Ledger(_SteppingStore(self, steps))


class _SteppingStore(Store):
    """A store whose transactions are named steps: each has a before and an after."""

    def __init__(self, database: Database, steps: Steps) -> None:
        super().__init__(database.engine, database.engine, file=None)
        self._database = database
        self._steps = steps

    @contextmanager
    def write(self, step: str) -> Iterator[Connection]:
        self._steps.step(step)
        with errors_told(), self._database.writer.begin():
            self._database.raw.execute("BEGIN IMMEDIATE")
            yield self._database.writer
            self._steps.committing(step)
        self._steps.committed(step)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self._steps.alive()
        with errors_told():
            yield self._database.reader

    def close(self) -> None:
        """The engines serve the next instance, too."""


@cache
def database() -> Database:
    """The database of this process."""
    return Database()
