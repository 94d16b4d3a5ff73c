"""Whether calls fit before they end, what windows tell together, and years without a decree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from syncd.core.hours import fit
from syncd.core.hours.common import CommonHours, common_hours
from syncd.core.hours.decrees import undecreed
from syncd.core.hours.fit import Fit, Fitting
from syncd.core.hours.outlook import WindowsSeen
from syncd.core.hours.week import parse
from syncd.core.spec import HoursSpec
from syncd.core.zones.registry_step import NO_REGISTRY

NOW = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)  # a Tuesday
DAY = timedelta(days=1)


def hours(span: str, zone: str = "+00:00") -> CommonHours:
    """The same hours on every day."""
    found = common_hours([zone], parse({"mon-sun": [span]}), NOW, NOW + 400 * DAY)
    assert found is not None
    return found


def test_calls_that_take_longer_than_the_hours_do_not_fit() -> None:
    """60 permitted minutes hold 60 calls of two minutes on two lines, and not one more."""
    fitting = Fitting(NOW)
    fitting.add(hours("09:00-10:00"), NOW + DAY, 60)
    assert fitting.too_many(2.0, 2) is None
    fitting.add(hours("09:00-10:00"), NOW + DAY, 1)
    end = datetime(2026, 11, 25, 8, tzinfo=UTC)  # the hour in which they end, whole
    assert fitting.too_many(2.0, 2) == Fit(end, 61, 61, 60)


def test_hours_of_different_people_add_up_and_shared_ones_count_once() -> None:
    """Two zones with an hour of their own each make two hours; a second in one of them none."""
    fitting = Fitting(NOW)
    for zone in ("+00:00", "+01:00", "+01:00"):
        fitting.add(hours("12:00-13:00", zone), NOW + DAY, 40)
    assert fitting.too_many(1.0, 1) is None
    assert fitting.too_many(1.1, 1) == Fit(NOW.replace(minute=0) + DAY + DAY / 24, 120, 132, 120)


def test_the_first_end_is_told_and_a_far_one_is_never() -> None:
    """An early end is looked at without the calls and hours of later ones."""
    fitting = Fitting(NOW)
    fitting.add(hours("09:00-10:00"), NOW + 500 * DAY, 10**9)
    assert fitting.too_many(1.0, 1) is None
    fitting.add(hours("09:00-10:00"), NOW + 20 * DAY, 100)
    fitting.add(hours("12:00-13:00"), NOW + DAY, 61)
    found = fitting.too_many(1.0, 1)
    assert found is not None
    assert (found.jobs, found.minutes_left) == (61, 60)
    assert Fitting(NOW).too_many(1.0, 1) is None


def test_of_very_many_ends_and_hours_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last end is always among them; hours beyond the limit count as always open."""
    monkeypatch.setattr(fit, "_WEEKS_MAX", 1)
    fitting = Fitting(NOW)
    for ahead in range(1, 101):
        fitting.add(hours("09:00-09:01"), NOW + ahead * DAY, 1)
    assert fitting.too_many(1.0, 1) is None
    fitting.add(hours("09:00-09:01"), NOW + 100 * DAY, 1)
    assert fitting.too_many(1.0, 1) is not None
    fitting.add(hours("10:00-10:01"), NOW + 100 * DAY, 1)
    assert fitting.too_many(1.0, 1) is None


def seen(*added: tuple[dict[str, Any], dict[str, Any], bool]) -> WindowsSeen:
    """Ten jobs of each window."""
    found = WindowsSeen(NOW)
    for fields, basis, held in added:
        found.add(orjson.dumps(fields)[1:-1], orjson.dumps(basis), 10, held=held)
    return found


def test_windows_tell_when_whose_hours_and_what_is_missing() -> None:
    """Held jobs count for the registry alone; a finish of the record is an end to fit before."""
    day = [{"localTimeFrom": "07:00", "localTimeTo": "08:00"}]
    fields = {"gmtZone": "+00:00", "allowedTime": {"tue": day}}
    decent = {"hours": ["decent 2026-11-21"], "evidence": [["phone", "+44", ["Europe/London"], ""]]}
    russian = {"evidence": [["registry", "+7 916 1", [], NO_REGISTRY]]}
    until = {**decent, "finish": "2026-11-24T08:00:00Z"}
    found = seen((fields, decent, False), ({}, russian, True), (fields, until, False))
    assert (found.outlook.now, found.outlook.jobs, found.no_registry) == (20, 20, 10)
    assert found.presets == {"decent 2026-11-21"}
    assert found.fitting.too_many(4.0, 1) == Fit(NOW + DAY / 48, 10, 40, 30)
    found.add(None, "{}", 5, held=False)
    assert found.outlook.unknown == 5


@pytest.mark.parametrize(
    ("spec", "names", "year", "expected"),
    [
        (HoursSpec(), ["decent 2026-11-21"], 2026, {}),
        (HoursSpec(), ["ru-debt 2026-11-21"], 2026, {}),
        (HoursSpec(), ["ru-debt 2026-11-21"], 2027, {"RU": 2027}),
        (HoursSpec(), ["kz-debt + ru-debt 2026-11-21", "own"], 2027, {"KZ": 2025, "RU": 2027}),
        (HoursSpec(holidays="none"), ["ru-debt 2026-11-21"], 2027, {}),
        (HoursSpec(holidays="closed"), ["ru-debt 2026-11-21"], 2027, {"RU": 2027}),
        (HoursSpec(), ["us-tcpa 2026-11-21", "us-ri 2026-11-21"], 2027, {}),
    ],
)
def test_years_without_a_decree_are_told(
    spec: HoursSpec, names: list[str], year: int, expected: dict[str, int]
) -> None:
    """Of the countries whose holidays change the hours, when the horizon of 54 weeks passes one."""
    assert undecreed(spec, names, datetime(year, 11, 24, tzinfo=UTC)) == expected


def test_a_country_without_a_calendar_has_no_decree(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the package lacks is told elsewhere."""
    unknown = lambda _spec, _names: {("XX", "")}  # noqa: E731 - no preset names such a country
    monkeypatch.setattr("syncd.core.hours.decrees._places", unknown)
    assert undecreed(HoursSpec(), (), NOW) == {}
