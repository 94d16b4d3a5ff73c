"""The ledger of a crash test: a real SQLite file, or a real PostgreSQL database.

The calendar of the processes is moved by the test (forge.py). On PostgreSQL leases live by the
server's clock, so that one is moved, too: a function of that name stands before the server's own.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import make_url

Rows = list[tuple[Any, ...]]

#: An instance that beats for ever, beside those of the test.
_NEIGHBOUR = """
INSERT INTO instances (id, host, pid, version, started_at, seen_at, until)
VALUES ('neighbour', 'elsewhere', 1, '0', 0, 9000000000000, 9000000000000)
"""
_CLOCK = """
CREATE SCHEMA IF NOT EXISTS kills;
CREATE TABLE IF NOT EXISTS kills.ahead (seconds double precision NOT NULL);
TRUNCATE kills.ahead;
INSERT INTO kills.ahead VALUES (0);
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    'SELECT pg_catalog.clock_timestamp() + make_interval(secs => seconds) FROM kills.ahead';
"""


class LedgerKind(Protocol):
    """What a story needs of the database below syncd."""

    name: str
    url: str

    def empty(self) -> None:
        """No ledger at all, as before `syncd init`."""
        ...

    def move_clock(self, ahead_s: float) -> None:
        """The database's own clock is ahead by so much."""
        ...

    def rows(self, query: str) -> Rows:
        """A look at what is committed."""
        ...

    def add_neighbour(self) -> None:
        """From now on another instance seems to be at work on the ledger."""
        ...


class SqliteKind:
    """A file, new for each story."""

    name = "sqlite"

    def __init__(self, file: Path) -> None:
        self.url = f"sqlite:///{file}"
        self.file = file

    def empty(self) -> None:
        for path in self.file.parent.glob(f"{self.file.name}*"):
            path.unlink()

    def move_clock(self, ahead_s: float) -> None:
        """SQLite has no clock: all times are the caller's."""

    def rows(self, query: str) -> Rows:
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=10)) as ledger:
            return ledger.execute(query).fetchall()

    def add_neighbour(self) -> None:
        """One process has the whole file."""


class PostgresKind:
    """One database, emptied for each story."""

    name = "postgresql"

    def __init__(self, url: str) -> None:
        self.url = url
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(plain, autocommit=True)
        database = self._connection.info.dbname
        # Where nobody names a schema, ours is looked through before the server's.
        self._connection.execute(
            f"ALTER DATABASE {database} SET search_path = public, pg_catalog".encode()
        )

    def empty(self) -> None:
        self._connection.execute(_CLOCK.encode())

    def move_clock(self, ahead_s: float) -> None:
        self._connection.execute("UPDATE kills.ahead SET seconds = %s", (ahead_s,))

    def rows(self, query: str) -> Rows:
        done = self._connection.execute(query.encode())
        return done.fetchall() if done.description else []

    def add_neighbour(self) -> None:
        self.rows(_NEIGHBOUR)

    def close(self) -> None:
        self._connection.close()
