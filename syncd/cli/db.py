"""`syncd db`: the ledger's schema."""

from __future__ import annotations

import os

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import ConfigError

app = typer.Typer(help="The ledger's schema.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def upgrade(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Bring the ledger's schema to this version of syncd. Back the ledger up first."""
    from syncd.config.load import load_ledger_url
    from syncd.ledger import migrate
    from syncd.ledger.instance import hold_instance
    from syncd.ledger.store import open_store

    url = load_ledger_url(config, os.environ)
    instance = hold_instance(url)
    store = open_store(url)
    try:
        if migrate.current(store) is None:
            # An empty database would call everybody again: only `init` may make a ledger.
            migrate.check(store)
        before, after = migrate.upgrade(store)
    finally:
        store.close()
        instance.release()
    if as_json:
        common.print_json({"before": before, "after": after})
    else:
        typer.echo(f"schema {before} → {after}" if before != after else f"schema {after}: current")


@app.command()
def compact(*, config: ConfigOption = None) -> None:
    """Rewrite an SQLite ledger, so that nothing that was removed is left in its file."""
    from syncd.config.load import load_ledger_url
    from syncd.ledger.instance import hold_instance
    from syncd.ledger.ledger import Ledger

    url = load_ledger_url(config, os.environ)
    ledger = Ledger.open(url)
    try:
        if ledger.file is None:
            raise ConfigError(
                "PostgreSQL compacts by itself",
                hint="VACUUM FULL, by its administrator, rewrites the tables",
            )
        instance = hold_instance(url)
        try:
            before = ledger.file.stat().st_size
            ledger.privacy.compact()
            after = ledger.file.stat().st_size
        finally:
            instance.release()
    finally:
        ledger.close()
    typer.echo(f"{ledger.file}: {before:,} bytes before, {after:,} now")


@app.command()
def current(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print the ledger's schema revision and the one that this syncd needs."""
    from syncd.config.load import load_ledger_url
    from syncd.ledger import migrate
    from syncd.ledger.store import open_store

    store = open_store(load_ledger_url(config, os.environ))
    try:
        revision = migrate.current(store)
    finally:
        store.close()
    if as_json:
        common.print_json({"ledger": revision, "syncd": migrate.head()})
    else:
        typer.echo(f"ledger {revision or 'none'}, syncd {migrate.head()}")
