"""allowedDays and allowedTime by the contract's rules."""

from __future__ import annotations

import pytest

from syncd.core.refusal import BadValue
from syncd.core.window import Interval, hours_to_wire, parse_days, parse_hours


def span(start: object, end: object) -> dict[str, object]:
    """One interval as the contract writes it."""
    return {"localTimeFrom": start, "localTimeTo": end}


@pytest.mark.parametrize(
    ("value", "days"),
    [
        (["mon"], ("mon",)),
        (["sun", "mon", "mon"], ("mon", "sun")),
        ("mon, Tue;wed", ("mon", "tue", "wed")),
        ("mon-fri", ("mon", "tue", "wed", "thu", "fri")),
        ("mon-wed sat-sun", ("mon", "tue", "wed", "sat", "sun")),
    ],
)
def test_days_that_are_read(value: object, days: tuple[str, ...]) -> None:
    """Days come out once each, Monday first."""
    assert parse_days(value) == days


@pytest.mark.parametrize(
    "value",
    [[], "", None, 5, b"mon", {"mon": 1}, ["Mon"], [1], "monday", "mon-", "-fri", "fri-mon", "1"],
)
def test_days_that_are_refused(value: object) -> None:
    """No days, other words and ranges that run backward are refused."""
    with pytest.raises(BadValue):
        parse_days(value)


def test_hours_by_day() -> None:
    """Intervals come out sorted, and may touch."""
    value = {
        "mon": [span("14:00", "20:00"), span("09:00", "14:00")],
        "default": [span("10:00", "18:00")],
    }
    hours = parse_hours(value)
    assert hours["mon"] == (Interval(540, 840), Interval(840, 1200))
    assert str(hours["mon"][0]) == "09:00-14:00"
    assert hours_to_wire(hours)["default"] == [span("10:00", "18:00")]


def test_hours_as_text_hold_every_day() -> None:
    """The short form is the default of all days."""
    hours = parse_hours("09:00-13:00, 14:00 - 20:00")
    assert hours == {"default": (Interval(540, 780), Interval(840, 1200))}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "by weekday"),
        ({}, "by weekday"),
        ([span("09:00", "10:00")], "by weekday"),
        ({"Mon": [span("09:00", "10:00")]}, "a day is"),
        ({"mon": "09:00-10:00"}, "list of intervals"),
        ({"mon": []}, "1 to 48"),
        ({"mon": [span("09:00", "10:00")] * 49}, "1 to 48"),
        ({"mon": [span("09:00", "10:01"), span("10:00", "11:00")]}, "upper end of one interval"),
        ({"mon": [{"localTimeFrom": "09:00"}]}, "both ends"),
        ({"mon": [{**span("09:00", "10:00"), "x": 1}]}, "both ends"),
        ({"mon": ["09:00-10:00"]}, "both ends"),
        ({"mon": [span("22:00", "06:00")]}, "before it ends"),
        ({"mon": [span("09:00", "09:00")]}, "before it ends"),
        ({"mon": [span("9:00", "10:00")]}, "HH:mm"),
        ({"mon": [span("09:00", "24:00")]}, "HH:mm"),
        ({"mon": [span(9, 10)]}, "HH:mm"),
        ({"mon": [span("09:0\u0660", "10:00")]}, "HH:mm"),
        ("09:00", "HH:mm"),
        ("", "HH:mm"),
    ],
)
def test_hours_that_are_refused(value: object, why: str) -> None:
    """One bad interval would refuse a whole batch, so it is named here."""
    with pytest.raises(BadValue, match=why):
        parse_hours(value)
