"""`syncd status`: where everything stands, from the ledger alone; asks no campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import EXIT_HALTED, EXIT_INCOMPLETE, EXIT_TRIPPED, SyncdError

if TYPE_CHECKING:
    from syncd.cli.status_view import Status


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
    Asks the ledger only, no campaign. Exit code 3 while a campaign is halted, or the ledger waits
    for `syncd recover`; 4 while a guard holds call jobs.
    """
    from syncd.cli import status_view as view

    try:
        with common.opened_app(config) as app:
            gathered = view.gather(app, outlook=not healthy)
    except SyncdError as error:
        if not healthy:
            raise
        typer.echo(f"unhealthy: {error}")
        raise typer.Exit(EXIT_INCOMPLETE) from None
    what, code = _worst(gathered)
    if healthy:
        typer.echo(what)
    else:
        view.print_status(gathered, as_json=as_json)
    raise typer.Exit(code)


def _worst(status: Status) -> tuple[str, int]:
    """What a person has to look at first, in one line, and its exit code."""
    tripped = [name for name, one in status.syncs.items() if one.held_by_guards]
    if tripped:
        return f"tripped: {', '.join(tripped)}", EXIT_TRIPPED
    if status.recover is not None:
        return f"nothing is sent: {status.recover}", EXIT_HALTED
    halted = [name for name, one in status.campaigns.items() if one.halted is not None]
    if halted:
        return f"halted: {', '.join(halted)}", EXIT_HALTED
    return "healthy", 0
