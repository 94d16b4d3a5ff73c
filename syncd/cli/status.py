"""`syncd status`: where everything stands, from the ledger alone; asks no campaign."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import EXIT_HALTED, EXIT_INCOMPLETE, EXIT_TRIPPED, SyncdError


def status(
    *,
    healthy: Annotated[
        bool,
        typer.Option(
            "--check",
            help="One line for a health check: 0 healthy, 1 no usable ledger, 3 a campaign halted,"
            " or a ledger that waits for `syncd recover`, 4 a guard waits for a person.",
        ),
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print where everything stands.

    What each sync and campaign has done, what is open, the last passes, and the versions at work.
    Asks the ledger only, no campaign. Exit code 4 while a guard holds call jobs.
    """
    from syncd.cli import status_view as view

    try:
        with common.opened_app(config) as app:
            gathered = view.gather(app)
    except SyncdError as error:
        if not healthy:
            raise
        typer.echo(f"unhealthy: {error}")
        raise typer.Exit(EXIT_INCOMPLETE) from None
    tripped = [name for name, one in gathered.syncs.items() if one.held_by_guards]
    if not healthy:
        view.print_status(gathered, as_json=as_json)
        raise typer.Exit(EXIT_TRIPPED if tripped else 0)
    if tripped:
        typer.echo(f"tripped: {', '.join(tripped)}")
        raise typer.Exit(EXIT_TRIPPED)
    if gathered.recover is not None:
        typer.echo(f"nothing is sent: {gathered.recover}")
        raise typer.Exit(EXIT_HALTED)
    halted = [name for name, one in gathered.campaigns.items() if one.halted is not None]
    if halted:
        typer.echo(f"halted: {', '.join(halted)}")
        raise typer.Exit(EXIT_HALTED)
    typer.echo("healthy")
