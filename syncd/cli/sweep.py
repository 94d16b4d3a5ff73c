"""`syncd sweep`: compare the campaign's calls with the ledger now."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption, Signals


def sweep(
    campaigns: Annotated[
        list[str] | None, typer.Argument(metavar="[CAMPAIGN]...", help="These; else all.")
    ] = None,
    *,
    since: Annotated[
        str | None,
        typer.Option(help='How far back, such as "7d"; else sweep_window of the campaign.'),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the calls of the campaigns with the ledger; nothing is sent.

    A call that no lead has is given to the lead that lacks it, keeps a lead that waits from being
    called again, or is kept for `syncd campaign unknown`. `run` does it by itself (sweep_every).
    """
    from syncd.cli.pass_table import print_passes
    from syncd.engine import sweep as engine
    from syncd.engine.passes import worst_exit_code

    window = None if since is None else common.length_of(since, "--since")
    signals = Signals()
    signals.install()
    with common.opened_app(config, alone=True, stop=signals.stop) as app:
        wired = [app.campaign(name) for name in campaigns or app.settings.campaigns]
        results = [engine.run_once(one, app.tools, window=window) for one in wired]
    print_passes(results, as_json=as_json)
    for one in wired:
        if one.reports_by_date is False:
            common.say(
                f'campaign "{one.name}" cannot list its calls by date: only the phones of leads'
                " that nobody is sure of were asked for"
            )
    raise typer.Exit(signals.exit_code(worst_exit_code(results)))
