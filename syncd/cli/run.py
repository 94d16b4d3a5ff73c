"""`syncd run`: the daemon."""

from __future__ import annotations

import os

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, Signals


def run(*, config: ConfigOption = None) -> None:
    """Run every sync on its schedule until a signal.

    SIGTERM lets the work under way end and exits 0; a second signal ends at once.
    """
    from syncd.daemon import lifecycle

    signals = Signals()
    signals.install()
    with common.opened_app(config, alone=True, stop=signals.stop, quiet_logs=False) as app:
        ending = lifecycle.run(app, signals)
        if not ending.drained:
            # A pass hangs; leaving by the front door would wait for its thread forever.
            os._exit(ending.exit_code)
    raise typer.Exit(ending.exit_code)
