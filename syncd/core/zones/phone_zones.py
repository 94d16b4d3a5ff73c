"""From a number to the zones that its owner may live in.

The data of `phonenumbers` name one city for each metazone and one zone for most mobiles: wrong for
Kaliningrad and Saratov, half of Queensland, Chihuahua, and every North American area code that is
split. They are therefore used inside a correction layer:

1. the user's own prefixes;
2. the number's region: if it has one clock, that is the answer;
3. the prefixes of `data/zones/prefixes.tsv`;
4. a type of number that tells no place (mobile in most countries, toll-free): all its clocks;
5. North America: all zones of the area code, since numbers move inside it;
6. else the library's zones, as far as they are clocks of the region; if none is, all of these.

A number without a region (satellite) is unknown. A test compares this module with a slow version
of these lines, for thousands of numbers of all regions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

import phonenumbers
from phonenumbers.tzdata import TIMEZONE_DATA

from syncd.core import phone_plan
from syncd.core.getters import Row
from syncd.core.zones.candidates import Evidence
from syncd.core.zones.regions import clocks_of_region
from syncd.core.zones.texts import rows
from syncd.core.zones.tz_ids import canonical_id
from syncd.core.zones.tz_tables import Clocks

_NANP: Final = "1"
_HEAD_CHARS: Final = 4  #: "1" and an area code, which tells the rest; no calling code is longer

_T = TypeVar("_T")

_SHARED: Final = {"US": ("US", "CA")}  #: toll-free numbers of the United States are Canada's too

NO_COUNTRY: Final = "no country: a satellite or world-wide number, or none at all"
ONE_CLOCK: Final = "{} has one clock"
NO_PLACE: Final = "numbers of this type tell no place in {}"


class _Table(dict[str, _T]):
    """Values by prefix, with the lengths of the prefixes, the longest first."""

    def __init__(self, values: Mapping[str, _T]) -> None:
        super().__init__(values)
        self.lengths = sorted({len(prefix) for prefix in values}, reverse=True)


class OwnPrefixStep:
    """The user's own prefixes; they go before every table, the registry's too."""

    name = "phone"

    def __init__(self, own: Mapping[str, Sequence[str]]) -> None:
        """`own`: prefixes, E.164 digits, with their zones (`zone.tab` ids, `+HH:MM`).

        The longest prefix that a number begins with wins.
        """
        self._own = {
            prefix: Evidence(self.name, spaced(prefix), tuple(zones), "by your own prefixes")
            for prefix, zones in own.items()
        }
        self._lengths = sorted({len(prefix) for prefix in self._own}, reverse=True)

    def ask(self, record: Row, phone: str) -> Evidence | None:  # noqa: ARG002 - the number tells it
        """What the user says of the number's prefix; None for any other."""
        for length in self._lengths:
            own = self._own.get(phone[:length])
            if own is not None:
                return own
        return None


