"""`syncd demo`: the whole product at work on this machine, against a sandbox. Nobody is phoned.

It runs the real commands and prints each before it does. At the end it counts for itself; what it
says then must come from the export and from the sandbox, never from a command's own summary.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from syncd.errors import EXIT_INCOMPLETE

if TYPE_CHECKING:
    from syncd.cli.demo_check import Account
    from syncd.cli.demo_data import Export
    from syncd.cli.demo_stage import Box, Stage
    from syncd.ledger.views import LeadRow

SYNC: Final = "crm-leads"
#: Enough for each kind of row; and what the numbers kept for fiction suffice for.
LEADS_MIN, LEADS_MAX = 100, 10_000
_TWO_DAYS_S: Final = 2 * 24 * 3600
_SHOWN_LINES: Final = 9

_CONFIG = """\
# Made by `syncd demo`: a campaign of the local sandbox.
[ledger]
url = "sqlite:///{ledger}"

[campaigns.welcome]
base_url = "{url}"
token = "{token}"
batch_size = 100
max_requests_per_second = 100.0

[sources.crm]
kind = "csv"
path = "{export}"
renamed = true  # the file is put in place whole, so there is nothing to wait for

[syncs.{sync}]
source = "crm"
campaign = "welcome"
every = "5m"

[syncs.{sync}.map]
key = "id"
phone = ["phone", "phone_2"]
default_region = "US"
filter = "consent"
gmtZone = "{{time zone}}"
maxAttempts = 3
retryIntervalInMinutes = 60

[syncs.{sync}.map.payload]
name = "{{name}}"
amount = {{ column = "amount", type = "float" }}

