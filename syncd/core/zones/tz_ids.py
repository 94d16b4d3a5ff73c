"""Names of time zones, by `zone.tab` and the links of the `tzdata` package.

`zone.tab` has one id for each place, named after its largest city, under a country. All other ids
are old names or links. Only the ids of `zone.tab` are sent: every Java knows them, but for the
newest, and a machine without old names loads them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

#: In the tz database but not in Java's: there they are old three-letter ids or no zones at all.
_NOT_IN_JAVA: Final = frozenset({"EST", "MST", "HST", "ROC", "Factory", "posixrules", "localtime"})

#: Old names of a place that lost its own rules: the link of the data names another country's city.
#: Source: the `backward` file of the tz database, comments after "#=".
_RENAMED: Final = {
    "Africa/Asmera": "Africa/Asmara",
    "Africa/Timbuktu": "Africa/Bamako",
    "America/Coral_Harbour": "America/Atikokan",
    "America/Virgin": "America/St_Thomas",
    "Atlantic/Jan_Mayen": "Arctic/Longyearbyen",
    "Iceland": "Atlantic/Reykjavik",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
    "Pacific/Yap": "Pacific/Chuuk",
}
#: Zones of rules without a place, which the rules of the United States are.
_RULES: Final = {
    "EST5EDT": "America/New_York",
    "CST6CDT": "America/Chicago",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
}


def canonical_id(text: str) -> str | None:
    """The `zone.tab` id that `text` names, in any case and by any old name; None when it is none.

    `Europe/Kiev` and `europe/kyiv` are `Europe/Kyiv`. Ids without a place (`Etc/GMT-3`) are none.
    """
    return _canonical_ids().get(text.lower())


def zones_of_country(code: str) -> tuple[str, ...]:
    """The `zone.tab` ids of an upper-case ISO 3166 code, in that file's order; () when unknown."""
    return _zone_tab().get(code, ())


@cache
def known_regions() -> frozenset[str]:
    """The region ids that the `tzdata` package and Java both know."""
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split()
    return frozenset(names) - _NOT_IN_JAVA


@cache
def country_names() -> Mapping[str, str]:
    """English short names by upper-case ISO 3166 code, as `iso3166.tab` has them."""
    return MappingProxyType({code: name for code, name, *_ in _rows("iso3166.tab")})


@cache
def _zone_tab() -> Mapping[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for code, _, name, *_ in _rows("zone.tab"):
        table[code] = (*table.get(code, ()), name)
    return table


@cache
def _canonical_ids() -> Mapping[str, str]:
    places = {name for names in _zone_tab().values() for name in names}
    links = {**_links(), **_RENAMED, **_RULES}
    table = {}
    for name in known_regions():
        target = name
        while target not in places and target in links:
            target = links[target]
        if target in places:
            table[name.lower()] = target
    return table


def _links() -> dict[str, str]:
    """The target of each link in `tzdata.zi`: lines `L target name`."""
    text = resources.files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text(encoding="ascii")
    lines = [line.split() for line in text.splitlines() if line.startswith("L ")]
    return {name: target for _, target, name in lines}


def _rows(name: str) -> list[list[str]]:
    text = resources.files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
