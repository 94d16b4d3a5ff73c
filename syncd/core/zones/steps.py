"""The steps of the chain that read a column, and the default.

A blank cell passes without evidence; a cell that says nothing is evidence without zones, so that
`explain` shows what was written there. A region, a town or a post code is read in a country: that
of the country column, else that of the number, so that "CA" is never taken for another place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from syncd.core.getters import MISSING, Getter, Row
from syncd.core.masking import mask_text
from syncd.core.refusal import BadValue
from syncd.core.values import is_blank, to_text
from syncd.core.zones.candidates import Evidence
from syncd.core.zones.places.countries import country_of_phone, country_of_text
from syncd.core.zones.places.names import zones_of_city, zones_of_region
from syncd.core.zones.places.own_table import OwnTable
from syncd.core.zones.places.postcodes import zones_of_postcode
from syncd.core.zones.regions import clocks_of_region
from syncd.core.zones.tz_tables import Clocks
from syncd.core.zones.written import zones_of_text

_MAX_KEPT: Final = 65_536
_MAX_SHOWN: Final = 80
_PHONE_DIGITS: Final = 10  #: what has as many digits may be somebody's number, put into the column

_OWN: Final = "by your own table"
_SEVERAL: Final = "several clocks"
_NOT_A_ZONE: Final = "no zone that is known, or more than one meaning"
_NOT_A_COUNTRY: Final = "no country that is known"
_NO_COUNTRY: Final = "its country is not known"


#: What each kind of place is looked up in.
_PLACES: Final[Mapping[str, Callable[[str, str], tuple[str, ...]]]] = {
    "region": zones_of_region,
    "city": zones_of_city,
    "postcode": zones_of_postcode,
}


class _Kept:
    """Evidence made once for each text: a column has few, and the chain keeps by identity."""

    def __init__(self, make: Callable[[str, str], Evidence | None]) -> None:
        self._make = make
        self._kept: dict[tuple[str, str], Evidence | None] = {}

    def get(self, text: str, country: str) -> Evidence | None:
        key = (text, country)
        if key not in self._kept:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[key] = self._make(text, country)
        return self._kept[key]


class ColumnStep:
    """A column that holds zones: ids, offsets, Windows names, `МСК+2`, or values of a table."""

    name = "column"

    def __init__(self, get: Getter, own: OwnTable | None = None) -> None:
        self._get = get
        self._own = own
        self._kept = _Kept(self._evidence)

    def ask(self, record: Row, phone: str) -> Evidence | None:  # noqa: ARG002 - the protocol's
        """The zones that the cell names."""
        text = _text(self._get, record)
        return self._kept.get(text, "") if text else None

    def _evidence(self, text: str, _country: str) -> Evidence:
        own = self._own.zones_of(text) if self._own else ()
        zones = own or zones_of_text(text)
        note = _OWN if own else "" if zones else _NOT_A_ZONE
        return Evidence(self.name, _shown(text), zones, note)


class CountryOf:
    """Which country a record's places are read in."""

    def __init__(self, get: Getter | None = None) -> None:
        """`get` reads the country column, if there is one."""
        self._get = get

    def code(self, record: Row, phone: str) -> str | None:
        """ISO 3166: the country column's, or the number's where that column says none."""
        text = _text(self._get, record) if self._get else ""
        return (country_of_text(text) if text else None) or country_of_phone(phone)


class _PlaceStep:
    """A column that holds the names of places of one kind."""

    name: str

    def __init__(self, get: Getter, country: CountryOf, own: OwnTable | None = None) -> None:
        self._get = get
        self._country = country
        self._own = own
        self._kept = _Kept(self._evidence)

    def ask(self, record: Row, phone: str) -> Evidence | None:
        """The zones of the place that the cell names."""
        text = _text(self._get, record)
        return self._kept.get(text, self._country.code(record, phone) or "") if text else None

    def _evidence(self, text: str, country: str) -> Evidence:
        own = self._own.zones_of(text) if self._own else ()
        if own:
            return Evidence(self.name, _shown(text), own, _OWN)
        zones = _PLACES[self.name](text, country)
        note = f"in {country}" if zones else f"not known in {country}" if country else _NO_COUNTRY
        return Evidence(self.name, _shown(text), zones, note)


class RegionStep(_PlaceStep):
    """A column of regions: Russian subjects, states, provinces."""

    name = "region"


class CityStep(_PlaceStep):
    """A column of towns."""

    name = "city"


class PostcodeStep(_PlaceStep):
    """A column of post codes."""

    name = "postcode"


class CountryStep:
    """A column of countries, by name or code.

    A country of several clocks says little. If the number is of that country and `refine` is set,
    such a country is passed on, as the number knows more; without it the answer is all its clocks.
    """

    name = "country"

    def __init__(self, get: Getter, clocks: Clocks, *, refine: bool = True) -> None:
        """`refine`: a later step of the chain reads the number."""
        self._get = get
        self._clocks = clocks
        self._refine = refine
        self._kept = _Kept(self._evidence)

    def ask(self, record: Row, phone: str) -> Evidence | None:
        """The zones of the country that the cell names."""
        text = _text(self._get, record)
        if not text:
            return None
        return self._kept.get(text, (country_of_phone(phone) or "") if self._refine else "")

    def _evidence(self, text: str, of_phone: str) -> Evidence:
        code = country_of_text(text)
        if code is None:
            return Evidence(self.name, _shown(text), (), _NOT_A_COUNTRY)
        zones = self._clocks.fold(clocks_of_region(code))
        if len(zones) > 1 and code == of_phone:
            return Evidence(self.name, _shown(text), (), f"{_SEVERAL}: the number says more")
        return Evidence(self.name, _shown(text), zones, _SEVERAL if len(zones) > 1 else "")


class DefaultStep:
    """What the configuration says for records that nothing else is known of."""

    name = "default"

    def __init__(self, zones: Sequence[str]) -> None:
        """`zones` as they are sent, the likeliest first."""
        self._evidence = Evidence(self.name, ", ".join(zones), tuple(zones))

    def ask(self, record: Row, phone: str) -> Evidence:  # noqa: ARG002 - the protocol's
        """The default."""
        return self._evidence


def _text(get: Getter, record: Row) -> str:
    """The cell as text; "" when it is blank, left out or unreadable."""
    try:
        value = get(record)
        return "" if value is MISSING or is_blank(value) else to_text(value)
    except BadValue:
        return ""


def _shown(text: str) -> str:
    """The cell as evidence shows it: short, and never a number that can be called."""
    if sum(char.isdigit() for char in text) >= _PHONE_DIGITS:
        return mask_text(text)
    return text[:_MAX_SHOWN]
