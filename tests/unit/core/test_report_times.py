"""When open calls are asked for again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.report_times import INTERVAL_MAX, next_report_at

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def wait(age: timedelta, every: timedelta = MINUTE) -> timedelta:
    """How long until calls of that age are asked for again."""
    return next_report_at(NOW, sent_at=NOW - age, every=every) - NOW


def test_a_fresh_call_is_asked_for_at_the_interval() -> None:
    """A new call waits `report_every`, no less."""
    assert wait(timedelta()) == MINUTE
    assert wait(4 * MINUTE) == MINUTE


def test_an_old_call_is_asked_for_rarely() -> None:
    """A quarter of the age, six hours at most."""
    assert wait(HOUR) == 15 * MINUTE
    assert wait(24 * HOUR) == INTERVAL_MAX
    assert wait(9_999 * HOUR) == INTERVAL_MAX


def test_a_longer_interval_of_the_campaign_stays() -> None:
    """Who wants reports once a day gets them once a day."""
    assert wait(timedelta(), 24 * HOUR) == 24 * HOUR
    assert wait(9_999 * HOUR, 24 * HOUR) == 24 * HOUR


@given(st.timedeltas(-HOUR, timedelta(days=900)), st.timedeltas(MINUTE, timedelta(days=7)))
def test_it_is_never_sooner_than_the_interval(age: timedelta, every: timedelta) -> None:
    """Also when the clock was set back: the wait is between the interval and its bound."""
    assert every <= wait(age, every) <= max(every, INTERVAL_MAX)
