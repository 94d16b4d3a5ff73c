"""Ids, offsets and clocks of zones, by the packaged data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.core import zone
from syncd.core.hours.offsets import minute_of
from syncd.core.zones.tz_tables import (
    Clocks,
    canonical_id,
    clock_of,
    country_names,
    zones_of_country,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCKS = Clocks(NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Europe/Moscow", "Europe/Moscow"),
        ("europe/moscow", "Europe/Moscow"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("US/Eastern", "America/New_York"),
        ("EST5EDT", "America/New_York"),
        ("Pacific/Truk", "Pacific/Chuuk"),
        ("Africa/Asmera", "Africa/Asmara"),
        ("Etc/GMT-3", None),
        ("UTC", None),
        ("EST", None),
        ("Factory", None),
        ("", None),
    ],
)
def test_old_names_become_ids_of_zone_tab(text: str, expected: str | None) -> None:
    """Any case and any old name of a place gives the one id that is sent."""
    assert canonical_id(text) == expected


def test_every_old_name_shows_the_same_clock() -> None:
    """What is sent instead of an old id shows its time, all through the coming year."""
    for name in sorted(zone.known_regions()):
        sent = zone.canonical(name)
        assert sent is not None
        assert CLOCKS.of(sent) == CLOCKS.of(name), name


def test_regions_of_several_clocks() -> None:
    """The inhabited regions of more than one clock are those that the corrections were made for."""
    several = {
        code: len(CLOCKS.fold(zones))
        for code in country_names()
        if len(CLOCKS.fold(zones := zones_of_country(code))) > 1
    }
    assert several == {
        "AQ": 8, "AU": 7, "BR": 4, "CA": 9, "CD": 2, "CL": 3, "CN": 2, "EC": 2, "ES": 2, "FM": 2,
        "GL": 3, "ID": 3, "KI": 3, "MN": 2, "MX": 6, "NZ": 2, "PF": 3, "PG": 2, "PT": 2, "RU": 11,
        "UA": 2, "UM": 2, "US": 8,
    }  # fmt: skip
    assert zones_of_country("XX") == ()


def test_zones_of_one_clock_are_folded() -> None:
    """Of zones that always show the same time the first is kept, in order."""
    assert CLOCKS.fold(()) == ()
    assert CLOCKS.fold(("Asia/Almaty",)) == ("Asia/Almaty",)
    zones = ("Europe/London", "Europe/Jersey", "Europe/Moscow", "+03:00", "Europe/Berlin")
    assert CLOCKS.fold(zones) == ("Europe/London", "Europe/Moscow", "Europe/Berlin")
    assert CLOCKS.fold(zones) is CLOCKS.fold(zones)
    start, end = minute_of(NOW), minute_of(NOW + timedelta(days=90))
    assert clock_of("Europe/Berlin", start, end) == clock_of("Africa/Lagos", start, end)
    with pytest.raises(ValueError, match="no zone"):
        CLOCKS.of("Mars/Olympus")


def test_folds_that_are_kept_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of odd zones can't fill the memory."""
    monkeypatch.setattr("syncd.core.zones.tz_tables._MAX_FOLDS", 1)
    clocks = Clocks(NOW)
    for zones in (("Europe/Rome", "Asia/Tokyo"), ("Europe/Rome", "Asia/Seoul")):
        assert clocks.fold(zones) == zones
    assert len(clocks._folds) == 1


def test_shares_of_one_clock_add_up() -> None:
    """Folding keeps what the registry counted."""
    zones = ("Europe/Moscow", "Asia/Omsk", "+03:00")
    assert CLOCKS.fold_shares(zones, (0.5, 0.3, 0.2)) == (
        ("Europe/Moscow", "Asia/Omsk"),
        (0.7, 0.3),
    )


def test_zones_among_others() -> None:
    """Zones are kept by their clock, under the name of the country's own."""
    zones = ("Africa/Nairobi", "Europe/Berlin", "Asia/Riyadh")
    assert CLOCKS.among(zones, ("Europe/Moscow", "Europe/Samara")) == ("Europe/Moscow",)
