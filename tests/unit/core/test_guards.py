"""The rules of the guards: when a poll or a day is too much."""

from __future__ import annotations

import pytest

from syncd.core.guards import (
    DAILY_CAP,
    SPEND,
    TRIPWIRE,
    DayLimits,
    Tripwires,
    day_limit,
    poll_limit,
    room_today,
)

BOTH = Tripwires(max_new=10_000, max_growth=20.0, growth_floor=500)


@pytest.mark.parametrize(
    ("usual", "guard", "jobs"),
    [
        ([], "max_new_per_poll", 10_000),
        ([30] * 4, "max_new_per_poll", 10_000),  # too little history
        ([30] * 5, "max_growth", 600),
        ([1] * 10, "max_growth", 500),  # 20 leads are no reason to hold anything
        ([9_000, 30, 30, 30, 30, 30], "max_growth", 600),  # one import does not make it usual
        ([1_000] * 10, "max_new_per_poll", 10_000),
        ([31, 30, 30, 31, 30, 31], "max_growth", 610),
    ],
)
def test_the_lowest_tripwire_counts(usual: list[int], guard: str, jobs: int) -> None:
    """The absolute limit always holds; the relative one once there is a history, above a floor."""
    limit = poll_limit(BOTH, usual)
    assert limit is not None
    assert (limit.guard, limit.reason, limit.jobs) == (guard, TRIPWIRE, jobs)
    assert (limit.allowed, limit.of(7)) == (jobs, 7)


@pytest.mark.parametrize(
    ("tripwires", "armed", "surely"),
    [
        (Tripwires(), False, 0),
        (Tripwires(max_new=100), True, 100),
        (Tripwires(max_growth=2.0, growth_floor=7), True, 7),
        (BOTH, True, 500),
        (Tripwires(max_new=5, max_growth=2.0, growth_floor=7), True, 5),
    ],
)
def test_what_trips_nothing_needs_no_history(
    tripwires: Tripwires, armed: bool, surely: int
) -> None:
    """Up to the lower of limit and floor a poll is allowed, whatever is usual."""
    assert (tripwires.armed, tripwires.surely_allowed) == (armed, surely)
    limit = poll_limit(tripwires, [1] * 10)
    assert (limit is not None) == armed
    assert limit is None or limit.jobs >= surely


def test_without_a_history_growth_alone_holds_nothing() -> None:
    """A new sync has no usual poll to be compared with."""
    assert poll_limit(Tripwires(max_growth=2.0), [3]) is None


def test_a_day_without_limits_has_none() -> None:
    """Money that no price is known for, or that nothing costs, is no limit."""
    assert day_limit(DayLimits()) is None
    assert day_limit(DayLimits(max_spend=100.0)) is None
    assert day_limit(DayLimits(max_spend=100.0, job_price=0.0)) is None


def test_the_lower_of_cap_and_spend_counts() -> None:
    """100 pays for 666 leads, each two attempts of 1.5 minutes at 0.05."""
    price = 0.05 * 1.5 * 2.0
    limits = DayLimits(max_jobs=1_000, max_spend=100.0, job_price=price)
    limit = day_limit(limits)
    assert limit is not None
    assert (limit.guard, limit.reason, limit.jobs) == ("max_spend_per_day", SPEND, 666)
    assert limit.allowed == 100.0
    assert limit.of(1_000) == pytest.approx(150.0)
    capped = day_limit(DayLimits(max_jobs=600, max_spend=100.0, job_price=price))
    assert capped is not None
    assert (capped.guard, capped.reason, capped.jobs) == ("max_jobs_per_day", DAILY_CAP, 600)


def test_minutes_are_an_envelope_without_a_price() -> None:
    """30,000 minutes are room for 5,000 leads of three attempts of two minutes each."""
    limits = DayLimits(max_jobs=10_000, max_minutes=30_000.0, job_minutes=6.0)
    limit = day_limit(limits)
    assert limit is not None
    assert (limit.guard, limit.reason, limit.jobs) == ("max_minutes_per_day", SPEND, 5_000)
    assert (limit.unit, limit.allowed, limit.of(5_001)) == ("minutes", 30_000.0, 30_006.0)


@pytest.mark.parametrize(
    ("defaults", "guard"),
    [
        ({"max_jobs_per_day"}, "max_minutes_per_day"),
        ({"max_jobs_per_day", "max_minutes_per_day"}, "max_spend_per_day"),
        ({"max_minutes_per_day", "max_spend_per_day"}, "max_jobs_per_day"),
    ],
)
def test_a_limit_that_was_set_is_told_from_a_default(defaults: set[str], guard: str) -> None:
    """Only those that somebody set are left."""
    limits = DayLimits(1, 2.0, 3.0, job_price=1.0, defaults=frozenset(defaults))
    limit = day_limit(limits.that_were_set())
    assert limit is not None
    assert limit.guard == guard
    everything = frozenset({"max_jobs_per_day", "max_minutes_per_day", "max_spend_per_day"})
    assert day_limit(DayLimits(1, 2.0, 3.0, defaults=everything).that_were_set()) is None


def test_money_that_is_just_enough_is_enough() -> None:
    """0.3 pays for three jobs of 0.1, whatever the machine makes of tenths."""
    limit = day_limit(DayLimits(max_spend=0.3, job_price=0.1))
    assert limit is not None
    assert limit.jobs == 3


@pytest.mark.parametrize(
    ("sent", "approved", "room"), [(0, 0, 10), (4, 0, 6), (10, 0, 0), (12, 0, 0), (12, 5, 3)]
)
def test_what_a_person_approved_does_not_count(sent: int, approved: int, room: int) -> None:
    """An approval of five makes room for these five, and for no more."""
    limit = day_limit(DayLimits(max_jobs=10))
    assert limit is not None
    assert room_today(limit, sent=sent, approved=approved) == room
