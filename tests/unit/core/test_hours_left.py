"""Minutes that are left, caps, and the picture of a week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.core.hours.caps import Caps, attempts_left, bounded, first_fit, next_call
from syncd.core.hours.common import CommonHours, common_hours
from syncd.core.hours.feasible import minutes_left, minutes_needed, next_minute
from syncd.core.hours.picture import picture
from syncd.core.hours.week import parse

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)  # a Monday
YEAR = NOW + timedelta(weeks=54)


def hours(zone: str, **days: str) -> CommonHours:
    """Hours of one zone."""
    found = common_hours([zone], parse({day: [span] for day, span in days.items()}), NOW, YEAR)
    assert found is not None
    return found


def test_minutes_that_are_left() -> None:
    """Whole weeks and parts; the last minute of a day is not sent, so it does not count."""
    office = hours("Europe/Moscow", mon="09:00-18:00", tue="23:00-24:00")
    for days, expected in ((0, 0), (1, 180), (2, 180 + 59), (7, 540 + 59), (14, 2 * 599)):
        start = NOW.replace(second=0)
        assert minutes_left(office, start, start + timedelta(days=days)) == expected
    assert minutes_left(office, NOW, NOW - timedelta(days=1)) == 0


def test_the_minutes_of_a_night_follow_the_clock() -> None:
    """New York's 01:00-03:00 of 14 March 2027 is one hour long, and of 7 November three."""
    night = hours("America/New_York", sun="01:00-03:00")
    for day, expected in (
        (datetime(2027, 3, 13, tzinfo=UTC), 60),
        (datetime(2027, 11, 6, tzinfo=UTC), 180),
    ):
        assert minutes_left(night, day, day + timedelta(days=3)) == expected


def test_the_next_minute_in_which_one_may_call() -> None:
    """Now, later today, next week; a night that the clock leaves out comes a week later."""
    assert next_minute(hours("Europe/Moscow", mon="15:00-16:00"), NOW) == NOW
    assert next_minute(hours("Europe/Moscow", mon="16:00-17:00"), NOW) == NOW.replace(
        hour=13, second=0
    )
    assert next_minute(hours("Europe/Moscow", mon="10:00-11:00"), NOW) == datetime(
        2026, 11, 30, 7, tzinfo=UTC
    )
    gap = hours("America/New_York", sun="02:00-03:00")
    assert next_minute(gap, datetime(2027, 3, 10, tzinfo=UTC)) == datetime(
        2027, 3, 21, 6, tzinfo=UTC
    )


def test_minutes_that_calls_need() -> None:
    """Rounded up: 100 calls of 90 s on 7 lines take 22 minutes."""
    assert minutes_needed(100, 90, 7) == 22
    assert minutes_needed(0, 90, 7) == 0
    assert minutes_needed(120, 60.0, 60) == 2


def test_the_picture_has_a_row_for_each_day() -> None:
    """Whole hours, parts of hours, and another reader's clock."""
    week = parse({"mon": ["09:00-12:30"], "sun": ["23:00-24:00"]})
    assert picture(week) == (
        "    0     6     12    18",
        "mon ·········███▒···········",
        *(f"{day} ························" for day in ("tue", "wed", "thu", "fri", "sat")),
        "sun ·······················█",
    )
    assert picture(week, 60)[1] == "mon █·········███▒··········"


@pytest.mark.parametrize(
    ("caps", "wanted", "expected"),
    [
        (Caps(), (50, 1), (50, 1)),
        (Caps(day=3), (3, 10), (3, 10)),
        (Caps(day=3), (4, 10), (4, 480)),
        (Caps(day=3), (4, 600), (4, 600)),
        (Caps(day=1, week=2, month=8), (5, 10), (2, 1440)),
        (Caps(days_30=4), (5, 10), (4, 10)),
    ],
)
def test_attempts_of_a_job_keep_the_caps(
    caps: Caps, wanted: tuple[int, int], expected: tuple[int, int]
) -> None:
    """The interval grows as far as the campaign takes one; then attempts are given up."""
    assert bounded(caps, *wanted, longest_min=2880) == expected


def test_the_next_call_to_a_phone_waits_for_the_latest_cap() -> None:
    """Two calls a week, one a day: the second-last call decides, or the last one."""
    caps = Caps(day=1, week=2)
    ago = [NOW - timedelta(hours=hours) for hours in (90, 20)]
    assert next_call(caps, [], NOW) == NOW
    assert next_call(caps, ago, NOW) == NOW + timedelta(hours=7 * 24 - 90)
    assert next_call(caps, ago[1:], NOW) == NOW + timedelta(hours=4)
    assert next_call(caps, [NOW - timedelta(days=9)], NOW) == NOW


def test_attempts_count_with_the_calls_before_them() -> None:
    """One call three days ago leaves one of this week's two."""
    past = [NOW - timedelta(days=3)]
    assert attempts_left(Caps(week=2), past, NOW, 3, 1440) == 1
    assert attempts_left(Caps(week=2), [], NOW, 3, 1440) == 2
    assert attempts_left(Caps(day=1), past, NOW, 3, 1440) == 3
    assert attempts_left(Caps(day=1), [NOW], NOW, 3, 1440) == 0


def test_caps_of_two_rules_meet() -> None:
    """The smaller of each period; a cap that one lacks is the other's."""
    assert Caps(day=3, month=8) & Caps(day=2, week=5) == Caps(day=2, week=5, month=8)


DAY = timedelta(days=1)


def test_a_job_goes_as_soon_as_all_its_attempts_fit() -> None:
    """After past calls, and beside calls that may come at any time; nobody knows when those end."""
    caps = Caps(day=2, week=3)
    past = [NOW - 6 * DAY, NOW - timedelta(hours=20)]
    assert first_fit(caps, [], 0, NOW, 2, 60) == NOW
    assert first_fit(caps, past, 0, NOW, 1, 60) == NOW
    assert first_fit(caps, past, 0, NOW, 2, 60) == NOW + DAY
    assert first_fit(caps, past, 1, NOW, 1, 60) == NOW + DAY
    assert first_fit(caps, [NOW + DAY], 0, NOW, 2, 60) == NOW
    assert first_fit(caps, [], 1, NOW, 2, 60) is None
    assert first_fit(caps, [], 2, NOW, 1, 60) is None
