"""`syncd approve`: a person lets go what a guard holds, or drops it."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import asking, common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import EXIT_INCOMPLETE, ConfigError


def approve(
    sync: Annotated[str, typer.Argument(help="The sync whose held calls are meant.")],
    *,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the N oldest; else all.")
    ] = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="End them instead: nobody of them is called.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what is held, and why.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let calls go that a guard holds.

    Does not ask again: look first, with --dry-run or `syncd leads --state held`. Works beside
    `run`, which then sends them. Who approved how many, and when, is kept. Exit code 1 when nothing
    was held.
    """
    from syncd.cli import guards_view as view
    from syncd.core.names import did_you_mean
    from syncd.engine import approve as engine
    from syncd.ledger.approvals import Word

    with common.opened_app(config) as app:
        guards, known = app.ledger.guards, app.settings.syncs.get(sync)
        # Of a sync that is not configured any more, no poll will judge what a killed one left.
        lost = known is None
        held = guards.held(also_judging=lost).get(sync, 0)
        if lost and not held:
            hint = did_you_mean(sync, app.settings.syncs)
            raise ConfigError(f'there is no sync "{sync}"', hint=hint)
        trips = [trip for trip in guards.open_trips() if trip.sync == sync]
        if dry_run or not held:
            view.print_held(sync, held, trips, as_json=as_json)
            raise typer.Exit(0 if held else EXIT_INCOMPLETE)
        word = Word(asking.person(), drop, lost)
        if known is not None:
            word = Word(asking.person(), drop, lost, known.policy.calls())
        done = engine.run(sync, word, app.ledger, app.tools.clock, limit=limit)
        left = guards.held(also_judging=lost).get(sync, 0)
    view.print_approved(sync, done, left, word.who, as_json=as_json)
