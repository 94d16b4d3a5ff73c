"""Laws of the sandbox's time: how often it is looked at changes nothing, and no plan is a lie."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from syncd.sandbox.book import Book
from syncd.sandbox.clock import VirtualClock, parse_ms
from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import direct_sandbox
from syncd.sandbox.windows import Hours
from syncd.sandbox.zones import region

START_MS = parse_ms("2026-11-23T06:00:00Z")
YEAR_MS = 365 * 24 * 3600 * 1000
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")

intervals = st.lists(st.integers(0, 24 * 60), min_size=0, max_size=4, unique=True).map(
    lambda ends: tuple(zip(*[iter(sorted(ends))] * 2, strict=False))
)
weeks = st.tuples(*[intervals] * 7)
jobs = st.lists(
    st.fixed_dictionaries(
        {"phone": st.integers(447700900000, 447700900099).map(str)},
        optional={
            "gmtZone": st.sampled_from(ZONES),
            "retryIntervalInMinutes": st.integers(1, 90),
            "maxAttempts": st.integers(0, 4),
            "dialerPriority": st.integers(1, 5),
            "finishDateTime": st.sampled_from(["2026-11-23T07:00:00Z", "2026-11-23T19:00:00Z"]),
            "allowedTime": st.just(
                {"default": [{"localTimeFrom": "09:00", "localTimeTo": "11:30"}]}
            ),
        },
    ),
    max_size=25,
    unique_by=lambda job: job["phone"],
)


def lived(items: list[dict[str, Any]], steps: list[int]) -> list[dict[str, Any]]:
    """All reports of a world whose clock was moved in these steps of seconds."""
    book = Book(VirtualClock(START_MS, 0.0), ["t"], lines=2)
    book.add_phones("t", orjson.dumps(items), None)
    for step in steps:
        book.move_clock(advance_s=step)
    book.now_ms()
    campaign = book.campaign("t")
    assert all(call.inside for call in campaign.dialled)
    return [job.report() for job in campaign.created] + [
        attempt.report() for attempt in campaign.dialled
    ]


@given(jobs, st.lists(st.integers(0, 20_000), max_size=8))
def test_the_steps_of_the_clock_change_nothing(
    items: list[dict[str, Any]], steps: list[int]
) -> None:
    """One move over a day and many small ones end in the same reports."""
    assert lived(items, steps) == lived(items, [sum(steps)])


parked = st.lists(
    st.tuples(st.integers(0, 40_000), st.integers(447700900100, 447700900109).map(str)), max_size=6
)


@given(jobs, parked, st.lists(st.integers(0, 20_000), max_size=8))
def test_the_steps_of_the_clock_do_not_move_a_parked_request(
    items: list[dict[str, Any]], late: list[tuple[int, str]], steps: list[int]
) -> None:
    """Each is carried out at its own instant, however the clock comes there."""

    def lived_late(steps: list[int]) -> list[tuple[str, int, str]]:
        box = direct_sandbox(start_ms=START_MS, lines=2)
        path = f"/api/calls/campaign/{box.token}/addPhones"
        for delay_s, phone in late:
            box.faults.add(Fault("late", delay_seconds=delay_s))
            assert box.exchange("POST", path, body=orjson.dumps([{"phone": phone}])).answer is None
        box.exchange("POST", path, body=orjson.dumps(items))
        for step in steps:
            box.advance(step)
        return [(str(job.report()), job.created_ms, job.phone) for job in box.jobs()]

    assert lived_late(steps) == lived_late([sum(steps)])


@given(weeks, st.sampled_from(ZONES), st.integers(START_MS, START_MS + YEAR_MS))
def test_a_planned_interval_is_inside_by_the_wall_clock(week: Any, zone: str, at_ms: int) -> None:
    """Where the dialer may call, the ground truth agrees: at the start, the end and between."""
    hours = Hours(region(zone), zone, week)
    span = hours.span(at_ms)
    if span is None:
        assert not any(week)
        return
    assert span.closes_ms > at_ms
    for instant in (span.opens_ms, (span.opens_ms + span.closes_ms) // 2, span.closes_ms - 1):
        assert hours.inside(instant)


@given(weeks, st.sampled_from(ZONES), st.lists(st.integers(0, YEAR_MS), min_size=1, max_size=5))
def test_a_remembered_interval_is_the_one_that_is_found(
    week: Any, zone: str, later_ms: list[int]
) -> None:
    """Asking again, later or earlier, gives what a fresh question gives."""
    kept = Hours(region(zone), zone, week)
    for later in later_ms:
        at_ms = START_MS + later
        assert kept.span(at_ms) == Hours(region(zone), zone, week).span(at_ms)
