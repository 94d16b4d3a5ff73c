"""Opening a PostgreSQL ledger, and watching which server answers.

After a failover the new server may lack the last commits, and with them the intents of requests
that were sent: it is told by its timeline, which grows with each promotion, and by the cluster's
identifier. So each new connection is asked for both, and a change holds all sends (recovery.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

from syncd.errors import LedgerError, Transient
from syncd.ledger import recovery

#: A server that does not answer must not hold a pass for minutes; libpq's own limits are
#: hours where a host is gone without a word. What the URL says goes first.
PATIENCE = {
    "connect_timeout": "10",  # seconds
    "tcp_user_timeout": "60000",  # milliseconds until what was sent is acknowledged
    "keepalives_idle": "30",  # seconds, and then a question every
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
#: Connections that are kept, and those that may come on top for a while.
POOL_SIZE, POOL_OVERFLOW = 8, 8
#: How long a verb waits for one of them.
POOL_WAIT_S = 30.0
#: The server takes no writes: a standby, or a former primary.
READ_ONLY = "25006"

_SETTING = "ledger.url"
_SETTINGS = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
_IDENTITY = """
SELECT (SELECT system_identifier FROM pg_control_system())::text,
    CASE WHEN pg_is_in_recovery() THEN NULL
    ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END
"""


class ServerWatch:
    """Which server the newest connection leads to, until that is noted in the ledger."""

    def __init__(self) -> None:
        self._known: str | None = None
        self._unnoted: str | None = None

    def connected(self, connection: psycopg.Connection[Any]) -> None:
        """Look at a new connection; raises LedgerError where commits do not survive a crash."""
        _check_settings(connection)
        identity = _identity(connection)
        if identity is not None and identity != self._known:
            self._unnoted = identity

    def note(self, connection: Connection) -> str | None:
        """Compare the server with the ledger's, in the caller's transaction; what was compared."""
        identity = self._unnoted
        if identity is None or not inspect(connection).has_table("meta"):
            return None
        recovery.note_server(connection, identity)
        return identity

    def noted(self, identity: str | None) -> None:
        """The transaction of `note` was committed."""
        if identity is not None:
            self._known = identity
            if self._unnoted == identity:
                self._unnoted = None


@contextmanager
def opening() -> Iterator[None]:
    """Tell why a ledger cannot be opened, without its URL: that may hold a password."""
    hint = "does the server run, and is the URL right?"
    try:
        yield
    except Transient as error:
        # Later this passes by itself; at the start it is more likely a wrong URL.
        raise LedgerError(error.what, where=_SETTING, hint=hint) from None
    except (SQLAlchemyError, psycopg.Error, ValueError, TypeError):
        # A port or a timeout that is no number, a host that is no name: nothing else is done yet.
        raise LedgerError(
            "the ledger's URL holds what no server can be asked with", where=_SETTING, hint=hint
        ) from None


def open_engine(url: URL) -> tuple[Engine, ServerWatch]:
    """The pool of connections to the server at `url`, and who watches it."""
    _check_options(url)
    url = url.set(drivername="postgresql+psycopg")
    url = url.update_query_dict({**PATIENCE, **url.query})
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=True,
        hide_parameters=True,
        # A prepared statement belongs to one server connection; PgBouncer in transaction mode
        # gives each transaction another one.
        connect_args={"prepare_threshold": None},
    )
    watch = ServerWatch()

    def on_connect(connection: psycopg.Connection[Any], _record: object) -> None:
        watch.connected(connection)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "handle_error", _leave_read_only)
    return engine, watch


def _check_options(url: URL) -> None:
    """Refuse what libpq does not know: it might be an argument of the driver, or of SQLAlchemy."""
    known = {one.keyword.decode() for one in psycopg.pq.Conninfo.get_defaults()}
    if url.query.keys() - known:
        raise LedgerError(
            "the ledger's URL has an option that PostgreSQL does not know",
            where=_SETTING,
            hint="after the ? stand options of libpq, such as sslmode=verify-full",
        )


def _leave_read_only(context: ExceptionContext) -> None:
    """Connections to a former primary are given up, so that the next ones find the new one."""
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


def _check_settings(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute(_SETTINGS).fetchone()
    connection.rollback()
    for name, value in zip(("fsync", "synchronous_commit"), row or (), strict=False):
        if value == "off":
            raise LedgerError(
                f"the ledger's server runs with {name} = off: what it commits may be lost",
                where=_SETTING,
                hint=f"a lost intent is a call made twice; set {name} = on for this database",
            )


def _identity(connection: psycopg.Connection[Any]) -> str | None:
    """Cluster and timeline; None: a standby, or a server that does not tell (not PostgreSQL)."""
    try:
        row = connection.execute(_IDENTITY).fetchone()
    except psycopg.ProgrammingError:
        return None
    finally:
        connection.rollback()
    return None if row is None or row[1] is None else f"{row[0]}/{row[1]}"
