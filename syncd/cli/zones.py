"""`syncd zones`: the zone and the permitted hours of every number of a list."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import ConfigError

if TYPE_CHECKING:
    from syncd.core.spec import HoursSpec
    from syncd.core.zones.registry import Registry

_File = Annotated[
    str,
    typer.Argument(
        metavar="FILE|-", help="A CSV file, plain or packed, or - for what comes by a pipe."
    ),
]
_Phone = Annotated[str, typer.Option(help="The column of the phone.")]
_Column = Annotated[str | None, typer.Option(help="The column of the zone.")]
_Region = Annotated[str | None, typer.Option(help="The column of the region or state.")]
_City = Annotated[str | None, typer.Option(help="The column of the city.")]
_Postcode = Annotated[str | None, typer.Option(help="The column of the post code.")]
_Country = Annotated[str | None, typer.Option(help="The column of the country.")]
_Default = Annotated[str | None, typer.Option(help="The zone of those of whom nothing is known.")]
_Table = Annotated[
    Path | None, typer.Option(help="Your own table of places, a CSV of value and zone.")
]
_DefaultRegion = Annotated[
    str | None, typer.Option(help="The country of phones that name none, such as RU.")
]
_Preset = Annotated[
    str, typer.Option(help='Whose hours: a name of `syncd windows list`, "auto" or "off".')
]
_Scope = Annotated[str, typer.Option(help='What "auto" asks: telemarketing, debt or service.')]
_Encoding = Annotated[str | None, typer.Option(help="Of the file. Found out when not given.")]
_Delimiter = Annotated[str | None, typer.Option(help="Of the file. Found out when not given.")]
_Rows = Annotated[int, typer.Option(min=0, metavar="N", help="So many first rows in the table.")]
_Csv = Annotated[bool, typer.Option("--csv", help="Print all rows as CSV, with columns added.")]


def zones(
    file: _File,
    *,
    phone: _Phone,
    column: _Column = None,
    region: _Region = None,
    city: _City = None,
    postcode: _Postcode = None,
    country: _Country = None,
    default: _Default = None,
    table: _Table = None,
    default_region: _DefaultRegion = None,
    preset: _Preset = "decent",
    scope: _Scope = "telemarketing",
    encoding: _Encoding = None,
    delimiter: _Delimiter = None,
    rows: _Rows = 20,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    as_csv: _Csv = False,
) -> None:
    """Tell the zone and the permitted hours of every number of a list.

    Needs no campaign, no ledger and no configuration; where there is one, its numbering registry is
    used. Nothing is sent or kept. The hours are those of a week without holidays.
    """
    from syncd.cli import zones_view as view
    from syncd.clock import SystemClock
    from syncd.config.zone_settings import ZoneSettings
    from syncd.engine.zone_list import ZoneList, list_mapping
    from syncd.wiring import table_text

    told = ZoneSettings(
        column=column,
        region=region,
        city=city,
        postcode=postcode,
        country=country,
        default=default,
    )
    text = "" if table is None else table_text(table)
    hours = _hours(preset, scope)
    spec = list_mapping(phone, _country(default_region), told.to_spec(text), hours)
    now = SystemClock().now()
    answers = ZoneList(spec, _registry(config), now)
    with view.opened(file, encoding, delimiter) as source, view.shown(file) as on_page:
        read = on_page(answers.read(source.read(None, now=now)))
        show = view.print_json if as_json else view.print_csv if as_csv else view.print_table
        show(read, answers.summary, rows)
    view.say_left(answers.summary)


def _registry(config: Path | None) -> Registry | None:
    """The numbering registry of the configuration, where there is one."""
    from syncd.config.load import find, load_numbering_file
    from syncd.numbering.kept import load_registry

    try:
        find(config, os.environ)
    except ConfigError:
        return None
    return load_registry(load_numbering_file(config, os.environ))


def _country(code: str | None) -> str | None:
    from syncd.core.phone import is_region

    if code is not None and not is_region(code.upper()):
        raise ConfigError("--default-region is no country", hint="two letters, such as RU or US")
    return None if code is None else code.upper()


def _hours(preset: str, scope: str) -> HoursSpec:
    """The hours that are told: of weekdays, for dates are of no use to who reads a list."""
    from syncd.config.hour_settings import AUTO, OFF
    from syncd.core.hours.presets import SCOPES, presets
    from syncd.core.names import did_you_mean
    from syncd.core.spec import HoursSpec

    known = (AUTO, OFF, *presets())
    if preset not in known:
        raise ConfigError(f'there is no preset "{preset}"', hint=did_you_mean(preset, known))
    if scope not in SCOPES:
        raise ConfigError(f'there is no scope "{scope}"', hint=did_you_mean(scope, SCOPES))
    if preset == OFF:
        return HoursSpec(presets=())
    return HoursSpec((preset,), scope=scope, holidays="none")
