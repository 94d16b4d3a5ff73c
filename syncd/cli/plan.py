"""`syncd plan`: what the next poll would do; writes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption, Signals


def plan(
    sync: Annotated[str, typer.Argument(help="The sync to look at.")],
    *,
    whole: Annotated[
        bool,
        typer.Option(
            "--all", help="From the start of the source, as backfill reads it, not the next poll."
        ),
    ] = False,
    limit: Annotated[
        int, typer.Option(min=0, metavar="N", help="Show so many first jobs as they would be sent.")
    ] = 3,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what the next poll would do.

    New, changed, known, rejected and held records, and the first jobs as they would be sent. Writes
    nothing, neither ledger nor cursor; works beside a running daemon.
    """
    from syncd.cli import plan_view as view
    from syncd.config.guard_settings import day_limits_of
    from syncd.engine import plan as engine

    signals = Signals()
    signals.install()
    with common.opened_app(config, stop=signals.stop) as app, view.shown(quiet=as_json) as on_page:
        wired = app.sync(sync)
        campaign = app.settings.campaigns[wired.campaign]
        made = engine.run(
            wired,
            app.ledger,
            limits=day_limits_of(campaign),
            lines=campaign.lines,
            now=app.tools.clock.now(),
            whole=whole,
            jobs_max=limit,
            stop=signals.stop,
            on_page=on_page,
        )
    view.print_plan(made, as_json=as_json)
    if made.error is not None:
        raise made.error
    raise typer.Exit(signals.exit_code(0))
