"""Russian subjects and their zones."""

# ruff: noqa: RUF001 - Russian letters are what it is about

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.core import zone
from syncd.core.zones.subjects import ALL_RUSSIA, CLOCKS, clock, subjects, zones_of_subject

A_YEAR = [datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day) for day in range(370)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Город Москва", "Europe/Moscow"),
        ("г. Москва", "Europe/Moscow"),
        ("ГОРОД МОСКВА", "Europe/Moscow"),
        ("Московская обл.", "Europe/Moscow"),
        ("Пермский край", "Asia/Yekaterinburg"),
        ("Кемеровская область - Кузбасс", "Asia/Novokuznetsk"),
        ("Кемеровская область \N{EM DASH} Кузбасс", "Asia/Novokuznetsk"),
        ("Кемеровская область", "Asia/Novokuznetsk"),
        ("Ненецкий автономный округ", "Europe/Moscow"),
        ("Ямало-Ненецкий АО", "Asia/Yekaterinburg"),
        ("ХМАО-Югра", "Asia/Yekaterinburg"),
        ("Ханты-Мансийский Автономный округ – Югра АО", "Asia/Yekaterinburg"),
        ("Саха /Якутия/ Респ", "Asia/Yakutsk"),
        ("Республика Марий Эл", "Europe/Moscow"),
        ("Калининградская область", "Europe/Kaliningrad"),
    ],
)
def test_spellings(text: str, first: str) -> None:
    """Case, dashes, dots and the words for the kind of subject do not matter."""
    assert zones_of_subject(text)[0] == first


def test_all_is_eleven_clocks() -> None:
    """The whole country is one zone of each clock, Moscow's first."""
    assert zones_of_subject("Российская Федерация") == ALL_RUSSIA
    assert len(ALL_RUSSIA) == 11
    assert ALL_RUSSIA[0] == "Europe/Moscow"


@pytest.mark.parametrize("text", ["", "Республика", "г.о.", "Атлантида", "Московский район"])
def test_unknown_is_nothing(text: str) -> None:
    """What is no subject has no zone; above all it is not Moscow."""
    assert zones_of_subject(text) == ()


def test_a_subject_with_several_clocks() -> None:
    """Yakutia names all three of its clocks."""
    assert [clock(found) for found in zones_of_subject("Саха (Якутия)")] == [7, 4, 9]


def test_every_subject_and_no_name_twice() -> None:
    """89 subjects, the territories outside, the country; each name is found under its own zones."""
    assert len(subjects()) == 91
    for subject in subjects():
        for name in (subject.name, *subject.others):
            assert zones_of_subject(name) == subject.zones, name


def test_clocks_are_those_of_the_packaged_tzdata() -> None:
    """Zones of one clock have equal offsets for a year, those of two clocks differ, all occur."""
    offsets = [
        {tuple(at.astimezone(zone.load(name)).utcoffset() for at in A_YEAR) for name in zones}
        for zones in CLOCKS
    ]
    assert all(len(of_one) == 1 for of_one in offsets)
    assert len(set.union(*offsets)) == 11
    used = {name for subject in subjects() for name in subject.zones}
    assert used == {name for zones in CLOCKS for name in zones}
    assert clock("Europe/Berlin") is None
