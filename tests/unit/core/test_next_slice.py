"""Whether a job whose slice is over goes on, with how much, and from when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from syncd.core.next_slice import EndedSlice, Rest, rest_of

END = datetime(2026, 3, 9, tzinfo=UTC)
OWN_END = END + timedelta(days=30)
NOW = END + timedelta(hours=1)
EARLY = END - timedelta(days=2)
DAY_MIN = 1440


def ended(
    status: str,
    attempts: int | None,
    *,
    finished_at: datetime | None = END,
    own_end: datetime = OWN_END,
    now: datetime = NOW,
    **fields: int,
) -> Rest | None:
    body = orjson.dumps({"phone": "1", **fields}).decode()
    return rest_of(EndedSlice(status, attempts, finished_at, END, own_end, body), now)


def left(rest: Rest | None) -> int | None:
    assert rest is not None
    wanted: int | None = orjson.loads(rest.body).get("maxAttempts")
    return wanted


@pytest.mark.parametrize(
    "status",
    [
        "longCallWithResult",
        "longCallWithNoResult",
        "nonexistentNumber",
        "canceled",
        "cancelledByUser",
    ],
)
def test_what_has_an_end_goes_on_in_no_slice(status: str) -> None:
    """An answer, a number that does not exist, a cancel."""
    assert ended(status, 1, maxAttempts=5) is None


def test_what_nobody_was_called_for_goes_on_whole() -> None:
    """Whether the report counts no attempt or says nothing of them; from the next slice on."""
    assert left(ended("notDone", 0, maxAttempts=5)) == 5
    assert left(ended("notDone", None, maxAttempts=5)) == 5
    assert left(ended("notDone", 0, finished_at=EARLY)) is None
    rest = ended("notDone", 0, finished_at=EARLY, now=EARLY)
    assert rest is not None
    assert rest.since == END


def test_the_attempts_made_are_taken_off() -> None:
    """Also when the dialer ended it before its slice, as no hour was left for another attempt."""
    assert left(ended("noAnswer", 2, maxAttempts=5)) == 3
    assert left(ended("noAnswer", 4, finished_at=EARLY, maxAttempts=5)) == 1
    assert left(ended("notDone", 2, maxAttempts=5)) == 3
    assert ended("noAnswer", 5, finished_at=EARLY, maxAttempts=5) is None
    assert ended("noAnswer", None, maxAttempts=5) is None


def test_without_a_number_of_attempts_a_called_person_is_not_called_again() -> None:
    """Nobody knows how many the campaign makes: one too few is better than one too many."""
    assert ended("noAnswer", 1) is None
    assert ended("noAnswer", None) is None
    assert left(ended("noAnswer", 0)) is None


def test_another_end_counts_as_the_slices_only_when_it_came_with_it() -> None:
    """A technical error in the middle of a slice is the vendor's own end of the job."""
    assert left(ended("technicalError", 1, maxAttempts=5)) == 4
    assert ended("technicalError", 1, finished_at=EARLY, maxAttempts=5) is None
    assert ended("answeringMachine", 1, finished_at=None, maxAttempts=5) is None


def test_past_its_own_end_nothing_goes_on() -> None:
    """The job expires with it."""
    assert ended("notDone", 0, own_end=NOW) is None


def test_the_next_attempt_comes_as_late_as_the_job_asks_for() -> None:
    """Not before the next slice, nor sooner after the last call than the interval; a full hour."""
    late = END - timedelta(minutes=90)
    since = {
        interval: ended(
            "noAnswer", 1, finished_at=late, maxAttempts=5, retryIntervalInMinutes=interval
        )
        for interval in (30, DAY_MIN)
    }
    assert [rest and rest.since for rest in since.values()] == [END, END + timedelta(hours=23)]
    unknown = ended("notDone", 1, finished_at=None, maxAttempts=5, retryIntervalInMinutes=60)
    assert unknown is not None
    assert unknown.since == NOW + timedelta(hours=1)
