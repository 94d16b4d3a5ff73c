"""`syncd init`: an empty ledger, and a starter configuration where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from syncd.cli.common import ConfigOption

DEFAULT_FILE = Path("syncd.toml")


def init(*, config: ConfigOption = None) -> None:
    """Make the ledger, and a commented starter configuration where there is none.

    Only this command makes a ledger: an empty one knows nobody and would call everybody again.
    """
    from syncd.config.load import find, load_ledger_url
    from syncd.errors import ConfigError

    try:
        file = find(config, os.environ)
    except ConfigError:
        file = DEFAULT_FILE
    if not file.exists():
        _write_starter(file)
    _make_ledger(load_ledger_url(file, os.environ))


def _write_starter(file: Path) -> None:
    from syncd.config.example import starter
    from syncd.wiring import source_options

    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(starter("csv", source_options()))
    typer.echo(f"configuration: {file} (edit it, then `syncd check`)")


def _make_ledger(url: str) -> None:
    from syncd.errors import LedgerError
    from syncd.ledger import migrate
    from syncd.ledger.store import open_store, shown_url
    from syncd.ledger.witness import Witness

    store = open_store(url, create=True)
    try:
        if migrate.current(store) is not None:
            raise LedgerError(
                "there is a ledger already; it was not touched",
                where=shown_url(url),
                hint="`syncd db upgrade` brings an older one up to date",
            )
        _before, revision = migrate.upgrade(store)
        Witness(store, migrate.ledger_id(store)).renew()
    finally:
        store.close()
    typer.echo(f"ledger: {shown_url(url)} (empty, schema {revision})")
