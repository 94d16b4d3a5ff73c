"""`syncd recover`: after a restore or a failover, before anything is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption, Signals

if TYPE_CHECKING:
    from syncd.app import App

#: Before the newest thing that the ledger knows: clocks, and what was under way.
MARGIN = timedelta(days=1)


def recover(
    *,
    since: Annotated[
        str | None,
        typer.Option(
            help='Calls of so long ago until now, such as "3d"; else since a day before the newest'
            " pass that the ledger knows from before the loss, or all calls when it knows of none.",
        ),
    ] = None,
    by_phone: Annotated[
        bool,
        typer.Option(
            "--by-phone",
            help="Where calls cannot be listed by date: compare only leads that the ledger has.",
        ),
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for calls that the ledger lost, so that nobody is called again; then sending goes on.

    Run it after a ledger was restored from a backup, before `run`.
    """
    from syncd.cli.pass_table import print_passes
    from syncd.clock import to_ms
    from syncd.engine import recover as engine
    from syncd.engine.passes import worst_exit_code
    from syncd.ledger.moves import By

    signals = Signals()
    signals.install()
    with common.opened_app(config, alone=True, recovers=True, stop=signals.stop) as app:
        start = _start(since, app)
        results = [
            engine.run_once(app.campaign(name), app.tools, since=start, ask_by_phone=by_phone)
            for name in app.settings.campaigns
        ]
        if all(result.outcome == "done" for result in results):
            app.ledger.end_recovery(by=By("cli:recover", to_ms(app.tools.clock.now())))
            app.ledger.witness.renew()
    print_passes(results, as_json=as_json)
    raise typer.Exit(signals.exit_code(worst_exit_code(results)))


def _start(since: str | None, app: App) -> datetime:
    now = app.tools.clock.now()
    if since is not None:
        return now - common.length_of(since, "--since")
    newest = app.ledger.lost_calls.newest_known(now=now)
    return min(newest, now) - MARGIN
