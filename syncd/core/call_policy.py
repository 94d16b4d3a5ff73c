"""What a sync says about calling one person more than once; the defaults call each phone once.

Pure: the ledger compares by it, in the transaction that stores what it decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from syncd.core.call_job import JobState
from syncd.core.withdrawal import CALLED_ALREADY, LEFT_SOURCE, SUPPRESSED


class OnChange(StrEnum):
    """What follows when the row of a known lead changes."""

    IGNORE = "ignore"
    CANCEL_AND_READD = "cancel_and_readd"
    CALL_AGAIN = "call_again"


class OnWithdrawn(StrEnum):
    """What follows when the row of a known lead is no longer in its source."""

    KEEP = "keep"
    CANCEL = "cancel"


class ChangeStep(StrEnum):
    """What a changed row does to the newest job of its lead."""

    KEEP = "keep"  #: nothing: the job stays as it is
    REPLACE = "replace"  #: it was not sent: it ends, and one with the new content takes its place
    ADD = "add"  #: it has ended: another one
    CANCEL = "cancel"  #: it is open at the vendor: cancelled there, and then another one
    RECORD = "record"  #: its call may still come: the change is kept as a duplicate of it


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """Which earlier calls keep a new one back (law 1), and what changes and lists do."""

    per_phone: bool = True  #: False: each lead is called, whatever its phone
    all_campaigns: bool = False  #: calls of other campaigns count too
    again_after: timedelta | None = None  #: so long an ended call counts; None: for ever
    on_change: OnChange = OnChange.IGNORE
    change_columns: tuple[str, ...] = ()  #: whose change counts; none: all that the mapping reads
    on_withdrawn: OnWithdrawn = OnWithdrawn.KEEP
    withdrawn_share_max: float = 0.2  #: of the open leads; more at once is no withdrawal
    lists: tuple[str, ...] = ()  #: do-not-call lists that hold for the sync


DEFAULT: Final = CallPolicy()

_OPEN = frozenset({JobState.SEALED, JobState.ACCEPTED})
#: Nobody was called yet: new content takes the place of the old, whatever the policy.
_NOT_MADE: Final = {
    JobState.HELD: ChangeStep.REPLACE,
    JobState.STAGED: ChangeStep.REPLACE,
    JobState.SEALED: ChangeStep.CANCEL,
    JobState.ACCEPTED: ChangeStep.CANCEL,
    JobState.REFUSED: ChangeStep.ADD,
    JobState.EXPIRED: ChangeStep.ADD,
    JobState.DUPLICATE: ChangeStep.ADD,
}
#: A job that ended in these ways was withdrawn by syncd, not by a person.
_WITHDRAWN = frozenset({SUPPRESSED, LEFT_SOURCE})


def decide_change(
    on_change: OnChange, state: JobState, reason: str | None, *, same_content: bool
) -> ChangeStep:
    """What a changed row means for its lead, whose newest job is in `state`.

    Args:
        same_content: what would be sent now is what the job has.
    """
    again = on_change is OnChange.CALL_AGAIN
    if on_change is OnChange.IGNORE or state is JobState.PARKED:
        return ChangeStep.KEEP
    if state in _OPEN and again:
        return ChangeStep.RECORD
    if state in _NOT_MADE:
        return ChangeStep.KEEP if same_content else _NOT_MADE[state]
    if state is JobState.CANCELLED:
        again = reason in _WITHDRAWN or (again and reason == CALLED_ALREADY)
    return ChangeStep.ADD if again else ChangeStep.KEEP
