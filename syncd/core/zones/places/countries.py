"""Countries by name or code, and which country a record's region or post code is read in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from syncd.core import phone_plan
from syncd.core.zones.texts import fold, rows

_HEAD_CHARS: Final = 4  #: enough to know the country of most numbers


@lru_cache(maxsize=4096)
def country_of_text(text: str) -> str | None:
    """The ISO 3166 code of a country by its code of two or three letters, or its name; else None.

    Names are known in English, Russian and the languages of the country.
    """
    return _countries().get(fold(text))


def country_of_phone(phone: str) -> str | None:
    """The ISO 3166 code of the region of an E.164 number (digits), or None."""
    sure = _surely_in(phone[:_HEAD_CHARS])
    if sure is not None:
        return sure
    place = phone_plan.place(phone)
    return None if place is None else place[0]


@lru_cache(maxsize=4096)
def _surely_in(head: str) -> str | None:
    return phone_plan.surely_in(head)


@cache
def _countries() -> Mapping[str, str]:
    return {fold(name): row[0] for row in rows("countries.tsv") for name in row}
