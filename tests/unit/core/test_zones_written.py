"""Zones as people and programs write them."""

from __future__ import annotations

import pytest
from tzlocal.windows_tz import win_tz

from syncd.core import zone
from syncd.core.zones.texts import rows
from syncd.core.zones.written import zones_of_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Europe/Moscow", "Europe/Moscow"),
        (" EUROPE/KIEV ", "Europe/Kyiv"),
        ("America/New York", "America/New_York"),
        ("asia/calcutta", "Asia/Kolkata"),
        ("US/Eastern", "America/New_York"),
        ("Etc/GMT-3", "+03:00"),
        ("UTC+3", "+03:00"),
        ("utc + 3", "+03:00"),
        ("UTC+03:00", "+03:00"),
        ("GMT+5:30", "+05:30"),
        ("UTC\u22125", "-05:00"),
        ("+3", "+03:00"),
        ("-3:30", "-03:30"),
        ("+0330", "+03:30"),
        ("utc+0545", "+05:45"),
        ("+5.5", "+05:30"),
        ("+5,30", "+05:30"),
        ("+5.75", "+05:45"),
        ("+3.0", "+03:00"),
        ("Z", "+00:00"),
        ("utc", "+00:00"),
        ("gmt", "+00:00"),
        ("Russian Standard Time", "Europe/Moscow"),
        ("ekaterinburg standard time", "Asia/Yekaterinburg"),
        ("Eastern Daylight Time", "America/New_York"),
        ("Dateline Standard Time", "-12:00"),
        ("МСК", "Europe/Moscow"),
        ("МСК+2", "+05:00"),
        ("MSK+2", "+05:00"),
        ("мск -1", "+02:00"),
        ("МСК+7:00", "+10:00"),
        ("+4ч от Москвы", "+07:00"),
        ("+2 к МСК", "+05:00"),
        ("UTC+5 (MSK+2)", "+05:00"),
        ("МСК+2 (UTC+5)", "+05:00"),
        ("(UTC+05:00) Екатеринбург", "Asia/Yekaterinburg"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT+03:00) Moscow, St. Petersburg", "Europe/Moscow"),
        ("(GMT-05:00) America/New_York", "America/New_York"),
        ("Europe/Moscow (UTC+3)", "Europe/Moscow"),
        ("(UTC+03:00)", "+03:00"),
        ("VLAT", "Asia/Vladivostok"),
    ],
)
def test_a_zone_that_is_sure(text: str, expected: str) -> None:
    """Ids in any case, old ids, offsets, Windows names and hours from Moscow are read."""
    assert zones_of_text(text) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "()", "3", "x", "EST", "CST", "IST", "+330", "+15", "-12:15", "+03:30:15", "+5.7",
        "МСК+15", "МСК+2 (UTC+6)", "(UTC-05:00) Nowhere", "Mars/Olympus", "Europe/Paris (Tokyo)",
        "Europe" * 40,
    ],
)  # fmt: skip
def test_what_could_be_wrong_says_nothing(text: str) -> None:
    """Ambiguous, contradictory and unknown texts are left to the next step."""
    assert zones_of_text(text) == ()


def test_two_meanings_are_two_zones() -> None:
    """`+3 МСК` is three hours from Moscow, or Moscow's UTC+3."""
    assert zones_of_text("+3 МСК") == ("+06:00", "+03:00")
    assert zones_of_text("+2 МСК") == ("+05:00",)


def test_every_name_of_the_tables_is_sendable() -> None:
    """Each Windows name and each label gives a zone that is sent as it is."""
    labels = [label for _, *labels in rows("labels.tsv") for label in labels]
    for text in [*win_tz, *labels]:
        (known,) = zones_of_text(text)
        assert zone.canonical(known) == known
