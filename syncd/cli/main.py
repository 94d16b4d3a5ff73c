"""The command line: which commands there are, and how errors become exit codes.

0 done · 1 done, but something was refused, parked or rejected · 2 usage or configuration ·
3 a campaign is halted · 4 a guard waits for a person · 70 a bug ·
130, 143 ended by SIGINT, SIGTERM.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from syncd import __version__
from syncd.cli import (
    approve,
    backfill,
    campaign,
    cancel,
    check,
    common,
    config_cmd,
    db,
    demo,
    erase,
    explain,
    init,
    leads,
    numbering,
    once,
    parked,
    plan,
    purge,
    reconcile,
    recover,
    rejections,
    requeue,
    retry,
    sandbox,
    status,
    sweep,
    test_call,
    windows,
    zones,
)
from syncd.cli import run as daemon
from syncd.cli.arguments import refuse_broken
from syncd.errors import EXIT_BUG, SyncdError

app = typer.Typer(
    name="syncd",
    help="New leads into an outbound-call campaign: exactly once, at a permitted hour, "
    "and the outcome comes back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"syncd {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error.", show_default=False)
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(help="auto, console or json.", show_default=False)
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Options that stand before the command."""
    if log_level not in (None, "debug", "info", "warning", "error"):
        raise typer.BadParameter("choose debug, info, warning or error", param_hint="--log-level")
    if log_format not in (None, "auto", "console", "json"):
        raise typer.BadParameter("choose auto, console or json", param_hint="--log-format")
    common.LOG.level, common.LOG.format = log_level, log_format


_START = "Start"
_WORK = "Work"
_LOOK = "Look"
app.command(rich_help_panel=_START)(init.init)
app.command(rich_help_panel=_START)(check.check)
app.command(rich_help_panel=_START)(demo.demo)
app.command(rich_help_panel=_WORK)(daemon.run)
app.command(rich_help_panel=_WORK)(plan.plan)
app.command(rich_help_panel=_WORK)(once.once)
app.command(rich_help_panel=_WORK)(backfill.backfill)
app.command(rich_help_panel=_WORK)(reconcile.reconcile)
app.command(rich_help_panel=_WORK)(sweep.sweep)
app.command(rich_help_panel=_WORK)(recover.recover)
app.command(rich_help_panel=_LOOK)(status.status)
app.command(rich_help_panel=_LOOK)(leads.leads)
app.command(rich_help_panel=_LOOK)(explain.explain)
app.command(rich_help_panel=_LOOK)(rejections.rejections)
app.command(rich_help_panel=_LOOK)(zones.zones)
app.command(rich_help_panel=_START)(sandbox.sandbox)
app.command(rich_help_panel=_WORK)(cancel.cancel)
app.command(rich_help_panel=_WORK)(approve.approve)
app.command(rich_help_panel=_WORK)(requeue.requeue)
app.command(rich_help_panel=_WORK)(retry.retry)
app.command(rich_help_panel=_WORK)(erase.erase)
app.command(rich_help_panel=_WORK)(purge.purge)
app.command(name="test-call", rich_help_panel=_WORK)(test_call.call)
app.add_typer(campaign.app, name="campaign")
app.add_typer(parked.app, name="parked")
app.add_typer(config_cmd.app, name="config")
app.add_typer(db.app, name="db")
app.add_typer(numbering.app, name="numbering")
app.add_typer(windows.app, name="windows")


def run() -> None:
    """Run the command line and end the process with a documented exit code."""
    try:
        refuse_broken(sys.argv[1:])
        app()
    except SyncdError as error:
        try:
            common.fail(error)
        except typer.Exit as ending:
            sys.exit(ending.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted.
        sys.stderr.close()
        sys.exit(0)
    except Exception:  # noqa: BLE001 - whatever else comes is a bug, and has its own exit code
        sys.excepthook(*sys.exc_info())
        sys.exit(EXIT_BUG)
