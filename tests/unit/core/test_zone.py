"""gmtZone: accepted and refused as java.time.ZoneId.of does."""

from __future__ import annotations

import json
import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from syncd.core import zone
from syncd.core.zones.tz_ids import canonical_id, country_names, zones_of_country
from syncd.core.zones.written import zones_of_text
from syncd.sandbox.zones import parse_zone

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gmtzone.json").read_text(encoding="utf-8")
)["vectors"]
OFFSET = re.compile(r"[+-](0[0-9]|1[0-8]):[0-5][0-9]")
#: Known to the tz database, and to Java not, or as a letter for what is no place.
NEVER_SENT = {"EST", "MST", "HST", "ROC", "Factory"}
PLACES = {name for code in country_names() for name in zones_of_country(code)}


def offsets(text: str) -> list[timedelta | None]:
    """The offsets of a zone, every fifth day of the coming 54 weeks, by `zoneinfo` alone."""
    begin = datetime(2026, 11, 22, tzinfo=UTC)
    there = zoneinfo.ZoneInfo(text) if text[0].isalpha() else None
    days = (begin + timedelta(days=5 * n) for n in range(76))
    if there is not None:
        return [day.astimezone(there).utcoffset() for day in days]
    minutes = int(text[1:3]) * 60 + int(text[4:])
    return [timedelta(minutes=-minutes if text[0] == "-" else minutes) for _ in days]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: repr(vector["value"]))
def test_every_vector(vector: dict[str, Any]) -> None:
    """Each value is accepted or refused, and means, what the vectors checked against Java say."""
    meaning = vector["meaning"] or {}
    assert (zone.parse(vector["value"]) is not None) == vector["accepted"]
    assert zone.parse(vector["value"]) == meaning.get("offsetSeconds", meaning.get("region"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: repr(vector["value"]))
def test_what_is_sent_for_every_vector(vector: dict[str, Any]) -> None:
    """Sent is only `+HH:MM` or an id of zone.tab, with the meaning of what was given."""
    meaning = vector["meaning"] or {}
    sent = zone.canonical(vector["value"])
    if "offsetSeconds" in meaning and meaning["offsetSeconds"] % 60 == 0:
        assert sent == meaning["canonical"].replace("Z", "+00:00")
    elif "region" in meaning:
        assert sent == canonical_id(meaning["region"])
        assert sent in PLACES
    else:
        assert sent is None


def test_every_id_old_or_new_is_sent_as_an_offset_or_a_place_of_the_same_clock() -> None:
    """Whatever a record says, the vendor sees `+HH:MM` or an id of zone.tab, and the same hour."""
    names = resources.files("tzdata").joinpath("zones").read_text("utf-8").split()
    assert len(names) > 590
    for name in names:
        sent = zone.canonical(name)
        read = {*zones_of_text(name), *zones_of_text(name.lower()), *zones_of_text(name.upper())}
        for each in filter(None, {sent, *read}):
            assert OFFSET.fullmatch(each) or each in PLACES, name
            assert zone.parse(each) is not None  # as java.time.ZoneId.of
            assert parse_zone(each) is not None  # as the sandbox reads that
            assert offsets(each) == offsets(name), f"{name} is sent as {each}"
        if sent is None:
            assert name in NEVER_SENT


def test_every_offset_is_sent_as_hours_and_minutes() -> None:
    """All 2,161 offsets of whole minutes that Java takes, in each of its forms."""
    for minutes in range(-18 * 60, 18 * 60 + 1):
        sign, hours, rest = "-" if minutes < 0 else "+", *divmod(abs(minutes), 60)
        for form in (f"{hours:02}:{rest:02}", f"{hours:02}{rest:02}", f"{hours:02}:{rest:02}:00"):
            for prefix in ("", "UTC"):
                sent = zone.canonical(f"{prefix}{sign}{form}")
                assert sent is not None
                assert OFFSET.fullmatch(sent)
                assert zone.parse(sent) == minutes * 60


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Z", "+00:00"),
        ("Zulu", "+00:00"),
        ("-00", "+00:00"),
        ("+03:30:00", "+03:30"),
        ("+03:30:15", None),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("EST5EDT", "America/New_York"),
        ("GB", "Europe/London"),
    ],
)
def test_the_form_that_is_sent(text: str, sent: str | None) -> None:
    """Old ids get their place's name, zero is `+00:00`, and seconds are refused."""
    assert zone.canonical(text) == sent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Etc/GMT+3", -10800),
        ("Etc/GMT0", 0),
        ("Etc/Zulu", 0),
        ("GMT+0", 0),
        ("+033015", 12615),
        ("MST", None),
        ("UTC+3:00", None),
        ("U", None),
        ("UTX", None),
        ("Etc/Unknown", None),
        ("x" * 65, None),
    ],
)
def test_more_of_the_grammar(text: str, expected: int | None) -> None:
    """What the vectors leave out."""
    assert zone.parse(text) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "+00:00"), (10800, "+03:00"), (-12600, "-03:30"), (64800, "+18:00")],
)
def test_offset_as_text(seconds: int, text: str) -> None:
    """An offset is written so that it reads back as itself."""
    assert zone.offset_text(seconds) == text
    assert zone.parse(text) == seconds


def test_regions_come_from_the_package() -> None:
    """Zones load from the tzdata package, so that an old machine has no say."""
    assert zone.load("Europe/Moscow") is zone.load("Europe/Moscow")
    assert zoneinfo.TZPATH == ()
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert noon.astimezone(zone.load("Asia/Almaty")).utcoffset() == timedelta(hours=5)
    assert zone.data_version() >= "2026"


def test_every_known_region_loads() -> None:
    """No id is accepted that this machine could not work with."""
    assert len(zone.known_regions()) > 500
    for region in sorted(zone.known_regions()):
        assert zone.load(region).key == region
