"""What is sent is read back: when one may call next, and how many can be called when."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from syncd.core.hours.offsets import minute_of
from syncd.core.hours.outlook import Looking
from syncd.core.hours.sent import SentHours, anchor_of, read_sent

NOW = datetime(2026, 11, 24, 7, 30, 20, tzinfo=UTC)  # a Tuesday
RUSSIA = ("Europe/Moscow", "Asia/Yekaterinburg", "Europe/Kaliningrad")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def sent(span: str = "09:00-18:00", zone: str = "+00:00", **more: Any) -> SentHours:
    """Hours of every weekday, as they are sent."""
    start, end = span.split("-")
    day = [{"localTimeFrom": start, "localTimeTo": end}]
    found = read_sent({"gmtZone": zone, "allowedTime": {"default": day}, **more})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("item", "minutes"),
    [
        ({}, None),
        ({"gmtZone": "+03:00"}, None),
        ({"allowedDays": ["mon"]}, None),
        ({"gmtZone": "+03:00", "allowedDays": ["mon", "tue"]}, 2 * 1439),
        (
            {
                "gmtZone": "Europe/Moscow",
                "allowedDays": ["mon", "sun"],
                "allowedTime": {
                    "mon": [{"localTimeFrom": "09:00", "localTimeTo": "10:00"}],
                    "tue": [{"localTimeFrom": "09:00", "localTimeTo": "10:00"}],
                    "default": [{"localTimeFrom": "09:00", "localTimeTo": "09:30"}],
                },
            },
            90,
        ),
    ],
)
def test_hours_are_read_as_they_were_sent(item: dict[str, Any], minutes: int | None) -> None:
    """Only on the days that are named, the whole day without hours; else the campaign's count."""
    found = read_sent(item)
    assert (None if found is None else found.common.minutes_a_week) == minutes


def test_the_next_call_is_inside_hours_start_and_finish() -> None:
    """Now where it is permitted; at the start where it is later; never from the finish on."""
    assert sent("07:00-08:00").next_at(NOW) == NOW
    assert sent().next_at(NOW) == at(24, 9)
    assert sent(startDateTime="2026-11-25T10:15:00Z").next_at(NOW) == at(25, 10, 15)
    assert sent(finishDateTime="2026-11-24T09:00:00Z").next_at(NOW) is None
    assert sent(finishDateTime="2026-11-24T09:01:00Z").next_at(NOW) == at(24, 9)
    assert sent("07:00-08:00", finishDateTime="2026-11-24T07:30:00Z").next_at(NOW) is None
    assert sent("09:00-10:00", allowedDays=[]).next_at(NOW) is None


def test_minutes_ahead_stay_between_start_and_finish() -> None:
    """Bits from the first minute on; without start and finish as the hours are."""
    first = minute_of(NOW)
    free = sent("07:00-08:00").ahead(first, 600)
    assert free == (1 << 30) - 1
    bound = sent(
        "07:00-08:00", startDateTime="2026-11-24T07:40:00Z", finishDateTime="2026-11-24T07:50:00Z"
    )
    assert bound.ahead(first, 1440) == ((1 << 20) - 1) & ~((1 << 10) - 1)


@pytest.mark.parametrize(
    ("zone", "candidates", "anchor"),
    [
        ("Europe/Berlin", ("Europe/Berlin",), "Europe/Berlin"),
        ("+05:00", RUSSIA, "Asia/Yekaterinburg"),
        ("+00:00", ("Europe/London", "Africa/Abidjan"), "Africa/Abidjan"),
        ("+00:00", ("Europe/London",), "Europe/London"),
        ("+09:00", RUSSIA, None),
    ],
)
def test_the_anchor_is_the_candidate_behind_the_zone(
    zone: str, candidates: tuple[str, ...], anchor: str | None
) -> None:
    """Itself, else one that keeps the offset, else one that has it at the moment."""
    assert anchor_of(zone, candidates, NOW) == anchor


def test_every_job_counts_once_and_days_are_the_operators() -> None:
    """In Berlin it is half past eight; a job may be called in several hours, and counts in each."""
    looking = Looking(NOW.astimezone(timezone(timedelta(hours=1))))
    looking.add(sent("07:00-09:00"), 1_000)
    looking.add(sent("08:00-09:00"), 20)
    looking.add(sent("22:00-23:00"), 3)
    looking.add(sent("23:00-23:30"))
    looking.add(sent(startDateTime="2026-12-01T00:00:00Z"))
    looking.add(sent(finishDateTime="2026-11-24T07:00:00Z"))
    looking.add(None, 7)
    found = asdict(looking.outlook)
    by_hour = found.pop("by_hour")
    assert found.pop("hour") == NOW.replace(minute=0, second=0)
    assert found == {
        "now": 1_000, "within_hour": 20, "today": 3, "tomorrow": 1, "later": 1, "over": 1,
        "unknown": 7,
    }  # fmt: skip
    assert looking.outlook.jobs == 1_033
    hours = {(8 + cell) % 24: jobs for cell, jobs in enumerate(by_hour) if jobs}
    assert hours == {8: 1_000, 9: 1_020, 23: 3, 0: 1}
