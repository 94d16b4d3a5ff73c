"""`syncd backfill`: everything of a source that the ledger lacks, into the campaign, now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption, Signals

if TYPE_CHECKING:
    from syncd.engine.passes import PassResult
    from syncd.engine.poll import Backfill

_WaitOption = Annotated[
    bool,
    typer.Option(
        "--wait/--no-wait", help="Stay until every batch is answered, or leave doubts to run."
    ),
]
_YesOption = Annotated[
    bool, typer.Option("--yes", help="However many there are: no tripwire holds them.")
]


def backfill(
    sync: Annotated[str, typer.Argument(help="The sync to fill.")],
    *,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="VALUE", help="Only records with this key or a later one."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most so many new leads.")
    ] = None,
    wait: _WaitOption = True,
    yes: _YesOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a source from its start, take what the ledger lacks, and submit all of it.

    Safe to stop (Ctrl-C) and to start again at any point. The live cursor is left alone. Without a
    terminal, --yes or --limit the tripwires of the sync count.
    """
    from syncd.cli.backfill_view import shown, summarise
    from syncd.cli.guards_view import exit_code_with_held
    from syncd.engine import backfill as engine
    from syncd.engine import suppress
    from syncd.engine.passes import worst_exit_code

    signals = Signals()
    signals.install()
    progress = engine.Progress()
    order = _order(start, limit, yes=yes)
    results: list[PassResult] = []
    with common.opened_app(config, alone=True, stop=signals.stop) as app:
        for name in app.suppression_names([sync]):
            suppress.run_once(app.suppression(name), app.tools)
        wired = app.sync(sync)
        campaign = app.campaign(wired.campaign)
        with shown(progress, quiet=as_json) as elapsed:
            results += engine.run(
                wired, campaign, app.tools, backfill=order, wait=wait, progress=progress
            )
        held = app.ledger.guards.held()
    summarise(sync, results, elapsed_s=elapsed(), as_json=as_json)
    if signals.received is not None:
        common.say("stopped by a signal before its end; start it again to go on")
    code = exit_code_with_held(worst_exit_code(results), held, [sync])
    raise typer.Exit(signals.exit_code(code))


def _order(start: str | None, limit: int | None, *, yes: bool) -> Backfill:
    """A person decides how many calls are meant: at a terminal, or by an option that says so."""
    from syncd.cli.asking import is_person
    from syncd.core.starting import StartAt
    from syncd.engine.poll import Backfill

    guarded = not (yes or limit is not None or is_person())
    return Backfill(None if start is None else StartAt(start), limit, guarded)
