"""Common hours of several zones: the vectors, and what they leave open."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.core.hours import offsets
from syncd.core.hours.common import common_hours, likely
from syncd.core.hours.week import Week, parse
from syncd.core.window import hours_to_wire

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "windows.json").read_text(encoding="utf-8")
)["vectors"]
RUSSIA = (
    "Europe/Moscow", "Asia/Yekaterinburg", "Asia/Novosibirsk", "Europe/Samara",
    "Asia/Vladivostok", "Asia/Irkutsk", "Asia/Omsk", "Asia/Yakutsk", "Europe/Kaliningrad",
    "Asia/Kamchatka", "Asia/Magadan",
)  # fmt: skip
NOW = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
YEAR = NOW + timedelta(weeks=54)


def week_of(windows: dict[str, list[list[str]]]) -> Week:
    """The week that the vectors write as pairs of texts."""
    return parse({day: ["-".join(pair) for pair in pairs] for day, pairs in windows.items()})


def daily(*spans: str) -> Week:
    """The same hours on each day."""
    return parse({"mon-sun": spans})


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_vector(vector: dict[str, Any]) -> None:
    """What is sent is what the vectors say, minute by minute."""
    start, end = map(datetime.fromisoformat, vector["horizon"])
    found = common_hours(vector["zones"], week_of(vector["windows"]), start, end)
    if vector["expect"].get("empty"):
        assert found is None
        return
    assert found is not None
    assert {
        "gmtZone": found.gmt_zone,
        "anchor": found.anchor,
        "allowedDays": list(found.hours),
        "allowedTime": hours_to_wire(found.hours),
        "minutesPerWeek": found.minutes_a_week,
    } == vector["expect"]


@pytest.mark.parametrize(
    ("zones", "week", "gmt_zone", "hours"),
    [
        (["Pacific/Honolulu", "Pacific/Auckland"], {"mon-fri": ["09:00-21:00"]}, "-10:00",
         dict.fromkeys(("mon", "tue", "wed", "thu"), "11:00-21:00")),
        (["Asia/Kolkata", "Asia/Kathmandu"], {"mon": ["10:00-19:00"]}, "+05:30",
         {"mon": "10:00-18:45"}),
        (["Europe/Moscow", "Europe/Samara"], {"fri": ["20:00-24:00"], "sat": ["00:00-03:00"]},
         "+03:00", {"fri": "20:00-23:59", "sat": "00:00-02:00"}),
        (["America/Phoenix", "America/New_York", "Pacific/Honolulu"], {"sun": ["08:00-21:00"]},
         "-07:00", {"sun": "11:00-18:00"}),
        (["+00:00"], {"wed": ["08:00-21:00"]}, "+00:00", {"wed": "08:00-21:00"}),
        (["Africa/Abidjan"], {"wed": ["08:00-21:00"]}, "+00:00", {"wed": "08:00-21:00"}),
    ],
)  # fmt: skip
def test_weekdays_half_hours_and_nights(
    zones: list[str], week: dict[str, list[str]], gmt_zone: str, hours: dict[str, str]
) -> None:
    """Differences carry hours into other weekdays, and an offset is sent where one will do."""
    found = common_hours(zones, parse(week), NOW, YEAR)
    assert found is not None
    assert found.gmt_zone == gmt_zone
    assert {day: str(one) for day, (one,) in found.hours.items()} == hours


def test_an_offset_is_sent_when_the_zone_keeps_it_until_the_end() -> None:
    """New York until February has one offset; until April it has two, so its id is sent."""
    february, april = (datetime(2027, month, 1, tzinfo=UTC) for month in (2, 4))
    for end, expected in ((february, "-05:00"), (april, "America/New_York")):
        found = common_hours(["America/New_York"], daily("08:00-21:00"), NOW, end)
        assert found is not None
        assert found.gmt_zone == expected


def test_a_short_horizon_is_taken_as_a_week() -> None:
    """A job that must end tomorrow has the week's hours, not those of two days."""
    found = common_hours(RUSSIA, daily("09:00-21:00"), NOW, NOW + timedelta(hours=5))
    assert found is not None
    assert {day: str(one) for day, (one,) in found.hours.items()} == dict.fromkeys(
        ("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "10:00-12:00"
    )


def test_the_guard_is_taken_off_each_end_but_not_off_midnight() -> None:
    """Hours that go on over midnight have no end there."""
    week = parse({"mon": ["09:00-12:00", "20:00-24:00"], "tue": ["00:00-02:00"]})
    found = common_hours(["Europe/Moscow"], week, NOW, YEAR, guard_min=5)
    assert found is not None
    assert {day: " ".join(map(str, spans)) for day, spans in found.hours.items()} == {
        "mon": "09:00-11:55 20:00-23:59",
        "tue": "00:00-01:55",
    }


def test_the_likeliest_zones_are_kept() -> None:
    """Office hours fit no minute of all Russia: the unlikely end is left out until some do."""
    kept = likely(RUSSIA, parse({"mon-fri": ["09:00-18:00"]}), NOW, YEAR)
    assert kept is not None
    found, zones = kept
    assert zones == RUSSIA[:9]
    assert str(found.hours["mon"][0]) == "10:00-11:00"
    assert likely(RUSSIA, Week(0), NOW, YEAR) is None


def test_a_minute_that_cannot_be_written_is_none() -> None:
    """The last minute of a day alone has no interval: another anchor tells it, or none."""
    last = daily("23:59-24:00")
    assert common_hours(["Europe/Moscow"], last, NOW, YEAR) is None
    both = parse({"mon": ["22:59-23:00", "23:59-24:00"]})
    found = common_hours(["Europe/Samara", "Europe/Moscow"], both, NOW, YEAR)
    assert found is not None
    assert (found.anchor, str(found.hours["mon"][0])) == ("Europe/Moscow", "22:59-23:00")


def test_a_far_end_costs_no_search_through_centuries() -> None:
    """`until 9999` is looked at for three years."""
    offsets._changes.cache_clear()
    found = common_hours(
        ["Europe/London", "Europe/Paris"],
        daily("09:00-21:00"),
        NOW,
        datetime.max.replace(tzinfo=UTC),
    )
    assert found is not None
    assert offsets._changes.cache_info().currsize <= 2 * 5


@pytest.mark.parametrize("zone", ["europe/moscow", "+03:30:15", ""])
def test_what_cannot_be_sent_is_no_zone(zone: str) -> None:
    """The resolver lets only ids and whole minutes through: anything else is a bug."""
    with pytest.raises(ValueError, match="no zone that can be sent"):
        offsets.offset_at(zone, 0)


def test_a_change_at_the_first_minute_of_a_year_is_found() -> None:
    """Samoa jumped over 30 December 2011; Egypt and others have changed at midnight of a year."""
    start = offsets.minute_of(datetime(2011, 1, 1, tzinfo=UTC))
    end = offsets.minute_of(datetime(2013, 1, 1, tzinfo=UTC))
    found = list(offsets.pieces("Pacific/Apia", start, end))
    assert [piece.offset for piece in found] == [-600, -660, -600, 840, 780, 840]
    assert offsets.instant(found[3].start) == datetime(2011, 12, 30, 10, tzinfo=UTC)
