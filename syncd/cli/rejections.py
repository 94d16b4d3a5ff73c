"""`syncd rejections`: records that are no leads, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption


def rejections(
    *,
    sync: Annotated[str | None, typer.Option(help="Of this sync.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="At most so many; 0: all. [default: 50; all with --export]"),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write CSV to this file; - is the standard output."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List records that are no leads, and why.

    Where they stand, the reason, and a mask of the value, never the value itself. A record
    leaves the list when it, or the mapping, changes so that it can be mapped.
    """
    from syncd.cli import list_view
    from syncd.cli.finding import limited

    default = 0 if export is not None else list_view.ROWS
    most = limited(default if limit is None else limit)
    with common.opened_app(config) as app:
        rows = app.ledger.rejections(sync=sync, limit=most)
        if export is not None:
            list_view.export_rejections(rows, export)
        else:
            list_view.print_rejections(rows, limit=most, as_json=as_json)
