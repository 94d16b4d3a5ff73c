"""Who may go again by a person's word, and who may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.core import retry
from syncd.core.call_job import PHONE_KNOWN, JobState
from syncd.core.erasure import ERASED, ERASED_PHONE
from syncd.core.retry import EndedJob, why_not, with_finish
from syncd.core.withdrawal import CALLED_ALREADY, FIRST_CALL_UNKNOWN, LEFT_SOURCE, SUPPRESSED

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PAST, LATER = NOW - timedelta(hours=1), NOW + timedelta(days=2)
JOB = EndedJob(
    id=1,
    key="a",
    phone=447700900000,
    campaign="welcome",
    state=JobState.REFUSED,
    reason="phone.bad.format",
    body='{"phone":"447700900000"}',
    finish_at=None,
    batch_id=7,
    is_newest=True,
    left_source=False,
    has_wish=False,
    has_call=False,
)
CANCELLED = replace(JOB, state=JobState.CANCELLED, reason="cancelled by a person", batch_id=None)


def judged(job: EndedJob, **more: Any) -> str | None:
    given = {"campaign": "welcome", "finish": None, "barred": False, "taken": False, **more}
    return why_not(job, now=NOW, **given)


def test_whoever_was_surely_not_called_goes_again() -> None:
    """Refused, cancelled before it was sent, or with an end that is still to come."""
    assert judged(JOB) is None
    assert judged(CANCELLED) is None
    assert judged(replace(JOB, finish_at=LATER)) is None


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (replace(JOB, phone=ERASED_PHONE), ERASED),
        (replace(CANCELLED, reason=ERASED), ERASED),
        (replace(JOB, is_newest=False), retry.NEWER_JOB),
        (replace(JOB, campaign="other"), retry.OTHER_CAMPAIGN),
        (replace(JOB, has_call=True), retry.MAY_BE_CALLED),
        (replace(CANCELLED, batch_id=7), retry.MAY_BE_CALLED),
        (replace(CANCELLED, reason=CALLED_ALREADY), retry.MAY_BE_CALLED),
        (replace(CANCELLED, reason=FIRST_CALL_UNKNOWN), retry.MAY_BE_CALLED),
        (replace(JOB, left_source=True), LEFT_SOURCE),
        (replace(JOB, has_wish=True), retry.WITHDRAWN),
        (replace(JOB, body="{}"), retry.PURGED),
        (replace(JOB, finish_at=PAST), retry.FINISH_PASSED),
    ],
)
def test_anybody_else_does_not(job: EndedJob, why: str) -> None:
    """Each with its reason."""
    assert judged(job) == why


def test_the_guards_of_a_new_lead_hold() -> None:
    """A do-not-call list, and one call a phone."""
    assert judged(JOB, barred=True) == SUPPRESSED
    assert judged(JOB, taken=True) == PHONE_KNOWN


def test_a_new_end_must_fit_the_beginning() -> None:
    """What was to begin later than it would end is left alone; everything else stays as it is."""
    job = replace(JOB, finish_at=PAST, body='{"phone":"1","startDateTime":"2026-03-01T09:00:00Z"}')
    assert judged(job, finish=LATER) is None
    assert judged(replace(JOB, finish_at=PAST), finish=LATER) is None
    late = replace(job, body='{"phone":"1","startDateTime":"2026-03-09T09:00:00+01:00"}')
    assert judged(late, finish=LATER) == retry.FINISH_PASSED
    told = with_finish('{"finishDateTime":"2026-03-02T08:00:00Z","payload":{"n":1}}', LATER)
    assert told == '{"finishDateTime":"2026-03-04T09:00:00Z","payload":{"n":1}}'
