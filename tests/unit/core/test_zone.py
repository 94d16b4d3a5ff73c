"""gmtZone: accepted and refused as java.time.ZoneId.of does."""

from __future__ import annotations

import json
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.core import zone
from syncd.core.zones.tz_ids import canonical_id, country_names, zones_of_country

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gmtzone.json").read_text(encoding="utf-8")
)["vectors"]
PLACES = {name for code in country_names() for name in zones_of_country(code)}


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
