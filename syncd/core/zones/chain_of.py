"""Makes the chain of a sync: its steps in their order, each with the column that it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from syncd.core.columns import Columns
from syncd.core.getters import Getter, Row
from syncd.core.hours.holiday_dates import Place
from syncd.core.hours.presets import places_of
from syncd.core.refusal import BadValue
from syncd.core.spec import ZoneSpec
from syncd.core.zones.candidates import Chain, Step
from syncd.core.zones.phone_zones import OwnPrefixStep, PhoneStep
from syncd.core.zones.places.own_table import OwnTable, read_own_table
from syncd.core.zones.registry import Registry
from syncd.core.zones.registry_step import RegistryStep
from syncd.core.zones.steps import (
    CityStep,
    ColumnStep,
    CountryOf,
    CountryStep,
    DefaultStep,
    PostcodeStep,
    RegionStep,
)
from syncd.core.zones.tz_tables import Clocks
from syncd.core.zones.written import zones_of_text

_OF_NUMBERS = frozenset({"registry", "phone"})
_OWN_PREFIXES = "overrides"


def chain_of(spec: ZoneSpec, columns: Columns, registry: Registry | None, clocks: Clocks) -> Chain:
    """The chain that `spec` describes.

    Raises:
        BadValue: a zone of its own that is none, or a column that is not there.
        ConfigError: lines of its own table that cannot be read.
    """
    get = {step: _getter(columns.position(name)) for step, name in spec.columns.items()}
    own = _own(spec)
    country = CountryOf(get.get("country"))
    numbers = {_digits(prefix): zones_named(names) for prefix, names in spec.overrides.items()}
    refine = bool(_OF_NUMBERS & set(spec.steps))
    makers: Mapping[str, Callable[[], Step]] = {
        "column": lambda: ColumnStep(get["column"], own),
        "region": lambda: RegionStep(get["region"], country, own),
        "city": lambda: CityStep(get["city"], country, own),
        "postcode": lambda: PostcodeStep(get["postcode"], country, own),
        "country": lambda: CountryStep(get["country"], clocks, refine=refine),
        "registry": lambda: RegistryStep(registry),
        "phone": lambda: PhoneStep(clocks),
        _OWN_PREFIXES: lambda: OwnPrefixStep(numbers),
        "default": lambda: DefaultStep(zones_named((spec.default or "",))),
    }
    steps = list(spec.steps)
    if numbers:  # what a person says of a prefix goes before every table of numbers
        first = next((at for at, step in enumerate(steps) if step in _OF_NUMBERS), len(steps))
        steps.insert(first, _OWN_PREFIXES)
    if "column" not in get and "column" in steps:
        steps.remove("column")  # the zone itself is mapped, and was read before
    return Chain([makers[step]() for step in steps], clocks)


def places_reader(spec: ZoneSpec, columns: Columns) -> Callable[[Row, str], tuple[Place, ...]]:
    """What tells where a record may be: its country, or its number's, and in the US its state."""
    get = {step: _getter(columns.position(name)) for step, name in spec.columns.items()}
    country_of, region_of = CountryOf(get.get("country")), get.get("region")

    def places(record: Row, phone: str) -> tuple[Place, ...]:
        region = "" if region_of is None else str(region_of(record) or "")
        return places_of(country_of.code(record, phone) or "", region, phone)

    return places


def zones_named(names: tuple[str, ...]) -> tuple[str, ...]:
    """The zones that a person wrote; raises `BadValue` for a text that names none."""
    found: list[str] = []
    for name in names:
        zones = zones_of_text(name)
        if not zones:
            raise BadValue(f'"{name}" is no zone')
        found += zones
    return tuple(found)


def _own(spec: ZoneSpec) -> OwnTable | None:
    return read_own_table(spec.table, "zones.table") if spec.table else None


def _getter(position: int) -> Getter:
    return lambda row: row[position]


def _digits(prefix: str) -> str:
    return "".join(char for char in prefix if char.isdecimal())
