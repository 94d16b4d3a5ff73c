"""`syncd campaign`: a campaign at the vendor as it is, and what the ledger says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import asking, common
from syncd.cli.common import ConfigOption, JsonOption

if TYPE_CHECKING:
    from syncd.campaign.client import CampaignClient

app = typer.Typer(
    help="A campaign: what the vendor tells of it, and pause, resume, stop.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="A campaign of the configuration.")]


@contextmanager
def opened_client(name: str, config: Path | None) -> Iterator[CampaignClient]:
    """The client of a campaign; closed at the end."""
    from syncd.wiring import wire_campaign

    client = wire_campaign(name, common.load_config(config)).client
    try:
        yield client
    finally:
        client.close()


@app.command()
def info(name: Name, *, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print what the vendor tells of the campaign: state, times, counters."""
    from syncd.cli import campaign_view as view

    with opened_client(name, config) as client:
        view.print_info(name, client.info(), as_json=as_json)


@app.command()
def status(name: Name, *, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print the campaign's state in one word, as the vendor gives it."""
    with opened_client(name, config) as client:
        _print_state(name, client.status(), as_json=as_json)


@app.command()
def pause(name: Name, *, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Start no new calls; calls in progress are finished. `resume` ends it."""
    with opened_client(name, config) as client:
        client.pause()
        _print_state(name, client.status(), as_json=as_json)


@app.command()
def resume(name: Name, *, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Start calls again."""
    with opened_client(name, config) as client:
        client.resume()
        _print_state(name, client.status(), as_json=as_json)


@app.command()
def stop(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """End the campaign for good: what was not called never will be, and it takes no lead again."""
    with opened_client(name, config) as client:
        if not yes:
            common.say(f"Stopping is final: {name} calls nobody any more and takes no lead again.")
            asking.confirm_by_name(name)
        client.stop()
        _print_state(name, client.status(), as_json=as_json)


@app.command()
def release(name: Name, *, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Let a campaign go on that syncd holds, because its refusals name no lead at fault.

    Find out first what is wrong: `status` has the reason. Nothing is asked of the vendor. Works
    beside `run`. Exit code 1 when the campaign was not held.
    """
    from syncd.clock import to_ms
    from syncd.errors import EXIT_INCOMPLETE
    from syncd.ledger.moves import By

    with common.opened_app(config) as opened:
        opened.campaign(name)
        by = By("cli:release", to_ms(opened.tools.clock.now()))
        released = opened.ledger.brake.release(name, by=by)
    if as_json:
        common.print_json({"campaign": name, "released": released})
    else:
        typer.echo(f"{name}: {'released' if released else 'was not held'}")
    raise typer.Exit(0 if released else EXIT_INCOMPLETE)


@app.command()
def unknown(
    name: Name,
    *,
    limit: Annotated[int, typer.Option(min=0, help="So many at most; 0: all.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print calls of the campaign that no lead of this ledger has, as sweeps noticed them.

    Somebody added them by hand, by another program or from another ledger; or the vendor made one
    call too many. With the ID the vendor's own pages tell more. `syncd purge` forgets them.
    """
    from syncd.cli import campaign_view as view
    from syncd.cli.finding import limited

    with common.opened_app(config) as opened:
        opened.campaign(name)
        calls = opened.ledger.sweeps.unknown_calls(name, limit=limited(limit))
    view.print_unknown(calls, limited(limit), as_json=as_json)


def _print_state(name: str, state: str, *, as_json: bool) -> None:
    if as_json:
        common.print_json({"campaign": name, "status": state})
    else:
        typer.echo(state)
