"""`syncd reconcile`: look at every batch without an answer now."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption, Signals


def reconcile(
    campaigns: Annotated[
        list[str] | None, typer.Argument(metavar="[CAMPAIGN]...", help="These; else all.")
    ] = None,
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send doubtful batches again, look up those that may not be; nothing new is sent."""
    from syncd.cli.pass_table import print_passes
    from syncd.engine import reconcile as engine
    from syncd.engine.passes import worst_exit_code

    signals = Signals()
    signals.install()
    with common.opened_app(config, alone=True, stop=signals.stop) as app:
        names = campaigns or list(app.settings.campaigns)
        results = [engine.run_once(app.campaign(name), app.tools) for name in names]
    print_passes(results, as_json=as_json)
    raise typer.Exit(signals.exit_code(worst_exit_code(results)))
