"""Whose is a call that the campaign has and no job of the ledger names? A judgement, not a doing.

A job without an ID may be the call's own, under the guards of a look-up: one call, one such job,
and a time at which its batch may have been carried out. A job that waits is not called again,
whoever made the call: better one call missed than two made. What is left is told to a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.core.call_job import PHONE_KNOWN, JobState
from syncd.core.call_policy import DEFAULT, CallPolicy
from syncd.core.look_up import CLOCK_MARGIN, REQUEST_LIFE

#: The campaign's calls are compared with the ledger so often, and so far back.
SWEEP_EVERY = timedelta(hours=1)
SWEEP_WINDOW = timedelta(hours=48)

#: Not sent, or surely not carried out when it was.
WAITING = frozenset({JobState.STAGED, JobState.HELD})
#: The ledger has a call of the job, or may have one.
CALLED = frozenset({JobState.ACCEPTED, JobState.CLOSED})


@dataclass(frozen=True, slots=True)
class Call:
    """A call at the vendor that no job names; `created_at` aware UTC, None where it is not told."""

    id: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PhoneJob:
    """A job to the phone that was called."""

    id: int
    sync: str
    state: JobState
    made_at: datetime  #: when the ledger got it
    reason: str | None = None
    generation: int = 1
    call_job_id: str | None = None
    batch_id: int | None = None
    first_sent_at: datetime | None = None  #: of its batch
    last_sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SortedOut:
    """What becomes of the calls to one phone, and of its jobs."""

    adopts: PhoneJob | None = None  #: a parked job whose call it surely is
    held_back: tuple[PhoneJob, ...] = ()  #: jobs that waited and are not called any more
    owner: PhoneJob | None = None  #: a job without a call of its own that keeps the one call's ID
    unknown: tuple[Call, ...] = ()
    second: bool = False  #: the unknown calls are beside one that a job of the ledger has


def sort_out(
    jobs: Sequence[PhoneJob],
    calls: Sequence[Call],
    *,
    policies: Mapping[str, CallPolicy],
    now: datetime,
) -> SortedOut:
    """Decide about the calls to one phone.

    Args:
        jobs: every job to the phone in the campaign.
        calls: at least one, and none that a job of the ledger has.
        policies: of the syncs that feed the campaign.
    """
    if any(job.state is JobState.SEALED for job in jobs):
        return SortedOut()  # its batch gets an answer, or is looked up: reconcile knows better
    only = calls[0] if len(calls) == 1 else None
    parked = [job for job in jobs if only is not None and _may_have_made(job, only)]
    if len(parked) == 1:
        return SortedOut(adopts=parked[0])
    held_back = tuple(
        job
        for job in jobs
        if job.state in WAITING
        and any(
            _keeps_back(call, job, jobs, policies.get(job.sync, DEFAULT), now) for call in calls
        )
    )
    lacking = held_back or tuple(job for job in jobs if _lacks_its_call(job))
    owner = lacking[0] if only is not None and len(lacking) == 1 else None
    unknown = () if owner is not None else tuple(calls)
    second = bool(unknown) and any(job.state in CALLED for job in jobs)
    return SortedOut(None, held_back, owner, unknown, second)


def _may_have_made(job: PhoneJob, call: Call) -> bool:
    """Whether the parked job's batch may have been carried out when the call was created."""
    if job.state is not JobState.PARKED or job.first_sent_at is None or job.last_sent_at is None:
        return False
    if call.created_at is None:
        return True
    begun, ended = job.first_sent_at - CLOCK_MARGIN, job.last_sent_at + REQUEST_LIFE + CLOCK_MARGIN
    return begun <= call.created_at <= ended


def _keeps_back(
    call: Call, job: PhoneJob, jobs: Sequence[PhoneJob], policy: CallPolicy, now: datetime
) -> bool:
    """Whether the call keeps a waiting job back: it may be its own, or the phone counts."""
    if job.generation > 1 and _is_after(call, job.made_at - CLOCK_MARGIN):
        return True  # it was sent before: what was taken for absent came late
    if not policy.per_phone or any(one.state in CALLED for one in jobs):
        return False
    return policy.again_after is None or _is_after(call, now - policy.again_after)


def _is_after(call: Call, at: datetime) -> bool:
    """A call without a time may be of any."""
    return call.created_at is None or call.created_at >= at


def _lacks_its_call(job: PhoneJob) -> bool:
    """A duplicate of a call that the vendor had from elsewhere, and whose ID nobody knows yet."""
    return job.state is JobState.DUPLICATE and job.reason != PHONE_KNOWN and job.call_job_id is None
