"""gmtZone is read as java.time.ZoneId.of reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncd.sandbox.zones import NOWHERE, parse_zone, region, zone_of_phone

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gmtzone.json").read_text(encoding="utf-8")
)["vectors"]
WINTER = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize("vector", VECTORS, ids=[repr(vector["value"]) for vector in VECTORS])
def test_each_vector_of_java_has_the_same_meaning(vector: dict[str, Any]) -> None:
    """What Java accepts is accepted with its offset or region; what it refuses is refused."""
    zone = parse_zone(vector["value"])
    assert (zone is not None) == vector["accepted"]
    meaning = vector["meaning"] or {}
    if zone is not None and "offsetSeconds" in meaning:
        assert WINTER.astimezone(zone).utcoffset() == timedelta(seconds=meaning["offsetSeconds"])
    elif zone is not None:
        assert isinstance(zone, ZoneInfo)
        assert zone.key == meaning["region"]


def test_zone_rules_come_from_the_package() -> None:
    """A zone of the tzdata package has its rules, whatever the system's own data say."""
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert summer.astimezone(region("Europe/London")).utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    ("phone", "zone"),
    [
        ("12125550100", "America/New_York"),
        ("18085550100", "Pacific/Honolulu"),
        ("447700900000", "Europe/London"),
        ("61491570006", "Australia/Sydney"),
        ("79161234567", "Europe/Moscow"),
        ("77011234567", "Asia/Almaty"),
        ("99912345678", NOWHERE),
    ],
)
def test_a_phone_without_zone_gets_that_of_its_country_code(phone: str, zone: str) -> None:
    """The longest prefix of the table decides; an unknown code is at UTC."""
    assert zone_of_phone(phone) == zone


def test_every_zone_of_the_phone_table_is_known() -> None:
    """No country code leads to a zone that tz data lack."""
    for prefix in range(1, 10_000):
        assert parse_zone(zone_of_phone(str(prefix))) is not None
