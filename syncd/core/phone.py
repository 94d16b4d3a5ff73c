"""The one module that owns phones: text to an international number, and the number to its zone.

A phone is an `int`: the digits of E.164 without "+", as the vendor writes them (Calls API, "A job
in addPhones"). Every number given out is valid for its country by the data of `phonenumbers`. This
module must never guess a country: a number that does not tell its own is read in the default
region or refused, because a wrong guess rings at a stranger's.

How a text without "+" is read:

- `00…` is international, whatever the country dials for abroad; so is that country's own prefix.
- With a default region the national reading comes first. Only if its length is impossible there,
  and the text is bare digits (no separators), it is read as international, as the vendor writes it.
- Without a default region bare digits, eleven or more, are international; anything else is refused.

Plain numbers are read by the patterns of `phonenumbers` directly (phone_plan), all others by a
library: `rphonenumbers` when it is installed. That carries its own, often older, data, so what it
refuses `phonenumbers` looks at again, and what it accepts must be valid by the patterns too.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any, Final

import phonenumbers
from phonenumbers.tzdata import TIMEZONE_DATA

from syncd.core import phone_plan
from syncd.core.phone_text import PHONE_INVALID, PHONE_MISSING, PHONE_ROUNDED, clean

__all__ = [
    "PHONE_INVALID",
    "PHONE_MISSING",
    "PHONE_NO_COUNTRY",
    "PHONE_ROUNDED",
    "Binding",
    "binding",
    "is_region",
    "normalise",
    "zone_of",
]

PHONE_NO_COUNTRY: Final = "phone_no_country"  #: it does not tell its country, nor does the mapping

_MAX_DIGITS = 15  #: E.164
_INTERNATIONAL = re.compile(r"\+([0-9]{7,15})").fullmatch
_MIN_BARE_DIGITS = 11  #: shorter bare digits are taken for national ones, and refused

# Metadata has thousands of patterns and Python's own cache holds 512: with many countries mixed a
# number would cost ten times as much.
phonenumbers.enable_pattern_cache()


class Binding:
    """Reads phones with one library that has the interface of `phonenumbers`."""

    def __init__(self, library: Any, *, second: Binding | None = None, quick: bool = True) -> None:
        """`library` reads what is not plain; what it refuses `second` reads, with newer data.

        Without `quick` the library reads plain numbers too.
        """
        self.name: str = library.__name__
        self._second = second
        self._quick = quick
        self._parse: Callable[[str, str | None], Any] = library.parse
        self._is_valid: Callable[[Any], bool] = library.is_valid_number
        self._is_possible: Callable[[Any], bool] = library.is_possible_number
        self._not_a_number: type[Exception] = library.NumberParseException

    def normalise(self, value: object, default_region: str | None = None) -> int | str:
        """The phone as E.164 digits, or the reason code why `value` is none.

        `value` is text or a whole number; `default_region` is an upper-case ISO 3166 code.
        """
        if value.__class__ is str and self._quick:
            # The commonest way to write a phone in an export, on the shortest way through.
            plain = _INTERNATIONAL(str(value))
            if plain is not None and phone_plan.accepts(plain[1]):
                return int(plain[1])
        return self._normalise(value, default_region)

    def _normalise(self, value: object, default_region: str | None) -> int | str:
        cleaned = clean(value)
        if isinstance(cleaned, str):
            return cleaned
        text, bare = cleaned
        if text[0] == "+":
            return self._international(text[1:], default_region) or PHONE_INVALID
        if text.startswith("00"):
            phone = self._international(text[2:], None)
            if phone:
                return phone
        if default_region is not None:
            phone = self._national(text, default_region)
            # "84920000000" in Russia is a mistyped 8-492…, not a number in Vietnam.
            if phone or not bare or self._fits(text, default_region):
                return phone or PHONE_INVALID
        if not bare or len(text) < _MIN_BARE_DIGITS:
            return PHONE_INVALID if default_region else PHONE_NO_COUNTRY
        return self._international(text, None) or PHONE_INVALID

    def _international(self, digits: str, region: str | None) -> int | None:
        if self._quick and phone_plan.accepts(digits):
            return int(digits)
        return self._read("+" + digits, region)

    def _national(self, text: str, region: str) -> int | None:
        digits = phone_plan.national(text, region) if self._quick else None
        return self._read(text, region) if digits is None else int(digits)

    def _read(self, text: str, region: str | None) -> int | None:
        """The valid number that the library finds in `text`, or None."""
        digits = self._digits(text, region)
        # The library's data may be older than that of the patterns, which decide.
        if digits is not None and phone_plan.is_geographic(digits) is not None:
            return int(digits) if len(digits) <= _MAX_DIGITS else None
        return self._second._read(text, region) if self._second else None  # noqa: SLF001 - a twin

    def _digits(self, text: str, region: str | None) -> str | None:
        try:
            number = self._parse(text, region)
        except self._not_a_number:
            return None
        if not self._is_valid(number):
            return None
        digits = str(number.national_number)
        if number.italian_leading_zero:
            digits = "0" * (number.number_of_leading_zeros or 1) + digits
        return f"{number.country_code}{digits}"

    def _fits(self, text: str, region: str) -> bool:
        """Whether `text` has a length that a number of `region` may have."""
        try:
            return self._is_possible(self._parse(text, region))
        except self._not_a_number:
            return False


def _fast_library() -> Any:
    """`rphonenumbers` if it is installed, else None."""
    try:
        return importlib.import_module("rphonenumbers")
    except ImportError:
        return None


def _best(fast: Any) -> Binding:
    """The quickest binding there is; the last word stays with `phonenumbers`."""
    plain = Binding(phonenumbers)
    return plain if fast is None else Binding(fast, second=plain)


_BEST = _best(_fast_library())

#: The name of the library that reads phones: `phonenumbers` or `rphonenumbers`.
binding: Final[str] = _BEST.name

#: `normalise(value, default_region) -> int | str`: see `Binding.normalise`.
normalise = _BEST.normalise


def is_region(code: str) -> bool:
    """Whether `code` is an upper-case ISO 3166 code with a numbering plan."""
    return code in phonenumbers.SUPPORTED_REGIONS


def zone_of(phone: int) -> str | None:
    """The one time zone of a valid phone, else None.

    Answers as `phonenumbers.timezone.time_zones_for_number` does: several zones or an unknown one
    give None. One zone is what the numbering data says, which is not always where the person is.
    """
    digits = str(phone)
    code = phone_plan.calling_code(digits)
    for length in _PREFIX_LENGTHS.get(code, ()):
        zones = TIMEZONE_DATA.get(digits[:length])
        if zones is None:
            continue
        # A mobile or toll-free number's prefix says nothing about where it is, in most countries.
        if len(zones) == 1 and phone_plan.is_geographic(digits):
            return zones[0]
        break
    return _ONE_ZONE.get(code)


_PREFIXES_BY_CODE: Final[dict[str, list[str]]] = {}
for _prefix in TIMEZONE_DATA:
    _PREFIXES_BY_CODE.setdefault(phone_plan.calling_code(_prefix), []).append(_prefix)
#: Longest first, for the calling codes inside which prefixes differ: 21 of some 215.
_PREFIX_LENGTHS: Final = {
    code: sorted({len(prefix) for prefix in prefixes}, reverse=True)
    for code, prefixes in _PREFIXES_BY_CODE.items()
    if len({TIMEZONE_DATA[prefix] for prefix in prefixes}) > 1
}
_ONE_ZONE: Final[dict[str, str]] = {
    code: TIMEZONE_DATA[code][0]
    for code in _PREFIXES_BY_CODE
    if len(TIMEZONE_DATA.get(code, ())) == 1
}
