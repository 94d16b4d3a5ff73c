"""The one way to a schema: alembic's revisions in `migrations/`, never `create_all`."""

from __future__ import annotations

import secrets
import uuid
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from syncd.errors import LedgerError
from syncd.ledger.schema import meta
from syncd.ledger.sql import upsert
from syncd.ledger.store import Store
from syncd.ledger.tombstones import PEPPER

_LEDGER_ID = "ledger_id"


def scripts_folder() -> Path:
    """Where the revisions are: inside an installed wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise LedgerError("migrations/ is not installed", hint="install syncd from its wheel again")


def revisions() -> list[str]:
    """Every revision that this program knows, oldest first; its file's name begins with it."""
    files = (scripts_folder() / "versions").glob("*_*.py")
    return sorted(file.name.split("_")[0] for file in files)


def head() -> str:
    """The newest revision that this program knows."""
    return revisions()[-1]


def current(store: Store) -> str | None:
    """The revision of the ledger; None: no schema yet."""
    with store.read() as connection:
        return _current(connection)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(store: Store) -> tuple[str | None, str]:
    """Bring the schema to the newest revision, in one transaction; the old and new revision."""
    from alembic import command  # noqa: PLC0415 - only this verb pays for it
    from alembic.config import Config  # noqa: PLC0415 - as above

    with store.write("schema.upgrade") as connection:
        before = _current(connection)
        _refuse_newer(before)
        config = Config()
        config.set_main_option("script_location", str(scripts_folder()).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        for name, value in ((_LEDGER_ID, str(uuid.uuid4())), (PEPPER, secrets.token_hex(32))):
            kept = upsert(connection.dialect.name, meta).values(name=name, value=value)
            connection.execute(kept.on_conflict_do_nothing())
    return before, head()


def check(store: Store) -> None:
    """Refuse a ledger whose schema is not the one that this program was written for."""
    found = current(store)
    if found is None:
        raise LedgerError("this database is no ledger yet", hint="`syncd init` makes one in it")
    _refuse_newer(found)
    if found != head():
        raise LedgerError(
            f"the ledger's schema is {found}, this syncd needs {head()}",
            hint="back it up, then run `syncd db upgrade`",
        )


def ledger_id(store: Store) -> str:
    """The ledger's own UUID: part of every idempotence key."""
    with store.read() as connection:
        return str(
            connection.execute(select(meta.c.value).where(meta.c.name == _LEDGER_ID)).scalar_one()
        )


def _refuse_newer(found: str | None) -> None:
    if found is not None and found not in revisions():
        raise LedgerError(
            f"the ledger's schema {found} is newer than this syncd",
            hint="install the syncd that wrote it, or a newer one",
        )
