"""`syncd numbering`: the Russian numbering registry, brought in and looked at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import ConfigError

app = typer.Typer(
    help="The Russian numbering registry: which zone a +7 number was assigned to.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(name="import")
def bring(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE_OR_URL...",
            help="The official CSV files, plain, .gz or .zip; or https addresses of them.",
        ),
    ],
    *,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            help="A PEM file with root certificates to trust as well: the ministry's server has one"
            " of the Russian state authority.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compile the registry into one table, and replace the one that is there.

    Name all the files at once: DEF-9xx.csv (mobiles), and ABC-3xx.csv, ABC-4xx.csv, ABC-8xx.csv
    (landlines). Files with another header, fewer than 15,000 rows or overlapping blocks are
    refused, and the table that is there stays.
    """
    from syncd.cli import numbering_view as view
    from syncd.clock import SystemClock
    from syncd.numbering.bring import bring_in
    from syncd.numbering.download import Downloads

    place = _place(config)
    if place is None:
        raise ConfigError(
            "there is no place for the registry: the ledger is no file",
            where="numbering.path",
            hint='set path = "/var/lib/syncd/numbering.bin" in [numbering]',
        )
    clock = SystemClock()
    downloads = Downloads(clock, ca_file=ca_file)
    try:
        brought = bring_in(names, place, downloads, now=clock.now())
    finally:
        downloads.close()
    view.print_registry(brought.registry, place, now=clock.now(), as_json=as_json)
    view.say_lost(brought.lost)
    common.say("a running syncd reads it when it is started again")


@app.command()
def status(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print what the registry holds, how old it is, and what it covers."""
    from syncd.cli import numbering_view as view
    from syncd.clock import SystemClock
    from syncd.numbering.kept import load_registry

    place = _place(config)
    registry = load_registry(place)
    view.print_registry(registry, place, now=SystemClock().now(), as_json=as_json)


def _place(config: Path | None) -> Path | None:
    from syncd.config.load import load_numbering_file

    return load_numbering_file(config, os.environ)
