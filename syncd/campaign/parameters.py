"""What the addPhone methods take as parameters, and the idempotence key of all adding methods.

Source: Calls API, "Methods" and "Idempotence and duplicates". Must never change a key: the same key
has to reach the vendor each time, letter by letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from syncd.errors import ConfigError

#: A header of a POST, a parameter of a GET.
KEY_NAME = "Idempotence-Key"
KEY_CHARS_MAX = 255

_OWN_NAMES = frozenset({"phone", "gmtZone", KEY_NAME})


def checked_key(key: str) -> str:
    """The key as it is; any text that fits into a header."""
    assert 0 < len(key) <= KEY_CHARS_MAX, "a key has 1 to 255 characters"
    assert key.isascii(), "a key fits into a header"
    assert key.isprintable(), "a key fits into a header"
    assert key == key.strip(), "a header loses the spaces around a key"
    return key


def one_phone(
    phone: int | str, payload: Mapping[str, str] | None, gmt_zone: str | None, *, where: str
) -> dict[str, str]:
    """Phone and zone; every other parameter is the payload, so that it holds texts only."""
    digits = str(phone)
    assert digits.isascii(), "a phone is given as digits"
    assert digits.isdigit(), "a phone is given as digits"
    given = payload or {}
    assert all(isinstance(each, str) for each in given.values()), "parameters are texts"
    taken = sorted(_OWN_NAMES.intersection(given))
    if taken:
        raise ConfigError(
            f"the payload cannot hold {', '.join(taken)}: the method itself uses the name",
            where=where,
            hint="give that value another name",
        )
    zone = {} if gmt_zone is None else {"gmtZone": gmt_zone}
    return {"phone": digits, **zone, **given}


def as_form(fields: Mapping[str, str]) -> bytes:
    """The body of a POST with parameters; a `+` becomes %2B and a space %20."""
    return urlencode(fields, quote_via=quote).encode()
