"""`syncd sandbox`: a local Calls API to try things against; nobody is phoned."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.errors import EXIT_CONFIG

if TYPE_CHECKING:
    from syncd.sandbox import SandboxConfig
    from syncd.sandbox.knobs import Knobs

EXIT_INTERRUPTED = 130


class DuplicateRule(StrEnum):
    """What addPhones does with a duplicate of the last 24 hours."""

    IGNORE = "ignore"
    ERROR = "error"


Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]
Tokens = Annotated[
    list[str] | None,
    typer.Option(help="Token of a campaign; repeat for several. A default one is served too."),
]
Speed = Annotated[
    float,
    typer.Option(min=0, max=1_000_000, help="Virtual seconds a second; 0: moved by hand only."),
]
Seed = Annotated[int, typer.Option(help="Decides the outcomes of calls.")]
State = Annotated[Path | None, typer.Option(help="File that keeps everything over a restart.")]
Duplicates = Annotated[
    DuplicateRule, typer.Option(help="Ignore duplicates of 24 hours in addPhones, or refuse.")
]
Lines = Annotated[int, typer.Option(min=1, help="Calls at once, for each campaign.")]
Start = Annotated[str | None, typer.Option(help="Virtual start, ISO 8601 with zone. Default: now.")]
NoPaging = Annotated[
    bool, typer.Option("--no-paging", help="Lack the paged methods, as older installations do.")
]

Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Turn a knob, as NAME=VALUE; repeat for several."),
]


def sandbox(
    host: Host = "127.0.0.1",
    port: Port = 8642,
    token: Tokens = None,
    speed: Speed = 1.0,
    seed: Seed = 1,
    state: State = None,
    duplicates: Duplicates = DuplicateRule.IGNORE,
    lines: Lines = 20,
    start: Start = None,
    no_paging: NoPaging = False,
    set_: Set = None,
) -> None:
    """Serve a faithful local Calls API with a dialer on a virtual clock. Nobody is phoned."""
    from syncd.sandbox import SandboxConfig

    config = SandboxConfig(
        host=host,
        port=port,
        tokens=tuple(token or ()),
        speed=speed,
        seed=seed,
        state=state,
        lines=lines,
        start_ms=_start_ms(start),
        knobs=_knobs(set_ or [], duplicates=duplicates.value, paging=not no_paging),
    )
    _serve(config)


def _start_ms(start: str | None) -> int | None:
    from syncd.sandbox.clock import parse_ms

    try:
        return None if start is None else parse_ms(start)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            'expected ISO 8601 with zone, such as "2026-11-23T08:00:00Z"', param_hint="--start"
        ) from None


def _knobs(told: list[str], **options: object) -> Knobs:
    """The knobs of the options, then those of `--set`: numbers and true or false as in JSON."""
    from syncd.sandbox.knobs import Knobs

    changes = dict(options)
    for each in told:
        name, equals, text = each.partition("=")
        if not equals:
            raise typer.BadParameter("expected NAME=VALUE", param_hint="--set")
        try:
            changes[name] = json.loads(text)
        except ValueError:
            changes[name] = text
    try:
        return Knobs().turned(changes)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from None


def _serve(config: SandboxConfig) -> None:
    from syncd.sandbox import StateError, banner, serve

    try:
        serve(config, ready=lambda bound: typer.echo(banner(config, bound)))
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None  # Ctrl+C is how it is meant to end
    except StateError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_CONFIG) from None
    except OSError as error:
        typer.echo(
            f"error: cannot listen on {config.host} port {config.port}: {error.strerror}", err=True
        )
        typer.echo("hint: stop what holds the port, or give --port 0", err=True)
        raise typer.Exit(EXIT_CONFIG) from None
