"""Whether a job that ended without a call may go again, by a person's word: a judgement only.

What may have been called, or is in doubt, is never here: those states are not retried. Every guard
that holds for a new lead holds for a retry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from syncd.core.call_job import PHONE_KNOWN, JobState
from syncd.core.erasure import ERASED, ERASED_PHONE
from syncd.core.fields import FINISH, START
from syncd.core.withdrawal import CALLED_ALREADY, FIRST_CALL_UNKNOWN, LEFT_SOURCE, SUPPRESSED

#: Nobody was called: the vendor refused the content, or nothing was ever sent.
RETRYABLE: Final = (JobState.REFUSED, JobState.EXPIRED, JobState.CANCELLED)

#: Why a job does not go again.
NEWER_JOB: Final = "newer_job"  #: its lead has another job since
MAY_BE_CALLED: Final = "may_be_called"  #: nobody can say that it was surely not called
WITHDRAWN: Final = "withdrawn"  #: it was to be cancelled at the vendor
FINISH_PASSED: Final = "finish_passed"  #: its finishDateTime: it needs a new one
PURGED: Final = "purged"  #: its content is gone
OTHER_CAMPAIGN: Final = "other_campaign"  #: its sync feeds another campaign now

#: Why new content was given up: the old one was called, or nobody can know whether it was.
_MAY_BE_CALLED = (CALLED_ALREADY, FIRST_CALL_UNKNOWN)
_EMPTY = "{}"


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job that ended without a call, and what the ledger knows around it."""

    id: int
    key: str
    phone: int
    campaign: str
    state: JobState
    reason: str | None
    body: str
    finish_at: datetime | None  #: its own end, not that of a slice
    batch_id: int | None
    is_newest: bool  #: of its lead
    left_source: bool  #: its row is no longer in the source, and `on_withdrawn` cancels
    has_wish: bool  #: to be cancelled at the vendor
    has_call: bool  #: the campaign has a call to its phone that no job has
    sliced: bool = False  #: it goes from slice to slice


def why_not(
    job: EndedJob,
    *,
    campaign: str,
    now: datetime,
    finish: datetime | None,
    barred: bool,
    taken: bool,
) -> str | None:
    """Why the job does not go again, the weightiest reason first, or None: it may.

    Args:
        campaign: the one that its sync feeds.
        finish: the new end for jobs whose own has passed.
        barred: a do-not-call list has its phone or key.
        taken: its phone has a call that counts, or another job of this retry.
    """
    reasons = {
        ERASED: job.phone == ERASED_PHONE or job.reason == ERASED,
        NEWER_JOB: not job.is_newest,
        OTHER_CAMPAIGN: job.campaign != campaign,
        MAY_BE_CALLED: job.has_call or job.reason in _MAY_BE_CALLED or _may_be_sent(job),
        SUPPRESSED: barred,
        PHONE_KNOWN: taken,
        LEFT_SOURCE: job.left_source,
        WITHDRAWN: job.has_wish,
        PURGED: job.body == _EMPTY,
        FINISH_PASSED: _is_over(job, now) and (finish is None or not _fits(job, finish)),
    }
    return next((why for why, holds in reasons.items() if holds), None)


def _is_over(job: EndedJob, now: datetime) -> bool:
    return job.finish_at is not None and job.finish_at <= now


def _may_be_sent(job: EndedJob) -> bool:
    """A cancelled job that has a batch was parked, and given up by a person."""
    return job.state is JobState.CANCELLED and job.batch_id is not None


def _fits(job: EndedJob, finish: datetime) -> bool:
    start = orjson.loads(job.body).get(START)
    return start is None or datetime.fromisoformat(start) < finish


def with_finish(body: str, finish: datetime) -> str:
    """The JSON of the job with another `finishDateTime`; everything else stays as it is."""
    told = orjson.loads(body) | {FINISH: f"{finish:%Y-%m-%dT%H:%M:%SZ}"}
    return orjson.dumps(told).decode()
