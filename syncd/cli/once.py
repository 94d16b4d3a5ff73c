"""`syncd once`: every pass one time, then exit."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption, Signals


def once(
    syncs: Annotated[
        list[str] | None, typer.Argument(metavar="[SYNC]...", help="These; else all.")
    ] = None,
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read do-not-call lists, poll, reconcile, withdraw, renew, submit, pull reports; then exit.

    Once in `sweep_every` the campaign's calls are compared with the ledger, too.
    """
    from syncd.cli.guards_view import exit_code_with_held
    from syncd.cli.pass_table import print_passes
    from syncd.engine import poll, suppress
    from syncd.engine.once import work_campaign
    from syncd.engine.passes import worst_exit_code

    signals = Signals()
    signals.install()
    with common.opened_app(config, alone=True, stop=signals.stop) as app:
        names = app.sync_names(syncs or [])
        lists = app.suppression_names(names)
        results = [suppress.run_once(app.suppression(name), app.tools) for name in lists]
        results += [poll.run_once(app.sync(name), app.tools) for name in names]
        for name in app.campaign_names(names):
            results += work_campaign(app.campaign(name), app.tools)
        held = app.ledger.guards.held()
    print_passes(results, as_json=as_json)
    code = exit_code_with_held(worst_exit_code(results), held, names)
    raise typer.Exit(signals.exit_code(code))
