"""Zones of numbers: what the library gets wrong is right here, and what nobody knows is a set."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.core import phone_plan
from syncd.core.zones.candidates import Chain
from syncd.core.zones.phone_zones import OwnPrefixStep, PhoneStep, spaced
from syncd.core.zones.regions import clocks_of_region
from syncd.core.zones.subjects import ALL_RUSSIA
from syncd.core.zones.texts import rows
from syncd.core.zones.tz_ids import country_names, zones_of_country
from syncd.core.zones.tz_tables import Clocks

CLOCKS = Clocks(datetime(2026, 11, 22, tzinfo=UTC))
STEP = PhoneStep(CLOCKS)
NORTH_AMERICA = clocks_of_region("US") + clocks_of_region("CA")


def same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether both are the same clocks."""
    return set(map(CLOCKS.of, one)) == set(map(CLOCKS.of, other))


def only(*zones: str) -> tuple[str, ...]:
    return zones


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        # Russia: mobiles, landlines, and those that the library has wrong
        ("79161234567", ALL_RUSSIA),
        ("79147123456", ALL_RUSSIA),
        ("79139123456", ALL_RUSSIA),
        ("79114512345", ALL_RUSSIA),
        ("74951234567", only("Europe/Moscow")),
        ("74232123456", only("Asia/Vladivostok")),
        ("73832123456", only("Asia/Novosibirsk")),
        ("73432123456", only("Asia/Yekaterinburg")),
        ("73952123456", only("Asia/Irkutsk")),
        ("78462123456", only("Europe/Samara")),
        ("78512123456", only("Europe/Astrakhan")),
        ("74012123456", only("Europe/Kaliningrad")),
        ("78452123456", only("Europe/Saratov")),
        ("74112123456", only("Asia/Yakutsk", "Asia/Ust-Nera", "Asia/Srednekolymsk")),
        ("78002000600", ALL_RUSSIA),
        # Kazakhstan
        ("77011234567", only("+05:00")),
        ("77771234567", only("+05:00")),
        ("77272123456", only("+05:00")),
        ("77172123456", only("+05:00")),
        ("77112123456", only("+05:00")),
        ("77292123456", only("+05:00")),
        # North America: mobiles go by area code
        ("12125550123", only("America/New_York")),
        ("14235550123", only("America/New_York", "America/Chicago")),
        ("19155550123", only("America/Denver")),
        ("18085550123", only("Pacific/Honolulu")),
        ("14165550123", only("America/Toronto")),
        ("16045550123", only("America/Vancouver")),
        ("13065550123", only("America/Regina")),
        ("18505550123", only("America/Chicago", "America/New_York")),
        ("12195550123", only("America/Chicago", "America/New_York")),
        ("12705550123", only("America/Chicago", "America/New_York")),
        ("18125550123", only("America/New_York", "America/Chicago")),
        ("16055550123", only("America/Chicago", "America/Denver")),
        ("19315550123", only("America/Chicago")),
        ("14485550123", only("America/Chicago", "America/New_York")),
        ("19305550123", only("America/New_York", "America/Chicago")),
        ("13645550123", only("America/Chicago", "America/New_York")),
        ("19075550123", only("America/Anchorage", "America/Adak")),
        ("17095550123", only("America/St_Johns", "America/Halifax")),
        ("18005550123", NORTH_AMERICA),
        ("15005550123", NORTH_AMERICA),
        ("16002012345", clocks_of_region("CA")),
        ("18765550123", only("America/Jamaica")),
        ("12684641234", only("America/Antigua")),
        ("18682911234", only("America/Port_of_Spain")),
        ("14413701234", only("Atlantic/Bermuda")),
        ("16847331234", only("Pacific/Pago_Pago")),
        # Brazil, with the mobiles
        ("5511961234567", only("America/Sao_Paulo")),
        ("5592961234567", only("America/Manaus")),
        ("5568961234567", only("America/Rio_Branco")),
        ("5565961234567", only("America/Cuiaba")),
        ("5581961234567", only("America/Recife", "America/Noronha")),
        # Australia
        ("61491570006", clocks_of_region("AU")),
        ("611800123456", clocks_of_region("AU")),
        ("61212345678", only("Australia/Sydney")),
        ("61265632066", only("Australia/Lord_Howe")),
        ("61312345678", only("Australia/Melbourne")),
        ("61731234567", only("Australia/Brisbane", "Australia/Sydney")),
        ("61891641234", only("Indian/Christmas")),
        # Mexico
        ("525512345678", only("America/Mexico_City")),
        ("526641234567", only("America/Tijuana")),
        ("529981234567", only("America/Cancun")),
        ("526561234567", only("America/Ciudad_Juarez")),
        # Indonesia, Mongolia, Congo
        ("62812345678", clocks_of_region("ID")),
        ("622112345678", only("Asia/Jakarta")),
        ("97688123456", only("Asia/Ulaanbaatar", "Asia/Hovd")),
        ("243991234567", only("Africa/Kinshasa", "Africa/Lubumbashi")),
        # Spain, Portugal, Chile
        ("34612345678", only("Europe/Madrid", "Atlantic/Canary")),
        ("34928123456", only("Atlantic/Canary")),
        ("34922123456", only("Atlantic/Canary")),
        ("351912345678", only("Europe/Lisbon", "Atlantic/Azores")),
        ("351296123456", only("Atlantic/Azores")),
        ("56221234567", only("America/Santiago", "America/Punta_Arenas", "Pacific/Easter")),
        ("56961234567", only("America/Santiago", "America/Punta_Arenas", "Pacific/Easter")),
        # one clock
        ("447400123456", only("Europe/London")),
        ("353850123456", only("Europe/Dublin")),
        ("918123456789", only("Asia/Kolkata")),
        ("8613123456789", only("Asia/Shanghai")),
        ("380501234567", only("Europe/Kyiv")),
        ("375294911911", only("Europe/Minsk")),
        ("998912345678", only("Asia/Tashkent")),
        ("996700123456", only("Asia/Bishkek")),
        ("992917123456", only("Asia/Dushanbe")),
        ("37477123456", only("Asia/Yerevan")),
        ("995555123456", only("Asia/Tbilisi")),
        ("994401234567", only("Asia/Baku")),
        ("37362112345", only("Europe/Chisinau")),
        ("905012345678", only("Europe/Istanbul")),
        ("971501234567", only("Asia/Dubai")),
        ("4915123456789", only("Europe/Berlin")),
        ("33612345678", only("Europe/Paris")),
        ("48512345678", only("Europe/Warsaw")),
        # the library names a clock that is none of the country's
        ("213551234567", only("Africa/Algiers")),
        ("212650123456", only("Africa/Casablanca")),
        ("212528812345", only("Africa/El_Aaiun")),
        ("218912345678", only("Africa/Tripoli")),
        ("50581234567", only("America/Managua")),
        ("50761234567", only("America/Panama")),
        ("508551234", only("America/Miquelon")),
        ("970599123456", only("Asia/Gaza")),
        ("211977123456", only("Africa/Juba")),
        ("262692123456", only("Indian/Reunion")),
        ("262639012345", only("Indian/Mayotte")),
    ],
)
def test_the_true_clock(digits: str, expected: tuple[str, ...]) -> None:
    """Every case that was measured gives the clocks that are true there, and no others."""
    assert same(STEP.ask([], digits).zones, expected)


