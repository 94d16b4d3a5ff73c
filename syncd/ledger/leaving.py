"""Leads whose rows are no longer in their source: found after a whole reading, in one look.

Nothing is written for the rows that are still there, however many they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import select

from syncd.core.call_job import JobState
from syncd.ledger.schema import call_jobs, leads
from syncd.ledger.schema_guards import cancellations
from syncd.ledger.store import Store
from syncd.ledger.withdrawals import WITHDRAWABLE

_STREAM_ROWS = 1_000


@dataclass(slots=True)
class Leaving:
    """Leads with an open call: how many, and which of them a whole reading did not show."""

    open: int = 0
    lead_ids: list[int] = field(default_factory=list)
    job_ids: list[int] = field(default_factory=list)


def leaving(
    store: Store, sync: str, campaign: str, seen: Callable[[int], bool], *, pass_id: int
) -> Leaving:
    """Leads of the sync with a job that may still become a call; those not seen are named.

    Args:
        seen: whether the reading showed the lead of this ID.
        pass_id: of the reading: its own new leads were seen.
    """
    found = Leaving()
    wished = (
        select(cancellations.c.job_id)
        .where(cancellations.c.job_id == call_jobs.c.id, cancellations.c.add_again.is_(False))
        .exists()
    )
    query = (
        select(call_jobs.c.lead_id, call_jobs.c.id, leads.c.pass_id)
        .join(leads, leads.c.id == call_jobs.c.lead_id)
        .where(
            call_jobs.c.sync == sync,
            call_jobs.c.campaign == campaign,
            call_jobs.c.state.in_([state for state in WITHDRAWABLE if state != JobState.PARKED]),
            ~wished,
        )
        .order_by(call_jobs.c.lead_id)
    )
    last = 0
    with store.read() as connection:
        rows = connection.execution_options(yield_per=_STREAM_ROWS).execute(query)
        for lead_id, job_id, made_in in rows:
            found.open += lead_id != last
            if made_in != pass_id and not seen(lead_id):
                found.job_ids.append(job_id)
                if lead_id != last:
                    found.lead_ids.append(lead_id)
            last = lead_id
    return found
