"""`syncd purge`: payloads and raw reports of calls that ended long ago leave the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import ConfigError

#: "90m" for "90 months" would empty the whole ledger.
AGE_MIN = timedelta(days=1)


def purge(
    *,
    older_than: Annotated[
        str, typer.Option(help='How long ago a call must have ended: "90d"; at least "1d".')
    ],
    compact: Annotated[
        bool, typer.Option(help="Rewrite the SQLite file, if nothing else uses the ledger.")
    ] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be removed.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove old payloads, raw reports, passes and journal lines.

    Keys, phones, states and outcomes stay, so nobody is called again by it. Works beside `run`, in
    small steps; one that is stopped can be run again.
    """
    from syncd.cli import asking, compacting
    from syncd.engine import purge as engine

    age = _age(older_than)
    signals = common.Signals()
    with common.opened_app(config, stop=signals.stop) as app:
        clock = app.tools.clock
        before = clock.now() - age
        if dry_run:
            _print(app.ledger.privacy.purgeable(before=before), True, None, as_json)
            return
        if not yes:
            asking.confirm(f"Remove what ended more than {older_than} ago, for good?")
        signals.install()
        rows = engine.run(app.ledger, clock, before=before, stop=signals.stop)
        compacted = compacting.compact(app) if compact and rows.total() else False
    _print(rows, False, compacted, as_json)
    if rows.total():
        compacting.tell(compacted=compacted)
    raise typer.Exit(signals.exit_code(0))


def _age(text: str) -> timedelta:
    age = common.length_of(text, "--older-than")
    if age < AGE_MIN:
        raise ConfigError(
            "--older-than must be at least a day", hint='months are written in days: "90d"'
        )
    return age


def _print(rows: dict[str, int], dry_run: bool, compacted: bool | None, as_json: bool) -> None:
    from syncd.cli.tables import cell, console, new_table

    names = ("call_jobs", "reports", "attempts", "batches", "rejections", "passes", "journal")
    counts = {name: rows.get(name, 0) for name in names}
    if as_json:
        common.print_json({"dry_run": dry_run, "rows": counts, "compacted": compacted})
        return
    table = new_table("table", "rows that would lose data" if dry_run else "rows that lost data")
    for name, count in counts.items():
        table.add_row(name, cell(count))
    console().print(table)
    if dry_run:
        common.say("nothing was done")
