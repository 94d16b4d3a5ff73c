"""States of a call job and of a batch, and every move between them.

The picture is in docs/explain/states.md, the ledger holds the same words as CHECKs, and a test
compares the three. Nothing here touches a store: the ledger makes each move a guarded UPDATE.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class JobState(StrEnum):
    """Where one intention to call one lead once stands."""

    HELD = "held"  #: waits for a person or a change (no zone, …); nothing is sent
    STAGED = "staged"  #: ready to be put into a batch
    SEALED = "sealed"  #: in a batch whose body can no longer change
    ACCEPTED = "accepted"  #: the vendor gave it a call job ID
    CLOSED = "closed"  #: the vendor reported its end
    REFUSED = "refused"  #: the vendor refused this content; nothing was created
    DUPLICATE = "duplicate"  #: the phone already has a call in this campaign
    PARKED = "parked"  #: only a person can say what to do; its reason tells which of two causes
    EXPIRED = "expired"  #: its finishDateTime passed before it could be sent
    CANCELLED = "cancelled"  #: withdrawn before it was sent


class BatchState(StrEnum):
    """Where the call jobs of one request stand together."""

    SEALED = "sealed"  #: body and key are fixed; no byte has left
    SENT = "sent"  #: a sending was begun; without an answer this is the doubt
    ANSWERED = "answered"  #: the vendor's IDs are stored
    REFUSED = "refused"  #: surely nothing of it was created
    PARKED = "parked"  #: nobody can tell what was created: a person decides


#: Each state and the states it may be left for. The empty string is "does not exist yet".
TRANSITIONS: Mapping[str, frozenset[JobState]] = {
    # Cancelled at once: it is on a do-not-call list.
    "": frozenset({JobState.STAGED, JobState.HELD, JobState.DUPLICATE, JobState.CANCELLED}),
    JobState.HELD: frozenset({JobState.STAGED, JobState.CANCELLED, JobState.DUPLICATE}),
    JobState.STAGED: frozenset(
        {
            JobState.SEALED,
            JobState.HELD,
            JobState.DUPLICATE,  # a call to it was found that the ledger had lost
            JobState.EXPIRED,
            JobState.CANCELLED,
        }
    ),
    JobState.SEALED: frozenset(
        {
            JobState.ACCEPTED,
            JobState.REFUSED,
            JobState.DUPLICATE,
            JobState.PARKED,
            JobState.STAGED,  # surely nothing was created by the batch: a new generation
            JobState.HELD,  # as above, but it has to wait: its hours, its campaign
        }
    ),
    JobState.ACCEPTED: frozenset({JobState.CLOSED}),
    JobState.CLOSED: frozenset(),
    # Nobody was called, so a person may let it go again; a tripwire may hold that.
    JobState.REFUSED: frozenset({JobState.STAGED, JobState.HELD}),
    JobState.DUPLICATE: frozenset(),
    JobState.PARKED: frozenset({JobState.STAGED, JobState.CANCELLED, JobState.ACCEPTED}),
    JobState.EXPIRED: frozenset({JobState.STAGED, JobState.HELD}),
    JobState.CANCELLED: frozenset({JobState.STAGED, JobState.HELD}),
}

BATCH_TRANSITIONS: Mapping[BatchState, frozenset[BatchState]] = {
    BatchState.SEALED: frozenset({BatchState.SENT}),
    BatchState.SENT: frozenset({BatchState.ANSWERED, BatchState.REFUSED, BatchState.PARKED}),
    BatchState.ANSWERED: frozenset(),
    BatchState.REFUSED: frozenset(),
    BatchState.PARKED: frozenset(),
}

#: States in which a phone counts as called (or about to be) in its campaign: law 1. A held job
#: takes no phone: it is compared with the others when it is released.
PHONE_TAKEN = frozenset(
    {
        JobState.STAGED,
        JobState.SEALED,
        JobState.ACCEPTED,
        JobState.CLOSED,
        JobState.PARKED,
    }
)


#: Why a job is a duplicate: another job of this ledger has the phone. Any other reason means that
#: the vendor knows a call to it that this ledger does not: then the phone is taken as well.
PHONE_KNOWN = "phone_known"
#: Why a job is parked: the vendor answered with an ID that another open job has, so nobody can know
#: whether this one was called. A reason that is neither this nor `NOT_IN_REPORTS` is a refusal of
#: its batch: then nobody was.
ID_OF_ANOTHER_JOB = "id_of_another_job"

#: Why a job is parked: its batch was in doubt, and when its key's life was over the reports showed
#: no call that is surely its own, or several. Or the answer had other IDs than jobs, one of them
#: has no report after the settle time, and no report is its own.
NOT_IN_REPORTS = "not_in_reports"

#: Why a job is a duplicate: `syncd recover` found a call to its phone that this ledger had lost.
CALLED_BEFORE = "called_before"

#: Why a job is held: its slice of days is over before it was sent; it gets its next slice.
SLICE_OVER = "slice_over"

#: Why a job is held: a cap of calls to one person has no room for it yet.
CALL_CAP = "call_cap"

#: Why a job was made: the slice of the one before it is over, and its call is not.
NEXT_SLICE = "next_slice"

#: Why an accepted job is doubted: the report of its ID names another phone. Nobody can know which
#: call is whose, so the report closes nothing.
REPORT_OF_ANOTHER_PHONE = "report_of_another_phone"


def check_move(old: JobState | str, new: JobState) -> None:
    """Assert that the picture has an arrow from `old` to `new`; a wrong move is a bug."""
    assert new in TRANSITIONS[old], f"no arrow from {old!s} to {new!s}"
