"""The judgement of a look into the reports: adopt, wait, surely absent, or unclear."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.core.look_up import (
    LOOK_AGAIN,
    LOOK_EVERY,
    SETTLE,
    Look,
    LookedUp,
    Verdict,
    compare,
    judge,
    next_look_at,
    range_of,
)
from syncd.core.report import JobReport

SENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SETTLED = SENT + SETTLE
BATCH = LookedUp(last_sent_at=SENT, absent_at=None, trusted=True)
LOOKED = LookedUp(last_sent_at=SENT, absent_at=SETTLED, trusted=True)


def call(call_job_id: str, phone: str | None, redial: int | None = None) -> JobReport:
    return JobReport(call_job_id=call_job_id, phone=phone, redial_number=redial)


def test_each_phone_gets_its_one_call() -> None:
    """Other phones, call-backs, and calls of other jobs are nobody's here."""
    reports = [
        call("1", "447700900001"),
        call("2", "447700900002", redial=1),
        call("3", "447700900003"),
        call("4", "447700900009"),
        call("5", None),
    ]
    look = compare([447700900001, 447700900002, 447700900003], reports, used={"3"})
    assert look == Look(3, {447700900001: "1"}, frozenset())


def test_two_calls_to_a_phone_are_several() -> None:
    """The same call twice is one."""
    reports = [call("1", "447700900001"), call("1", "447700900001"), call("2", "447700900001")]
    assert compare([447700900001], reports[:2], used=set()).found == {447700900001: "1"}
    look = compare([447700900001], reports, used=set())
    assert (look.found, look.several) == ({}, frozenset({447700900001}))


def test_all_found_is_adopted_at_once() -> None:
    """Nothing has to settle when every job has its call."""
    assert judge(Look(1, {1: "a"}), BATCH, now=SENT) is Verdict.ADOPT


@pytest.mark.parametrize(
    ("batch", "after", "verdict"),
    [
        (BATCH, SETTLE - timedelta(seconds=1), Verdict.WAIT),
        (BATCH, SETTLE, Verdict.WAIT),
        (LOOKED, SETTLE + LOOK_AGAIN - timedelta(seconds=1), Verdict.WAIT),
        (LOOKED, SETTLE + LOOK_AGAIN, Verdict.ABSENT),
    ],
)
def test_absence_takes_two_looks_after_the_settle_time(
    batch: LookedUp, after: timedelta, verdict: Verdict
) -> None:
    """Not a second sooner."""
    assert judge(Look(2), batch, now=SENT + after) is verdict


@pytest.mark.parametrize(
    ("look", "trusted"),
    [
        (Look(2, {1: "a"}), True),
        (Look(2, {}, frozenset({1})), True),
        (Look(2), False),
    ],
)
def test_anything_else_is_unclear(look: Look, trusted: bool) -> None:
    """Some found, several of one, or a place or clock that cannot be trusted."""
    batch = LookedUp(last_sent_at=SENT, absent_at=SETTLED, trusted=trusted)
    assert judge(look, batch, now=SETTLED + LOOK_AGAIN) is Verdict.UNCLEAR


def test_the_next_look_is_never_later_than_the_settle_time() -> None:
    """Every half hour until then, and the second look ten minutes after the first."""
    assert next_look_at(BATCH, now=SENT) == SENT + LOOK_EVERY
    assert next_look_at(BATCH, now=SETTLED - timedelta(minutes=1)) == SETTLED
    assert next_look_at(BATCH, now=SETTLED) == SETTLED + LOOK_AGAIN


@pytest.mark.parametrize(
    ("settle", "after", "hours"),
    [
        (SETTLE, timedelta(days=1), (-1, 4)),
        (timedelta(hours=6), timedelta(days=1), (-1, 8)),
        (timedelta(minutes=10), timedelta(days=1), (-1, 4)),
        (SETTLE, timedelta(hours=2), (-1, 3)),
        (SETTLE, timedelta(hours=-3), (-4, 3)),
    ],
)
def test_a_look_asks_for_an_hour_more_than_a_request_may_live(
    settle: timedelta, after: timedelta, hours: tuple[int, int]
) -> None:
    """Sent at 0 h and at 2 h. A longer settle time is a longer life; a clock may be set back."""
    last = SENT + timedelta(hours=2)
    since, until = (SENT + timedelta(hours=hour) for hour in hours)
    assert range_of(SENT, last, now=SENT + after, settle=settle) == (since, until)
