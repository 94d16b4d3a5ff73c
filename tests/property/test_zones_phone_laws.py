"""The quick way from a number to zones, beside the definition, for numbers of all regions."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import phonenumbers
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from syncd.core import phone, zone
from syncd.core.zones.phone_zones import PhoneStep, corrections
from syncd.core.zones.regions import clocks_of_region
from syncd.core.zones.tz_ids import canonical_id, country_names, zones_of_country
from syncd.core.zones.tz_tables import Clocks

SEED = 20261122
CLOCKS = Clocks(datetime(2026, 11, 22, tzinfo=UTC))
PLACES = {name for code in country_names() for name in zones_of_country(code)}
TYPES = tuple(phonenumbers.PhoneNumberType.values())


def numbers(count: int) -> list[str]:
    """Valid numbers in E.164 digits, spread over all regions and types."""
    chance = random.Random(SEED)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    known = [
        example
        for region in regions
        for kind in TYPES
        if (example := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    found = []
    while len(found) < count:
        example = chance.choice(known)
        digits = str(example.national_number)
        kept = chance.randrange(1, min(6, len(digits)))
        digits = digits[:kept] + "".join(chance.choices("0123456789", k=len(digits) - kept))
        text = f"+{example.country_code}{'0' if example.italian_leading_zero else ''}{digits}"
        read = phone.normalise(text)
        if isinstance(read, int):
            found.append(str(read))
    return found


def slowly(digits: str) -> tuple[str, ...]:
    """The definition, by the library's own functions and without any shortcut."""
    number = phonenumbers.parse(f"+{digits}", None)
    region = phonenumbers.region_code_for_number(number)
    if region in (None, "001"):
        return ()
    clocks = clocks_of_region(region)
    if len(CLOCKS.fold(clocks)) == 1:
        return clocks[:1]
    corrected = [
        (len(prefix), zones)
        for of, prefixes, zones, _ in corrections()
        if of == region
        for prefix in prefixes
        if digits.startswith(prefix)
    ]
    if corrected:
        return CLOCKS.fold(max(corrected)[1])
    kind = phonenumbers.number_type(number)
    if not phonenumbers.is_number_type_geographical(kind, number.country_code):
        return CLOCKS.fold(clocks + (clocks_of_region("CA") if region == "US" else ()))
    zones = time_zones_for_number(number)
    if digits[0] == "1":
        zones = [z for p, each in TIMEZONE_DATA.items() if p.startswith(digits[:4]) for z in each]
    inside = {CLOCKS.of(clock) for clock in clocks} & {CLOCKS.of(canonical_id(z)) for z in zones}
    return tuple(c for c in CLOCKS.fold(clocks) if CLOCKS.of(c) in inside) or CLOCKS.fold(clocks)


def test_quick_is_slow() -> None:
    """The cached answer is that of the definition, and everything in it can be sent."""
    step = PhoneStep(CLOCKS)
    seen: set[tuple[str, ...]] = set()
    for digits in numbers(5_000):
        zones = CLOCKS.fold(step.ask([], digits).zones)
        assert {CLOCKS.of(each) for each in zones} == set(map(CLOCKS.of, slowly(digits))), digits
        for each in zones:
            assert each in PLACES or zone.canonical(each) == each
        seen.add(zones)
    assert len(seen) > 230


def test_no_correction_forgets_a_zone() -> None:
    """Corrected area codes of North America hold all that the library's blocks say of them."""
    noise = {
        "1867": {"America/Winnipeg"},  # of its metazone, which is not the North's
        "1879": {"America/Puerto_Rico"},
        "1907": {"Pacific/Honolulu"},
    }
    for region, prefixes, zones, _ in corrections():
        for prefix in prefixes if region in ("US", "CA") else ():
            blocks = {
                zone.canonical(each)
                for block, names in TIMEZONE_DATA.items()
                if block.startswith(prefix)
                for each in names
            } - noise.get(prefix, set())
            said = CLOCKS.among(tuple(filter(None, blocks)), clocks_of_region(region))
            assert set(map(CLOCKS.of, said)) <= set(map(CLOCKS.of, zones)), prefix
