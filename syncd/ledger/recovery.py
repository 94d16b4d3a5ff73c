"""Whether the ledger may have lost commits: then nothing is sent until `syncd recover`.

The mark stands in `meta`, and the statement that commits the intent to send looks at it too
(`MARK_SENT`): once it is committed no sending begins, whichever process it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, bindparam, exists, select, text

from syncd.ledger.moves import By, write_journal
from syncd.ledger.schema import meta
from syncd.ledger.sql import Prepared, upsert

if TYPE_CHECKING:
    from syncd.ledger.store import Store  # which opens servers, and they are noted here

_RECOVER = "recover_required"
_SERVER = "server"
_VALUE = Prepared(lambda _: select(meta.c.value).where(meta.c.name == bindparam("of")))
FAILED_OVER = "the database server was promoted or replaced: its last commits may be lost"


def recovery_needed(store: Store) -> str | None:
    """Why nothing may be sent before `syncd recover`; None: nothing is known to be lost."""
    with store.read() as connection:
        return needed_in(connection)


def needed_in(connection: Connection) -> str | None:
    """The same within a transaction."""
    return _value(connection, _RECOVER)


def require_recovery(store: Store, why: str, *, by: By) -> None:
    """Hold every sending until `syncd recover` has looked for calls that the ledger lacks."""
    with store.write("recovery.require") as connection:
        _require(connection, why, by)


def end_recovery(store: Store, *, by: By) -> bool:
    """What was lost has been looked for: sendings may go on; whether they were held."""
    with store.write("recovery.end") as connection:
        why = _value(connection, _RECOVER)
        if why is None:
            return False
        connection.execute(meta.delete().where(meta.c.name == _RECOVER))
        write_journal(connection, "ledger", [], old="recover", new="sending", why=why, by=by)
    return True


def note_server(connection: Connection, identity: str) -> None:
    """Keep which server holds the ledger; another one than before requires a recovery.

    Args:
        identity: the cluster's identifier and its timeline.
    """
    before = _value(connection, _SERVER)
    if before == identity:
        return
    _set(connection, _SERVER, identity)
    if before is not None:
        sql = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        by = By("ledger", connection.execute(sql).scalar_one())
        _require(connection, FAILED_OVER, by)


def is_sending() -> ColumnElement[bool]:
    """The condition for the intent of a sending: no recovery is required."""
    return ~exists(select(meta.c.value).where(meta.c.name == _RECOVER))


def _require(connection: Connection, why: str, by: By) -> None:
    if _value(connection, _RECOVER) is None:
        _set(connection, _RECOVER, why)
        write_journal(connection, "ledger", [], old="sending", new="recover", why=why, by=by)


def _value(connection: Connection, name: str) -> str | None:
    value: str | None = _VALUE(connection, of=name).scalar()
    return value


def _set(connection: Connection, name: str, value: str) -> None:
    statement = upsert(connection.dialect.name, meta).values(name=name, value=value)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )
