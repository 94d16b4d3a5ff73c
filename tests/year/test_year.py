"""Some weeks of the simulated year: each call at a permitted hour, by two reckonings."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.year.laws import LAWS, broken
from tests.year.people import PLACES, SYNCS
from tests.year.year import run

#: America's clocks change on the 14th and Europe's on the 28th; Good Friday is the 26th.
BEGIN = datetime(2027, 3, 10, tzinfo=UTC)


def test_weeks_in_which_clocks_change_and_holidays_fall() -> None:
    """No call is outside the hours by the sandbox's reckoning, nor by the laws in any zone."""
    figures = run(BEGIN, days=19, count=len(PLACES))
    assert figures.ok, "\n".join(figures.lines())
    assert set(figures.by_sync) == set(SYNCS)
    assert figures.zones >= 60
    assert len(figures.called) > figures.leads * 3 // 4
    assert figures.across > 20


@pytest.mark.parametrize(
    ("law", "zone", "at", "permitted"),
    [
        ("us", "America/New_York", "2027-03-14T11:59", False),  # 07:59, with summer time: 12:00
        ("us", "America/New_York", "2027-03-14T12:00", True),
        ("us", "America/New_York", "2027-03-13T12:59", False),
        ("fr", "Europe/Paris", "2027-03-30T11:30", False),  # 13:30
        ("fr", "Europe/Paris", "2027-03-29T09:00", False),  # Easter Monday
        ("au", "Australia/Adelaide", "2027-03-26T02:00", False),  # Good Friday
        ("ru-debt", "Europe/Moscow", "2027-02-22T05:30", False),  # a Monday off: from 9
        ("ru-debt", "Europe/Moscow", "2027-02-20T05:30", True),  # a Saturday at work: from 8
        ("own", "Asia/Kathmandu", "2027-06-24T05:00", False),  # closed
        ("night", "Asia/Kolkata", "2027-06-24T18:29", True),  # 23:59
    ],
)
def test_the_second_reckoning_knows_the_hours(
    law: str, zone: str, at: str, permitted: bool
) -> None:
    """It refuses what the law forbids: it is a witness, not a rubber stamp."""
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert (broken(LAWS[law], [zone], instant) == []) is permitted


def test_no_number_of_the_year_is_of_two_places() -> None:
    """A call is judged by the place of its number, so each number has one."""
    numbers = {(place.sync, place.phone(n)) for place in PLACES for n in range(40)}
    assert len(numbers) == len(PLACES) * 40
    assert all(LAWS[place.law] and place.sync in SYNCS for place in PLACES)
