"""`syncd parked`: calls of which nobody knows whether they were made; a person decides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import asking, common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import ConfigError

if TYPE_CHECKING:
    from syncd.app import App
    from syncd.ledger.moves import By
    from syncd.ledger.parked import ParkedJob

app = typer.Typer(
    help="Calls that may have been made or not: list them, and decide.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Job = Annotated[int, typer.Argument(metavar="ID", help="The job, as `parked list` numbers it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command(name="list")
def list_(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print the parked jobs, the oldest first."""
    from syncd.cli.tables import cell, console, new_table
    from syncd.core.masking import mask_phone

    with common.opened_app(config) as opened:
        jobs = opened.ledger.parked.jobs()
    rows = [{**asdict(job), "phone": mask_phone(str(job.phone))} for job in jobs]
    if as_json:
        common.print_json(rows)
        return
    if not rows:
        common.say("no job is parked")
        return
    table = new_table("id", "sync", "campaign", "key", "phone", "reason")
    for row in rows:
        table.add_row(*(cell(row[name]) for name in table_names()))
    console().print(table)


def table_names() -> tuple[str, ...]:
    """The columns of the list, by the names of its JSON."""
    return ("job_id", "sync", "campaign", "key", "phone", "reason")


@app.command()
def release(
    job: Job, *, yes: Yes = False, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """It was surely not called: send it again, under another key."""
    question = "Call lead {key} again? If it was called, that is twice."
    _settle(job, "release", "staged", question, config=config, yes=yes, as_json=as_json)


@app.command()
def drop(
    job: Job, *, yes: Yes = False, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Give it up: it is not called by this lead any more."""
    question = "Give up lead {key}?"
    _settle(job, "drop", "cancelled", question, config=config, yes=yes, as_json=as_json)


@app.command()
def adopt(
    job: Job,
    call_job_id: Annotated[str, typer.Argument(help="The vendor's ID of the call.")],
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """It was called, and this is its call: the outcome is pulled from now on.

    The campaign is asked first whether it knows the call, and whether it went to the job's phone.
    """
    from syncd.engine.adopt import check_call

    with _parked_job(job, config) as (opened, parked):
        check_call(opened.campaign(parked.campaign), call_job_id, parked.phone)
        taken = opened.ledger.parked.adopt(
            parked,
            call_job_id,
            next_report_at=opened.tools.clock.now(),
            why=_why("adopt"),
            by=_by(opened),
        )
        if not taken:
            raise ConfigError(
                f"call {call_job_id} is that of another job", hint="look it up: syncd leads --json"
            )
    _tell(job, "accepted", as_json=as_json)


def _settle(
    job: int,
    word: str,
    state: str,
    question: str,
    *,
    config: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Ask, and move the job to the state that the person's word means."""
    from syncd.core.call_job import JobState

    with _parked_job(job, config) as (opened, parked):
        if not yes:
            asking.confirm(question.format(key=parked.key))
        opened.ledger.parked.settle(parked, JobState(state), why=_why(word), by=_by(opened))
    _tell(job, state, as_json=as_json)


@contextmanager
def _parked_job(job: int, config: Path | None) -> Iterator[tuple[App, ParkedJob]]:
    with common.opened_app(config) as opened:
        found = opened.ledger.parked.jobs(job_id=job)
        if not found:
            raise ConfigError(
                f"job {job} is not parked", hint="`syncd parked list` tells which are"
            )
        yield opened, found[0]


def _why(decision: str) -> str:
    """Who decided, for the journal."""
    return f"parked {decision} by {asking.person()}"


def _by(opened: App) -> By:
    from syncd.clock import to_ms
    from syncd.ledger.moves import By

    return By("cli:parked", to_ms(opened.tools.clock.now()))


def _tell(job: int, state: str, *, as_json: bool) -> None:
    if as_json:
        common.print_json({"job_id": job, "state": state})
    else:
        typer.echo(f"job {job} is {state}")
