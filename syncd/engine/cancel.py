"""Cancel: withdraw call jobs at a person's word; works beside a running daemon.

held, staged   end in the ledger, and nothing was ever sent
accepted       the vendor is asked to cancel by ID; the report of the call closes the job.
               Not where a report has shown that the ID is another phone's: it might end the call
               of somebody else
sealed         is being sent at this moment: nobody can say yet, so the person tries again
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncd.clock import Clock, to_ms
from syncd.core.call_job import JobState
from syncd.engine.asking import IDS_MAX, ask_by_ids
from syncd.engine.parts import Campaign
from syncd.errors import SyncdError
from syncd.ledger.cancel import Cancellable
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.observe.steps import named

ACTOR = "cli:cancel"
WHY_UNSENT = "cancelled by a person"
WHY_ASKED = "the vendor cancelled it at a person's word"
#: Jobs that end in one transaction: a daemon beside us waits no longer than that.
_UNSENT_MAX = 5_000


@dataclass(slots=True)
class Cancelled:
    """How many call jobs ended how."""

    unsent: int = 0  #: ended here; nothing was sent
    at_vendor: int = 0  #: the vendor cancelled them
    too_late: int = 0  #: the vendor did not: the call has ended, or the ID is not known
    being_sent: int = 0  #: in a batch that has no answer yet
    mismatched: int = 0  #: their IDs are other phones', as reports say: the vendor was not asked
    error: SyncdError | None = None  #: why the vendor could not be asked for the rest

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for was withdrawn."""
        left = self.too_late + self.being_sent + self.mismatched
        return self.error is None and not left


def run(
    jobs: Sequence[Cancellable],
    ledger: Ledger,
    clock: Clock,
    campaign_of: Callable[[str], Campaign],
) -> Cancelled:
    """Withdraw these jobs; what was done before an error stays done and is counted."""
    done = Cancelled(
        being_sent=sum(job.state is JobState.SEALED for job in jobs),
        mismatched=sum(job.mismatched for job in jobs),
    )
    unsent = [job.job_id for job in jobs if job.state in (JobState.HELD, JobState.STAGED)]
    for start in range(0, len(unsent), _UNSENT_MAX):
        some = unsent[start : start + _UNSENT_MAX]
        ended = ledger.cancel_unsent(some, why=WHY_UNSENT, by=_by(clock))
        done.unsent += ended
        # The others were put into a batch since we looked.
        done.being_sent += len(some) - ended
    accepted: dict[str, dict[str, int]] = {}
    for job in jobs:
        if job.state is JobState.ACCEPTED and job.call_job_id and not job.mismatched:
            accepted.setdefault(job.campaign, {})[job.call_job_id] = job.job_id
    for name, ids in accepted.items():
        try:
            _at_vendor(campaign_of(name), ids, ledger, clock, done)
        except SyncdError as error:
            done.error = error
    return done


def _at_vendor(
    campaign: Campaign, ids: dict[str, int], ledger: Ledger, clock: Clock, done: Cancelled
) -> None:
    listed = list(ids)
    for start in range(0, len(listed), IDS_MAX):
        some = listed[start : start + IDS_MAX]
        told = ask_by_ids(named("job.cancel", campaign.client.cancel), some)
        cancelled = [ids[one] for one in dict.fromkeys(told.found) if one in ids]
        if cancelled:
            ledger.note_cancel(cancelled, why=WHY_ASKED, by=_by(clock))
        done.at_vendor += len(cancelled)
        done.too_late += len(some) - len(cancelled)


def _by(clock: Clock) -> By:
    return By(ACTOR, to_ms(clock.now()))