@pytest.mark.parametrize(
    ("digits", "true"),
    [
        ("73362212345", "Asia/Qyzylorda"),  # Baikonur, and the moment that its landlines moved
        ("73361234567", "Europe/Moscow"),
        ("18672001234", "America/Iqaluit"),
        ("18672001234", "America/Whitehorse"),
        ("61889991234", "Australia/Darwin"),
        ("61892201234", "Australia/Perth"),
        ("61880881234", "Australia/Adelaide"),  # Broken Hill, in New South Wales
        ("6433050123", "Pacific/Chatham"),
        ("526141234567", "America/Chihuahua"),
        ("56612123456", "America/Punta_Arenas"),
        ("56322123456", "Pacific/Easter"),
        ("672322123", "Pacific/Norfolk"),
    ],
)
def test_the_true_clock_is_one_of_several(digits: str, true: str) -> None:
    """Where no prefix decides, the true clock is in the set."""
    assert CLOCKS.of(true) in map(CLOCKS.of, STEP.ask([], digits).zones)


@pytest.mark.parametrize(
    "digits",
    [
        "80012345678",
        "80812345678",
        "87812345678901",
        "8811234567",
        "88213123456",
        "88812345678901",
        "979123456789",
        "870773111632",
        "883510012345",
        "1",
        "12",
        "10005550123",
        "",
        "0",
    ],
)
def test_numbers_of_no_country(digits: str) -> None:
    """A satellite or world-wide number is unknown: the call is held."""
    evidence = STEP.ask([], digits)
    assert evidence.zones == ()
    assert "no country" in evidence.note


