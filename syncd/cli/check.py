"""`syncd check`: tries everything, writes nothing, and lists all that is wrong at once."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import EXIT_CONFIG, ConfigError


def check(
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no campaign: nothing leaves this machine.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try everything, write nothing.

    Configuration, ledger, campaigns, sources and mappings; all that is wrong is told at once.
    Reads the first page of each source and maps it. Exit code 2 when anything is wrong.
    """
    from syncd.cli import check_view as view
    from syncd.cli.checking import Check
    from syncd.clock import SystemClock

    made = Check()
    try:
        loaded = common.load_config(config)
    except ConfigError as error:
        if not as_json:
            raise
        made.wrong("configuration", "", error, key="")
    else:
        made.run(loaded, now=SystemClock().now(), offline=offline)
    view.print_check(made, as_json=as_json)
    if made.problems:
        raise typer.Exit(EXIT_CONFIG)
