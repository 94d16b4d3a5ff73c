"""States of the United States: by what a record says, and by the area code of a number.

It owns the table of area codes in `syncd/data/presets/`. People keep their number when they move,
so an area code is what a number says, not where the person is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

_NOT_LETTERS = re.compile(r"[^a-z]+")
_COUNTRY_CODE = "1"


def state_named(text: str) -> str:
    """The code of the state that `text` names (`FL`, `us-fl`, `Florida`), or ""."""
    return _names().get(_plain(text.strip().upper().removeprefix("US-")), "")


def states_of_number(digits: str) -> tuple[str, ...]:
    """The states of an E.164 number without `+`; () when its area code belongs to none."""
    return _area_codes().get(digits[1:4], ()) if digits.startswith(_COUNTRY_CODE) else ()


def _plain(text: str) -> str:
    return _NOT_LETTERS.sub("", text.lower())


@cache
def _rows() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """(code, name, area codes) of each state."""
    file = resources.files("syncd").joinpath("data", "presets", "us_states.tsv")
    lines = file.read_text(encoding="utf-8").splitlines()
    cells = (line.split("\t") for line in lines if not line.startswith("#"))
    return tuple((code, name, tuple(codes.split())) for code, name, codes in cells)


@cache
def _names() -> Mapping[str, str]:
    names = {"washingtondc": "DC", "washingtonstate": "WA"}
    for code, name, _ in _rows():
        names |= {_plain(code): code, _plain(name): code}
    return names


@cache
def _area_codes() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for code, _, area_codes in _rows():
        for area_code in area_codes:
            found[area_code] = (*found.get(area_code, ()), code)
    return found
