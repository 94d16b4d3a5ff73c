"""What a database's failure means for us: wait and try again, or a person has to act.

No message of ours holds SQL, a value or a password.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from syncd.errors import LedgerError, Transient

#: PostgreSQL: deadlock, serialization failure, lock not available, statement or lock timeout,
#: too many connections, shutting down, starting up, idle for too long.
_PASSING_STATES = frozenset(
    {"40P01", "40001", "55P03", "57014", "53300", "57P01", "57P02", "57P03", "57P05", "25P03"}
)
#: The class of lost connections, and of what PgBouncer says when it has none.
_CONNECTION_STATES = "08"
#: The server takes no writes: a standby, or a primary that was replaced.
_READ_ONLY_STATE = "25006"
#: SQLite: another program holds the file's own lock (a backup, the sqlite3 shell).
_PASSING_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
#: PostgreSQL: a column, table or object is missing, or there already.
_SCHEMA_STATES = frozenset({"42703", "42P01", "42704", "42701", "42P07", "42710"})
#: SQLite has no code for the same, only words.
_SCHEMA_WORDS = ("no such table", "no such column", "has no column", "duplicate column")
_EXISTS = "already exists"
_SCHEMA_HINT = (
    "`syncd db current` tells its schema and the one that this syncd needs. Was it upgraded while"
    " this process ran? Start it again. Was it changed by hand, or an upgrade cut? Restore a backup"
)
_HINT = "free disk space, file permissions and the server are what to look at"


@contextmanager
def errors_told() -> Iterator[None]:
    """Turn a database's failures into ours, without the SQL and without values."""
    try:
        yield
    except PoolTimeoutError:
        raise Transient(
            "every connection to the ledger's database is in use",
            hint="if it lasts, lower max_in_flight, or the number of campaigns of one process",
        ) from None
    except OperationalError as error:
        _refuse_schema(error)
        if _passes(error):
            raise Transient(f"the ledger's database cannot now: {_first_line(error)}") from None
        raise LedgerError(
            f"the ledger's database failed: {_first_line(error)}", hint=_HINT
        ) from None
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _READ_ONLY_STATE:
            raise Transient(
                "the ledger's server takes no writes now: it is a standby, or was replaced",
                hint="in ledger.url name every server, with target_session_attrs=read-write",
            ) from None
        if error.connection_invalidated:
            raise Transient("the connection to the ledger's database was lost") from None
        if type(error) in (DatabaseError, InternalError):
            raise LedgerError(
                f"the ledger is damaged or is no database: {_first_line(error)}",
                hint="restore a backup; an empty ledger would call everybody again",
            ) from None
        _refuse_schema(error)
        raise


def _refuse_schema(error: DBAPIError) -> None:
    """Raise LedgerError when the tables are not those that the statement was written for."""
    told = _first_line(error)
    if isinstance(error.orig, sqlite3.Error):
        differs = any(words in told for words in _SCHEMA_WORDS) or told.endswith(_EXISTS)
    else:
        differs = getattr(error.orig, "sqlstate", None) in _SCHEMA_STATES
    if differs:
        raise LedgerError(
            f"the ledger's tables are not those of this syncd: {told}", hint=_SCHEMA_HINT
        ) from None


def _passes(error: OperationalError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in _PASSING_CODES
    # No state: libpq itself found no server, or lost it.
    state = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated or state is None:
        return True
    return state in _PASSING_STATES or state.startswith(_CONNECTION_STATES)


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
