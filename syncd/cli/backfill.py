"""`syncd backfill`: everything of a source that the ledger lacks, into the campaign, now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import asking, common
from syncd.cli.common import ConfigOption, JsonOption, Signals

if TYPE_CHECKING:
    from datetime import datetime

    from syncd.engine.passes import PassResult
    from syncd.engine.poll import Backfill

_WaitOption = Annotated[
    bool,
    typer.Option(
        "--wait/--no-wait", help="Stay until every batch is answered, or leave doubts to run."
    ),
]
_YesOption = Annotated[
    bool,
    typer.Option(
        "--yes",
        help="However many there are: no tripwire holds them, nor a limit of the day that nobody"
        " has set.",
    ),
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
    terminal, --yes or --limit the tripwires of the sync count, and the default limits of the day.
    """
    from syncd.cli.backfill_view import shown, summarise
    from syncd.cli.guards_view import exit_code_with_held
    from syncd.engine import backfill as engine
    from syncd.engine import suppress
    from syncd.engine.passes import worst_exit_code

    signals = Signals()
    signals.install()
    progress = engine.Progress()
    decided = yes or limit is not None or asking.is_person()
    results: list[PassResult] = []
    with common.opened_app(config, alone=True, stop=signals.stop) as app:
        for name in app.suppression_names([sync]):
            suppress.run_once(app.suppression(name), app.tools)
        order = _order(start, limit, app.tools.clock.now() if decided else None)
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


def _order(start: str | None, limit: int | None, decided_at: datetime | None) -> Backfill:
    """What to fill; None: no person, at a terminal or by an option, has said how much is meant."""
    from syncd.clock import to_ms
    from syncd.core.starting import StartAt
    from syncd.engine.poll import Backfill
    from syncd.ledger.approvals import Decided

    decided = None if decided_at is None else Decided(asking.person(), to_ms(decided_at))
    begin = None if start is None else StartAt(start)
    return Backfill(begin, limit, guarded=decided is None, decided=decided)
