"""Post codes: how they begin tells the zone, where the country's post has ordered them so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from syncd.core.zones.texts import rows

#: A whole code of each country, and how many digits its first group has: a spreadsheet takes
#: zeros at the beginning for nothing.
_FORMS: Final = {
    "AU": (re.compile(r"([0-9]{3,4})"), 4),
    "BR": (re.compile(r"([0-9]{7,8})"), 8),
    "CA": (re.compile(r"([A-Z][0-9][A-Z])(?:[0-9][A-Z][0-9])?"), 3),
    "ES": (re.compile(r"([0-9]{4,5})"), 5),
    "MX": (re.compile(r"([0-9]{4,5})"), 5),
    "PT": (re.compile(r"([0-9]{4})(?:[0-9]{3})?"), 4),
    "RU": (re.compile(r"([0-9]{6})"), 6),
    "US": (re.compile(r"([0-9]{4,5})(?:[0-9]{4})?"), 5),
}
_LEFT_OUT = re.compile(r"[\s-]+")
_ZERO_FRACTION = re.compile(r"\.0$")  #: a post code that a table took for a number


def zones_of_postcode(text: str, country: str) -> tuple[str, ...]:
    """The zones of a whole post code of a country (upper-case ISO 3166); () when unknown."""
    pattern, length = _FORMS.get(country, (None, 0))
    if pattern is None:
        return ()
    found = pattern.fullmatch(_LEFT_OUT.sub("", _ZERO_FRACTION.sub("", text.strip().upper())))
    if found is None:
        return ()
    table = _table()[country]
    code = found[1].zfill(length)
    ends = range(len(code), 0, -1)
    return next((table[code[:end]] for end in ends if code[:end] in table), ())


@cache
def _table() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for country, ranges, zones in rows("postcodes.tsv"):
        for each in ranges.split():
            for begin in _range(each):
                found.setdefault(country, {})[begin] = tuple(zones.split())
    return found


def _range(text: str) -> list[str]:
    first, _, last = text.partition("-")
    if not last:
        return [first]
    return [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
