"""`syncd config`: the configuration as resolved, its schema, and an example of every key."""

from __future__ import annotations

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption

app = typer.Typer(
    help="The configuration: as resolved, its schema, an example.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def show(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print every value and where it came from; secrets are masked."""
    from dataclasses import asdict

    from syncd.cli import tables
    from syncd.config.show import describe
    from syncd.config.toml import write
    from syncd.wiring import source_options

    loaded = common.load_config(config)
    values = describe(loaded, source_options())
    for warning in loaded.warnings:
        common.say(f"warning: {warning}\n  hint: {warning.hint}")
    if as_json:
        tables.print_json_list(asdict(value) for value in values)
        return
    table = tables.new_table("key", "value", "from")
    for value in values:
        table.add_row(value.path, tables.cell(write(value.value)), tables.cell(value.origin))
    tables.console().print(table)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from syncd.config.schema import schema as made
    from syncd.wiring import source_options

    common.print_json(made(source_options()))


@app.command()
def example() -> None:
    """Print a configuration with every key, its meaning and its default."""
    from syncd.config.example import example as made
    from syncd.wiring import source_options

    typer.echo(made(source_options()), nl=False)
