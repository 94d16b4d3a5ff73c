"""How presets, an own week, holidays and dates of one's own become the hours in force."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from syncd.core.hours import week
from syncd.core.hours.rules import Places, Rule, Rules
from syncd.core.refusal import BadValue
from syncd.core.spec import HoursSpec

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
CHRISTMAS = date(2026, 12, 25)  # a Friday
SATURDAY = date(2026, 12, 5)
OFFICE = {"mon-fri": ("09:00-18:00",)}


def rule(places: Places = (("FR", ""),), **spec: Any) -> Rule | None:
    rules = Rules(HoursSpec(**spec), lambda _row, _phone: places, NOW)
    found = rules.of((), "33612345678")
    assert rules.of((), "33612345678") is found, "made once"
    return found


def minutes(made: Rule, day: date) -> int:
    return made.weeks.day(day, made.dates).bit_count()


def made(**spec: Any) -> Rule:
    found = rule(**spec)
    assert found is not None
    return found


def test_nothing_given_leaves_the_hours_to_the_campaign() -> None:
    """There is no rule then."""
    assert rule(presets=()) is None


def test_several_presets_and_an_own_week_meet() -> None:
    """All of them hold; each is named; the longest guard counts, unless one is given."""
    found = made(presets=("us-tcpa", "ru-debt"), week=OFFICE)
    assert found.names == ("us-tcpa + ru-debt 2026-11-21", "own")
    assert minutes(found, date(2026, 12, 2)) == 9 * 60
    assert minutes(found, SATURDAY) == 0
    assert (found.guard_min, found.legal, found.capped) == (1, True, True)
    assert made(presets=("us-tcpa",), guard_min=5).guard_min == 5


def test_an_own_week_alone_is_no_law() -> None:
    """It has no guard, no caps and no dates."""
    found = made(presets=(), week=OFFICE)
    assert (found.guard_min, found.legal, found.capped, found.by_date) == (0, False, False, False)
    assert found.names == ("own",)


@pytest.mark.parametrize(
    ("spec", "christmas"),
    [
        ({"presets": ("fr-d223-9",)}, 0),
        ({"presets": ("fr-d223-9",), "holidays": "none"}, 9 * 60),
        ({"presets": ("fr-d223-9",), "working": (CHRISTMAS.isoformat(),)}, 9 * 60),
        ({"presets": (), "week": OFFICE, "holidays": "closed"}, 0),
        ({"presets": (), "week": OFFICE, "holidays": "weekend"}, 0),
        ({"presets": (), "week": OFFICE, "closed": (CHRISTMAS.isoformat(),)}, 0),
        ({"presets": ("decent",), "holidays": "closed"}, 0),
        ({"presets": ("decent",)}, 12 * 60),
    ],
)
def test_holidays_follow_the_preset_or_the_sync(spec: dict[str, Any], christmas: int) -> None:
    """Of the preset's country, else of the number's; dates of one's own go on top."""
    found = made(**spec)
    assert minutes(found, CHRISTMAS) == christmas
    no_calendar = spec.get("holidays") == "none" or spec == {"presets": ("decent",)}
    assert found.by_date is not no_calendar


def test_auto_asks_for_the_place_and_names_what_is_missing() -> None:
    """A country without a preset for the scope has no hours, and says so."""
    assert made(presets=("auto",)).names[0].startswith("fr-d223-9")
    found = made(presets=("auto",), scope="debt")
    assert (found.missing, found.weeks.ordinary.minutes) == ("no preset for debt in FR", 0)


def test_a_country_without_known_holidays_keeps_its_own_dates() -> None:
    """None that the package knows; a closed date still counts."""
    places = (("AC", ""), ("", ""))
    found = rule(places, presets=(), holidays="closed", closed=(CHRISTMAS.isoformat(),))
    assert found is not None
    assert minutes(found, CHRISTMAS) == 0
    assert minutes(found, SATURDAY) == week.DAY_MIN


def test_a_preset_that_is_not_there_is_refused() -> None:
    """By name; the configuration refuses it before."""
    with pytest.raises(BadValue, match="no preset"):
        rule(presets=("us-xx",))
