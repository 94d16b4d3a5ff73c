"""Three ways to read a phone give one answer: plain patterns, phonenumbers, rphonenumbers."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Iterator

import phonenumbers
import pytest
from phonenumbers.timezone import time_zones_for_number

from syncd.core import phone, phone_plan

TEXTS = 100_000
SEED = 20_261_121
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def examples() -> list[tuple[str, str, str]]:
    """Region, calling code and national digits of an example of every type of every region."""
    found = []
    for region in REGIONS:
        for kind in range(11):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                national = phonenumbers.national_significant_number(number)
                found.append((region, str(number.country_code), national))
    return found


def mutate(national: str, chance: random.Random) -> str:
    """The same length with some digits changed; now and then a digit more or less."""
    digits = list(national)
    for _ in range(chance.choice((0, 1, 2, 4, 6))):
        digits[chance.randrange(len(digits))] = chance.choice("0123456789")
    spoil = chance.random()
    if spoil < 0.05:
        digits.pop()
    elif spoil < 0.1:
        digits.append(chance.choice("0123456789"))
    return "".join(digits)


def dress(region: str, code: str, national: str, chance: random.Random) -> str:
    """The number as somebody types it."""
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
    third = max(1, len(national) // 3)
    parts = national[:third], national[third : 2 * third], national[2 * third :]
    separator = chance.choice((" ", "-", ".", "\u00a0", "\u2013", "/"))
    shapes = (
        f"+{code}{national}",
        f"{code}{national}",
        f"00{code}{national}",
        national,
        trunk + national,
        f"+{code} {separator.join(parts)}",
        f"{trunk}({parts[0]}) {parts[1]}{separator}{parts[2]}",
        f" tel: +{code} ({parts[0]}) {parts[1]} {parts[2]} ",
        f"{trunk}{national} ext. 12",
        f"{trunk}{separator.join(parts)} доб 345",
        f"+{code}{national}".translate({48 + n: 0x660 + n for n in range(10)}),
        f"{trunk}{national} {chance.choice('xaя/,')}",
    )
    return chance.choice(shapes)


def corpus(count: int) -> Iterator[tuple[str, str | None]]:
    """Texts with a default region: mostly the number's own, at times another or none."""
    chance = random.Random(SEED)
    known = examples()
    for _ in range(count):
        region, code, national = chance.choice(known)
        text = dress(region, code, mutate(national, chance), chance)
        yield text, chance.choice((region, region, region, None, chance.choice(REGIONS)))


@pytest.fixture(scope="module", autouse=True)
def untraced() -> Iterator[None]:
    """Coverage makes these many calls eight times as slow, and sees nothing new in them."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


@pytest.fixture(scope="module")
def readings() -> list[tuple[str, str | None, int | str]]:
    """What phonenumbers alone makes of 100,000 texts."""
    library = phone.Binding(phonenumbers, quick=False)
    return [(text, region, library.normalise(text, region)) for text, region in corpus(TEXTS)]


def test_plain_patterns_read_as_phonenumbers_does(
    readings: list[tuple[str, str | None, int | str]],
) -> None:
    """The compiled patterns give the library's answer to 40,000 texts, valid and not."""
    quick = phone.Binding(phonenumbers)
    for text, region, expected in readings[:40_000]:
        assert quick.normalise(text, region) == expected, (text, region)
    valid = sum(isinstance(expected, int) for _, _, expected in readings)
    assert TEXTS * 0.4 < valid < TEXTS * 0.9


@pytest.mark.skipif(
    importlib.util.find_spec("rphonenumbers") is None,
    reason="rphonenumbers (the extra `fast`) is not installed",
)
def test_rphonenumbers_reads_as_phonenumbers_does(
    readings: list[tuple[str, str | None, int | str]],
) -> None:
    """With the extra installed 100,000 texts get the answers that phonenumbers gives."""
    second = phone.Binding(phonenumbers, quick=False)
    library = importlib.import_module("rphonenumbers")
    fast = phone.Binding(library, second=second, quick=False)
    for text, region, expected in readings:
        assert fast.normalise(text, region) == expected, (text, region)


def test_patterns_know_every_valid_number() -> None:
    """A number is valid by the patterns exactly when it is valid by phonenumbers."""
    chance = random.Random(SEED)
    known = examples()
    for _ in range(15_000):
        _, code, national = chance.choice(known)
        digits = f"{code}{mutate(national, chance)}"
        try:
            number = phonenumbers.parse(f"+{digits}", None)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != f"+{digits}":
            continue  # its national prefix was taken off: another number
        expected = phonenumbers.is_valid_number(number)
        assert (phone_plan.is_geographic(digits) is not None) == expected, digits


def test_zone_is_what_phonenumbers_says() -> None:
    """zone_of gives the library's zone when it names one, else None, for numbers of all regions."""
    chance = random.Random(SEED)
    known = examples()
    seen: set[str] = set()
    for _ in range(15_000):
        _, code, national = chance.choice(known)
        read = phone.normalise(f"+{code}{mutate(national, chance)}")
        if isinstance(read, str):
            continue
        zones = time_zones_for_number(phonenumbers.parse(f"+{read}", None))
        expected = zones[0] if len(zones) == 1 and zones[0] != "Etc/Unknown" else None
        assert phone.zone_of(read) == expected
        seen.add(str(expected))
    assert len(seen) > 150
