"""`syncd windows`: the presets of calling hours."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer

from syncd.cli.common import JsonOption
from syncd.errors import ConfigError

app = typer.Typer(
    help="Presets of calling hours: laws and codes, with their sources. No legal advice.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(name="list")
def list_(*, as_json: JsonOption = False) -> None:
    """List the presets: where and for what they hold, the hours, the caps.

    They are no legal advice. Of those that are not verified, the sources differ, or there is only
    one at second hand, or the hours are a custom.
    """
    from syncd.cli import windows_view as view
    from syncd.core.hours.presets import presets

    view.print_list(list(presets().values()), as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="PRESET", help="Its name, such as ru-debt.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show a preset: hours as a picture, holidays, caps, sources, and duties of consent.

    It is no legal advice.
    """
    from syncd.cli import windows_view as view
    from syncd.core.hours.presets import named, presets

    preset = named(name)
    if preset is None:
        near = get_close_matches(name, presets(), 3)
        hint = f"is it {' or '.join(near)}?" if near else "syncd windows list shows them all"
        raise ConfigError("there is no preset of this name", hint=hint)
    view.print_preset(preset, as_json=as_json)
