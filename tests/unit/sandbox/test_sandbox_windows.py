"""Hours: the interval that the dialer plans with, and the judgement of the ground truth."""

from __future__ import annotations

from syncd.sandbox.clock import parse_ms
from syncd.sandbox.windows import FOREVER_MS, WHOLE_DAY, Hours, Week
from syncd.sandbox.zones import region

NINE_TO_SIX: Week = (((540, 1080),),) * 5 + ((), ())
LONDON = "Europe/London"


def hours(week: Week | None, zone: str = LONDON, start: str = "", finish: str = "") -> Hours:
    """Hours in a zone, with bounds where they are given."""
    return Hours(
        region(zone),
        zone,
        week,
        parse_ms(start) if start else None,
        parse_ms(finish) if finish else None,
    )


def spans(of: Hours, at: str) -> tuple[int, int] | None:
    """The interval of an instant."""
    return of.span(parse_ms(at))


def between(opens: str, closes: str) -> tuple[int, int]:
    """The interval that is expected."""
    return parse_ms(opens), parse_ms(closes)


def test_before_within_and_after_the_hours_of_a_day() -> None:
    """Before and within the answer is today's interval, after it tomorrow's, local time counts."""
    week = hours(NINE_TO_SIX, "America/New_York")
    today = between("2026-11-23T14:00:00Z", "2026-11-23T23:00:00Z")
    assert spans(week, "2026-11-23T08:00:00Z") == today
    assert spans(week, "2026-11-23T15:00:00Z") == today
    assert spans(week, "2026-11-23T23:00:00Z") == between(
        "2026-11-24T14:00:00Z", "2026-11-24T23:00:00Z"
    )


def test_a_free_weekend_is_leapt_over() -> None:
    """After Friday's hours comes Monday's interval."""
    assert spans(hours(NINE_TO_SIX), "2026-11-27T20:00:00Z") == between(
        "2026-11-30T09:00:00Z", "2026-11-30T18:00:00Z"
    )


def test_start_and_finish_cut_the_hours() -> None:
    """Nothing opens before the start or closes after the finish, and after it nothing opens."""
    week = hours(NINE_TO_SIX, start="2026-11-23T10:30:00Z", finish="2026-11-24T10:00:00Z")
    assert spans(week, "2026-11-23T08:00:00Z") == between(
        "2026-11-23T10:30:00Z", "2026-11-23T18:00:00Z"
    )
    assert spans(week, "2026-11-23T19:00:00Z") == between(
        "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"
    )
    assert spans(week, "2026-11-24T10:00:00Z") is None
    assert not week.inside(parse_ms("2026-11-23T10:00:00Z"))


def test_a_finish_before_the_next_opening_leaves_nothing() -> None:
    """When the next interval would open after the finish there is none."""
    assert spans(hours(NINE_TO_SIX, finish="2026-11-24T08:00:00Z"), "2026-11-23T19:00:00Z") is None


def test_any_hour_is_bounded_by_start_and_finish_only() -> None:
    """Without weekly hours the interval reaches from start to finish, or for ever."""
    free = hours(None)
    assert free.span(1_000) == (0, FOREVER_MS)
    assert free.inside(1_000)
    bounded = hours(None, finish="2026-11-23T10:00:00Z")
    assert bounded.span(parse_ms("2026-11-23T10:00:00Z")) is None


def test_hours_that_never_open_have_no_interval() -> None:
    """A week without an interval answers None and does not search for ever."""
    assert spans(hours(((),) * 7), "2026-11-23T10:00:00Z") is None


def test_the_end_is_outside() -> None:
    """The minute of localTimeTo is not permitted, the one before it is."""
    week = hours(NINE_TO_SIX)
    assert week.inside(parse_ms("2026-11-23T17:59:59Z"))
    assert not week.inside(parse_ms("2026-11-23T18:00:00Z"))


def test_the_nights_of_a_clock_change_are_on_the_careful_side() -> None:
    """In a night that skips or repeats an hour each interval is inside by the wall clock."""
    night: Week = (((75, 150),),) * 7
    for day in ("2026-03-29", "2026-10-25"):
        of = hours(night)
        found = of.span(parse_ms(f"{day}T00:00:00Z"))
        assert found is not None
        assert of.inside(found.opens_ms)
        assert of.inside(found.closes_ms - 1)


def test_a_whole_day_ends_at_midnight() -> None:
    """A day without times of its own is open from midnight to midnight, local time."""
    only_monday: Week = (WHOLE_DAY, *((),) * 6)
    assert spans(hours(only_monday, "Europe/Moscow"), "2026-11-23T10:00:00Z") == between(
        "2026-11-22T21:00:00Z", "2026-11-23T21:00:00Z"
    )