class PhoneStep:
    """The step that reads the number itself. `ask` costs about a microsecond."""

    name = "phone"

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._heads: dict[str, Evidence] = {}  # by the first digits, where these tell all
        self._open: set[str] = set()  # first digits that do not
        self._prefixes: dict[tuple[str, str], Evidence] = {}  # by region and prefix

    def ask(self, record: Row, phone: str) -> Evidence:  # noqa: ARG002 - the number tells it all
        """What the number says; without zones when it is of no region."""
        head = phone[:_HEAD_CHARS]
        known = self._heads.get(head)
        if known is None:
            if head[:1] == _NANP:
                return self._area(phone)
            if head in self._open:
                return self._number(phone)
            known = self._head(head)
            if known is None:
                self._open.add(head)
                return self._number(phone)
            self._heads[head] = known
        return known

    def _head(self, head: str) -> Evidence | None:
        """The answer for all numbers that begin with these digits, when there is one."""
        code = phone_plan.calling_code(head)
        regions = phone_plan.regions(code)
        corrected = [prefix for region in regions for prefix in _prefixes(region)]
        if any(prefix.startswith(head) and prefix != head for prefix in corrected):
            return None
        region = phone_plan.surely_in(head)
        prefix = _longest(head, _prefixes(region)) if region else ""
        if region and (prefix or self._is_one_clock(region)):
            return self._of_prefix(region, prefix, code)
        if len(self._clocks.fold(tuple(_each_clock(regions)))) == 1:
            return self._one_clock(regions[0], code)
        return None

    def _is_one_clock(self, region: str) -> bool:
        return len(self._clocks.fold(clocks_of_region(region))) == 1

    def _one_clock(self, region: str, prefix: str) -> Evidence:
        zone = clocks_of_region(region)[:1]
        return Evidence(self.name, spaced(prefix), zone, ONE_CLOCK.format(region))

    def _number(self, phone: str) -> Evidence:
        """The answer for one number, of a calling code with several clocks."""
        place = phone_plan.place(phone)
        if place is None:
            return Evidence(self.name, spaced(phone_plan.calling_code(phone)), (), NO_COUNTRY)
        region, geographic = place
        prefix = _longest(phone, _prefixes(region)) or (
            _longest(phone, _library(region)) if geographic else ""
        )
        known = self._prefixes.get((region, prefix))
        if known is None:
            code = phone_plan.calling_code(phone)
            known = self._prefixes[region, prefix] = self._of_prefix(region, prefix, code)
        return known

    def _of_prefix(self, region: str, prefix: str, code: str) -> Evidence:
        clocks = clocks_of_region(region)
        if self._is_one_clock(region):
            return self._one_clock(region, code)
        corrected = _prefixes(region).get(prefix)
        if corrected:
            zones, note = corrected
            return Evidence(self.name, spaced(prefix), zones, note.format(prefix[len(code) :]))
        if not prefix:
            return Evidence(self.name, spaced(code), clocks, NO_PLACE.format(region))
        zones = self._clocks.among(_ids(TIMEZONE_DATA[prefix]), clocks)
        return Evidence(self.name, spaced(prefix), zones or clocks)

    def _area(self, phone: str) -> Evidence:
        """The answer for an area code of North America."""
        area = phone[:_HEAD_CHARS]
        place = phone_plan.place(phone)
        if place is None:  # not kept: another number of this area code may be a number
            return Evidence(self.name, spaced(area), (), NO_COUNTRY)
        region, geographic = place
        if self._is_one_clock(region):
            known = self._one_clock(region, area)
        elif area in _prefixes(region):
            known = self._of_prefix(region, area, _NANP)
        elif geographic:
            clocks = clocks_of_region(region)
            zones = self._clocks.among(_ids(_area_zones().get(area, ())), clocks)
            known = Evidence(self.name, spaced(area), zones or clocks)
        else:
            clocks = tuple(_each_clock(_SHARED.get(region, (region,))))
            known = Evidence(self.name, spaced(area), clocks, NO_PLACE.format("North America"))
        self._heads[area] = known
        return known


def spaced(prefix: str) -> str:
    """`+7 914` for "7914": how a prefix is shown."""
    code = phone_plan.calling_code(prefix) or prefix
    return f"+{code} {prefix[len(code) :]}".rstrip()


def _each_clock(regions: Iterable[str]) -> Iterator[str]:
    for region in regions:
        yield from clocks_of_region(region)


def _longest(phone: str, table: _Table[Any]) -> str:
    """The longest prefix of `phone` in `table`, or ""."""
    for length in table.lengths:
        if phone[:length] in table:
            return phone[:length]
    return ""


def _ids(zones: Iterable[str]) -> tuple[str, ...]:
    """Names of the library as they are now; it has a dozen old ones."""
    return tuple(filter(None, map(canonical_id, zones)))


@cache
def _area_zones() -> Mapping[str, tuple[str, ...]]:
    """All zones in each area code: those of the area code itself, then by how many blocks have."""
    counts: dict[str, Counter[str]] = {}
    for prefix, zones in _library("US").items():
        counts.setdefault(prefix[:_HEAD_CHARS], Counter()).update(zones)
    return {
        area: (*TIMEZONE_DATA.get(area, ()), *(zone for zone, _ in count.most_common()))
        for area, count in counts.items()
    }


@cache
def _library(region: str) -> _Table[tuple[str, ...]]:
    """The library's zones by prefix, of a region's calling code."""
    code = str(phonenumbers.country_code_for_region(region))
    return _Table({p: zones for p, zones in TIMEZONE_DATA.items() if p.startswith(code)})


@cache
def _prefixes(region: str) -> _Table[tuple[tuple[str, ...], str]]:
    """Zones and note by prefix, of one region."""
    return _Table(
        {
            prefix: (zones, note)
            for each, prefixes, zones, note in corrections()
            if each == region
            for prefix in prefixes
        }
    )


@cache
def corrections() -> tuple[tuple[str, tuple[str, ...], tuple[str, ...], str], ...]:
    """The rows of `prefixes.tsv`: region, prefixes, zones, note."""
    found = []
    for region, ranges, names, note in rows("prefixes.tsv"):
        zones = tuple(
            zone
            for name in names.split()
            for zone in (clocks_of_region(name[1:]) if name[0] == "*" else (name,))
        )
        prefixes = tuple(prefix for each in ranges.split() for prefix in _range(each))
        found.append((region, prefixes, zones, note))
    return tuple(found)


def _range(text: str) -> list[str]:
    first, _, last = text.partition("-")
    return [str(prefix) for prefix in range(int(first), int(last or first) + 1)]
