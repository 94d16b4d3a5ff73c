"""Accepts the plain majority of numbers quickly, by the patterns of `phonenumbers` itself.

`phonenumbers` reads any text, at 20 µs; most phones in an export need none of that. This module
compiles its metadata once per country and answers for digits alone: valid for sure, or "I don't
know", and then the library is asked. It must never say valid where `phonenumbers` would not, nor
read a number in another way; a test compares both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as REGIONS
from phonenumbers import PhoneMetadata, PhoneNumberType

_Match = Callable[[str], re.Match[str] | None]

#: The types that a number is tried for before it may be a landline or a mobile.
_SPECIAL_TYPES = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)
_CODE_LENGTHS = (2, 3)
_ONE_DIGIT_CODES: Final = frozenset({"1", "7"})  #: no longer code begins with one of these
_CODES: Final = frozenset(map(str, REGIONS))
_MAX_DIGITS = 15  #: E.164
_NOTHING = "(?!)"  #: a pattern without a match
NO_REGION: Final = "001"  #: what `phonenumbers` calls the region of satellite and other world codes


def calling_code(digits: str) -> str:
    """The country calling code that E.164 digits begin with, or "" when there is none."""
    if digits[:1] in _ONE_DIGIT_CODES:
        return digits[0]
    for length in _CODE_LENGTHS:
        if digits[:length] in _CODES:
            return digits[:length]
    return ""


def is_geographic(digits: str) -> bool | None:
    """Whether the prefix of an E.164 number tells where it is; None when this can't be told.

    An answer means that the number is valid.
    """
    code = calling_code(digits)
    return _country(code).kind(digits[len(code) :]) if code else None


def regions(code: str) -> Sequence[str]:
    """The regions that share a calling code, the main one first."""
    return [region for region in REGIONS.get(int(code or 0), ()) if region != NO_REGION]


def surely_in(digits: str) -> str | None:
    """The region of all numbers that begin with `digits`, if these alone tell it, else None.

    `digits` are the calling code and three more at least.
    """
    code = calling_code(digits)
    areas = _country(code).areas if code else ()
    if len(areas) == 1:
        return None if areas[0].region == NO_REGION else areas[0].region
    begins = [(area.leading, area.region) for area in areas if area.leading]
    if len(begins) < len(areas):
        return None  # the pattern of a whole number tells
    found = {
        next((region for leading, region in begins if leading(f"{national}{more:02d}")), None)
        for national in (digits[len(code) :],)
        for more in range(100)  # no pattern looks at more than five digits
    }
    return found.pop() if len(found) == 1 else None


def place(digits: str) -> tuple[str, bool | None] | None:
    """The region of an E.164 number, and whether its prefix tells where in it; None without one.

    A region is an upper-case ISO 3166 code. Answers as `phonenumbers.region_code_for_number`
    does, and so of numbers that are not valid too; whether the prefix tells anything is None then.
    """
    code = calling_code(digits)
    found = _country(code).place(digits[len(code) :]) if code else None
    return None if found is None or found[0] == NO_REGION else found


def accepts(digits: str) -> bool:
    """Whether "+" and these digits are surely a valid number, and are read as they stand."""
    code = calling_code(digits)
    if not code or len(digits) > _MAX_DIGITS:
        return False
    national = digits[len(code) :]
    country = _country(code)
    return not country.prefix(national) and country.holds(national)


def national(digits: str, region: str) -> str | None:
    """The E.164 digits of a number as it is dialled in `region`, if that is beyond doubt."""
    rules = _region(region)
    if rules is None or rules.abroad(digits) or digits.startswith(rules.code):
        return None
    trunk = rules.trunk(digits)
    if trunk is not None:
        if rules.general(digits):
            return None
        digits = digits[trunk.end() :]
    if len(rules.code) + len(digits) > _MAX_DIGITS or _country(rules.code).kind(digits) is None:
        return None
    return rules.code + digits


@dataclass(frozen=True, slots=True)
class _Area:
    """The patterns of one region."""

    region: str
    leading: _Match | None  #: prefix
    valid: _Match  #: whole: tries mobile numbers first, since most are
    match: _Match  #: whole; its group is the sort of number: special, fixed or mobile
    geographic: Mapping[str | None, bool]  #: by sort

    def kind(self, national: str) -> bool | None:
        found = self.match(national)
        return None if found is None else self.geographic[found.lastgroup]


@dataclass(frozen=True, slots=True)
class _Country:
    """The regions that share a calling code, in the order in which they are tried."""

    prefix: _Match  #: what a number without its national prefix must not begin with
    areas: Sequence[_Area]

    def holds(self, national: str) -> bool:
        """Whether a national number is surely valid; half the work of `kind`."""
        for area in self.areas:
            if area.leading is None:
                if area.valid(national):
                    return True
            elif area.leading(national):
                return area.valid(national) is not None
        return False

    def kind(self, national: str) -> bool | None:
        """Geographic or not, of a national number; None when it is not surely valid."""
        if len(self.areas) == 1:
            return self.areas[0].kind(national)
        for area in self.areas:
            if area.leading is None:
                kind = area.kind(national)
                if kind is not None:
                    return kind
            elif area.leading(national):
                return area.kind(national)
        return None

    def place(self, national: str) -> tuple[str, bool | None] | None:
        """The region that a national number is of, and whether it is geographic."""
        if len(self.areas) == 1:
            return self.areas[0].region, self.areas[0].kind(national)
        for area in self.areas:
            if area.leading is not None:
                if area.leading(national):
                    return area.region, area.kind(national)
            elif (kind := area.kind(national)) is not None:
                return area.region, kind
        return None


@dataclass(frozen=True, slots=True)
class _Rules:
    """How a region writes its own numbers, where that is simple."""

    code: str
    abroad: _Match  #: prefix: how an international number begins when dialled there
    trunk: _Match  #: prefix: such as "8" in Russia; written before a national number, or not
    general: _Match


@cache
def _country(code: str) -> _Country:
    number = int(code)
    regions = REGIONS[number]
    metadata: list[Any] = [
        PhoneMetadata.metadata_for_region_or_calling_code(number, region) for region in regions
    ]
    return _Country(
        prefix=_begins(metadata[0].national_prefix_for_parsing),
        areas=[_area(region, each) for region, each in zip(regions, metadata, strict=True)],
    )


@cache
def _region(region: str) -> _Rules | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return None
    trunk = metadata.national_prefix_for_parsing or ""
    if re.compile(trunk).groups:
        return None  # carrier codes or rewriting: the library's business
    return _Rules(
        code=str(metadata.country_code),
        abroad=_begins(metadata.international_prefix),
        trunk=_begins(trunk),
        general=re.compile(_pattern([metadata.general_desc])).fullmatch,
    )


def _area(region: str, metadata: Any) -> _Area:
    sorts = {
        "special": _pattern([getattr(metadata, name) for name in _SPECIAL_TYPES]),
        "fixed": _pattern([metadata.fixed_line]),
        "mobile": _pattern([metadata.mobile]),
    }
    choices = "|".join(f"(?P<{sort}>{pattern})" for sort, pattern in sorts.items())
    mobile_first = "|".join(f"(?:{sorts[sort]})" for sort in ("mobile", "fixed", "special"))
    ahead = f"(?=(?:{_pattern([metadata.general_desc])})\\Z)"
    mobile = phonenumbers.is_number_type_geographical(PhoneNumberType.MOBILE, metadata.country_code)
    return _Area(
        region=region,
        leading=_begins(metadata.leading_digits) if metadata.leading_digits else None,
        valid=re.compile(f"{ahead}(?:{mobile_first})").fullmatch,
        match=re.compile(f"{ahead}(?:{choices})").fullmatch,
        geographic={"special": False, "fixed": True, "mobile": mobile},
    )


def _begins(pattern: str | None) -> _Match:
    return re.compile(pattern).match if pattern else lambda _: None


def _pattern(descriptions: Sequence[Any]) -> str:
    """A pattern of any of the descriptions, each with its own possible lengths."""
    choices = []
    for each in descriptions:
        if each is None or not each.national_number_pattern:
            continue
        lengths = "|".join(f"\\d{{{n}}}" for n in each.possible_length if n > 0)
        ahead = f"(?=(?:{lengths})\\Z)" if lengths else ""
        choices.append(f"{ahead}(?:{each.national_number_pattern})")
    return "|".join(f"(?:{choice})" for choice in choices) or _NOTHING