[syncs.{sync}.hours]
week = {{ mon-sun = ["10:00-17:00"] }}
"""


def demo(
    *,
    folder: Annotated[Path, typer.Option(help="Where its files go.")] = Path("demo-run"),
    leads: Annotated[
        int, typer.Option(min=LEADS_MIN, max=LEADS_MAX, help="How many leads the export has.")
    ] = 2000,
) -> None:
    """Show the whole product at work against a local sandbox, in under a minute.

    Nobody is phoned: every number is kept for fiction. Needs no network and no configuration.
    Exit code 1 when the sandbox's verdict is not clean.
    """
    from syncd.cli.demo_stage import Stage, take_folder

    signal.signal(signal.SIGTERM, _end)
    started_s = time.monotonic()
    take_folder(folder)
    stage = Stage(folder)
    typer.secho("syncd demo: from a CRM export to outcomes. Nobody is phoned.", bold=True)
    with ExitStack() as stack:
        box = _prepare(stage, leads, stack)
        _work(stage, box)
        clean = _judge(stage, box)
    _say_where(folder, seconds=time.monotonic() - started_s)
    if not clean:
        raise typer.Exit(EXIT_INCOMPLETE)


def _end(number: int, _frame: FrameType | None) -> None:
    """SIGTERM unwinds the stack, so that the sandbox ends too."""
    sys.exit(128 + number)


def _prepare(stage: Stage, leads: int, stack: ExitStack) -> Box:
    """A sandbox, an export, a configuration and an empty ledger."""
    from syncd.cli import demo_data
    from syncd.cli.demo_stage import CONFIG, EXPORT, LEDGER, heading
    from syncd.sandbox.world import DEFAULT_TOKEN

    heading(
        "a sandbox: the vendor's API on this machine, with a dialer on a clock that can be moved"
    )
    box = stack.enter_context(stage.sandbox())
    typer.echo(f"listens at {box.url}")

    export = demo_data.make_export(leads)
    (stage.folder / EXPORT).write_bytes(export.encoded())
    _show_export(export, stage.folder / EXPORT)

    text = _CONFIG.format(ledger=LEDGER, url=box.url, token=DEFAULT_TOKEN, export=EXPORT, sync=SYNC)
    handle = os.open(stage.folder / CONFIG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
    heading("a ledger: made once and on purpose, as an empty one would call everybody again")
    stage.run("init")
    return box


def _show_export(export: Export, file: Path) -> None:
    from syncd.cli.demo_stage import heading

    heading(
        f"an export of {export.leads:,} leads, {len(export.countries)} countries and territories, "
        f"{len(export.zones)} zones"
    )
    typer.echo("cp1251, decimal commas, quoted line ends, broken rows; all numbers are for fiction")
    typer.secho(f"$ head -n {_SHOWN_LINES} {file.name}", fg="cyan")
    for line in export.text.splitlines()[:_SHOWN_LINES]:
        typer.echo(line)


def _work(stage: Stage, box: Box) -> None:
    """Plan, backfill, two days, reports."""
    from syncd.cli.demo_stage import heading

    heading("what would happen; nothing is written")
    stage.run("plan", SYNC, "--limit", "2")
    # What cannot be called was rejected: a command that did all it could says so with exit code 1.
    heading("all of it into the campaign")
    stage.run("backfill", SYNC, ends_with=EXIT_INCOMPLETE)
    heading("two days pass: calls at permitted hours, retries, call-backs")
    box.advance(_TWO_DAYS_S)
    heading("one round of every pass: the outcomes come back")
    stage.run("once", ends_with=EXIT_INCOMPLETE)


def _judge(stage: Stage, box: Box) -> bool:
    """Outcomes, three stories, the same again, and the verdict; whether it is clean."""
    from syncd.cli.demo_data import ANSWERED, CALLED_BACK, HELD
    from syncd.cli.demo_stage import EXPORT, LEDGER, heading
    from syncd.ledger.ledger import Ledger
    from syncd.ledger.views import LeadFilter

    everyone = LeadFilter(sync=SYNC)
    ledger = Ledger.open(f"sqlite:///{stage.folder / LEDGER}")
    try:
        leads = list(ledger.leads(everyone, limit=None))
        heading("what became of the calls")
        _print_outcomes(leads)
        heading("three stories: one who answered, one to be called back, one who was not called")
        stage.run("explain", ANSWERED)
        typer.echo()
        stage.run("explain", CALLED_BACK)
        typer.echo()
        stage.run("explain", HELD)
        heading("the same export again: nobody is called twice")
        stage.run("backfill", SYNC, ends_with=EXIT_INCOMPLETE)
        again = list(ledger.leads(everyone, limit=None))
        rejections = list(ledger.rejections(sync=SYNC, limit=None))
    finally:
        ledger.close()

    from syncd.cli.demo_check import read_export, reckon

    heading("the verdict: the sandbox's word, and the export read again by other means")
    verdict = box.verdict()
    contents = read_export((stage.folder / EXPORT).read_bytes())
    account = reckon(contents, again, rejections, box.first_jobs())
    return _print_verdict(verdict, account, new=len(again) - len(leads))


def _print_outcomes(leads: list[LeadRow]) -> None:
    from syncd.cli.demo_check import outcomes
    from syncd.cli.tables import cell, console, new_table

    table = new_table(
        "status", "result", "leads", "attempts", "magic endings", right=["leads", "attempts"]
    )
    for one in outcomes(leads):
        table.add_row(one.status, one.result, cell(one.calls), cell(one.attempts), one.endings)
    console().print(table)
    typer.echo("Phones that end in 90 to 99 have their outcome by rule: docs/reference/sandbox.md")


def _print_verdict(verdict: dict[str, Any], account: Account, *, new: int) -> bool:
    """Print both counts; whether every promise was kept."""
    from syncd.cli.tables import cell, console, new_table

    states = ", ".join(f"{count:,} {state}" for state, count in sorted(account.states.items()))
    typer.echo(
        f"\n{account.records:,} records of the export = {states},\n"
        f"  {account.rejected:,} rejected, {account.no_consent:,} without consent, "
        f"{account.repeated:,} with the same key again\n"
    )
    promises = {
        "jobs called twice": verdict["jobs_called_twice"],
        "calls outside windows": verdict["calls_outside_windows"],
        "leads lost": account.lost,
        "leads not sent": account.unsent,
        "calls that the ledger does not know": account.strangers,
        "new at the second backfill": new,
    }
    table = new_table("promise", "broken", right=["broken"])
    for name, count in promises.items():
        table.add_row(name, cell(count))
    console().print(table)
    clean = not any(promises.values())
    typer.secho("verdict: clean" if clean else "verdict: NOT CLEAN", bold=True)
    return clean


def _say_where(folder: Path, *, seconds: float) -> None:
    from syncd.cli.demo_stage import CONFIG, EXPORT, LEDGER, STATE, heading

    heading(f"done in {seconds:.0f} s; the files are in {folder}/")
    typer.echo(f"{EXPORT} the export, {CONFIG} the configuration, {LEDGER} the ledger, {STATE}")
    typer.echo("to try next:")
    config = ("--config", str(folder / CONFIG))
    for command in ("status", "rejections --limit 20", "leads --state held --limit 20"):
        typer.echo("  " + shlex.join([_program(), *command.split(), *config]))


def _program() -> str:
    """What to type for syncd: its name where that is enough, else the path beside our Python."""
    beside = Path(sys.executable).parent / "syncd"
    if shutil.which("syncd") is not None or not beside.exists():
        return "syncd"
    here = Path.cwd()
    # From elsewhere a chain of ".." is longer than the whole path, and nobody can read it.
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)