def test_evidence_shows_a_prefix_only() -> None:
    """The evidence has the digits that decided, never the whole number."""
    assert STEP.ask([], "18505550123").value == "+1 850"
    assert STEP.ask([], "18505550123").note == "area code 850 is split"
    assert STEP.ask([], "442079460000").value == "+44"
    assert STEP.ask([], "79161234567").value == "+7 9"
    assert STEP.ask([], "34612345678").note == "numbers of this type tell no place in ES"
    assert spaced("9") == "+9"


def test_own_prefixes_come_first() -> None:
    """A user's prefix decides, the longest one first, over all that is known."""
    step = Chain(
        [
            OwnPrefixStep({"7336": ("+05:00",), "7": ("Europe/Moscow",), "1850": ("+00:00",)}),
            PhoneStep(CLOCKS),
        ],
        CLOCKS,
    )
    assert step.resolve([], "73362212345").zones == ("+05:00",)
    assert step.resolve([], "79161234567").zones == ("Europe/Moscow",)
    assert step.resolve([], "18505550123").zones == ("+00:00",)
    assert step.resolve([], "12125550123").zones == ("America/New_York",)


def test_answers_are_kept() -> None:
    """Numbers of one prefix share their evidence, so that a chain can keep its answer."""
    for one, other in (
        ("12125550123", "12125550199"),
        ("447911123456", "447911123457"),
        ("34612345678", "34699999999"),
        ("5511961234567", "5511961234568"),
    ):
        assert STEP.ask([], one) is STEP.ask([], other)


def test_every_clock_has_its_place_in_the_order() -> None:
    """The order of likelihood names each clock of a region once, but for reasons written down."""
    written = {region: more for region, _, *more in rows("clocks.tsv")}
    for region in sorted({*country_names(), *written}):
        ordered = clocks_of_region(region)
        assert set(ordered) <= set(zones_of_country(region)) or region in ("XK", "AC", "TA")
        if not written.get(region) and zones_of_country(region):
            assert same(ordered, zones_of_country(region)), region


def test_a_region_by_its_pattern_or_its_first_digits() -> None:
    """Regions that share a calling code are told apart as the library does."""
    assert phone_plan.place("442079460000") == ("GB", True)
    assert phone_plan.place("447700900000") is None  # of no region's pattern
    assert phone_plan.place("77012345678") == ("KZ", False)
    assert phone_plan.place("491") == ("DE", None)
    assert phone_plan.place("80012345678") is None
    assert phone_plan.place("") is None
    assert phone_plan.surely_in("791") == "RU"
    assert phone_plan.surely_in("771") == "KZ"
    assert phone_plan.surely_in("7") is None
    assert phone_plan.surely_in("617") is None
    assert phone_plan.surely_in("") is None
    assert phone_plan.regions("7") == ["RU", "KZ"]
    assert phone_plan.regions("") == []
