"""Withdrawing call jobs: at once where nothing was sent, by the vendor's answer where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from syncd.core.call_job import JobState
from syncd.ledger.mismatches import is_of_another_phone
from syncd.ledger.moves import By, write_journal
from syncd.ledger.schema import call_jobs, job_counts, leads
from syncd.ledger.sql import chunks
from syncd.ledger.store import Store
from syncd.ledger.withdrawals import UNSENT, end_unsent, open_jobs

_OPEN = (JobState.HELD, JobState.STAGED, JobState.SEALED, JobState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Cancellable:
    """A call job that has not ended, and what a cancel would have to do."""

    job_id: int
    sync: str
    campaign: str
    key: str
    state: JobState
    call_job_id: str | None
    mismatched: bool = (
        False  #: the report of that ID names another phone: it is not cancelled by it
    )


def cancellable(
    store: Store, *, key: str | None = None, phone: int | None = None, sync: str | None = None
) -> list[Cancellable]:
    """Open jobs of a key, a phone or a whole sync; all the given parts must hold."""
    assert key is not None or phone is not None or sync is not None, "cancel needs a filter"
    query = (
        select(
            call_jobs.c.id,
            call_jobs.c.sync,
            call_jobs.c.campaign,
            leads.c.key,
            call_jobs.c.state,
            call_jobs.c.call_job_id,
            is_of_another_phone(),
        )
        .join(leads, leads.c.id == call_jobs.c.lead_id)
        .where(call_jobs.c.state.in_(_OPEN))
        .order_by(call_jobs.c.id)
    )
    if key is not None:
        query = query.where(leads.c.sync.in_(select(job_counts.c.sync)), leads.c.key == key)
    if phone is not None:
        # Naming the campaigns lets the index of (campaign, phone) answer.
        named = call_jobs.c.campaign.in_(select(job_counts.c.campaign))
        query = query.where(named, call_jobs.c.phone == phone)
    if sync is not None:
        query = query.where(call_jobs.c.sync == sync)
    with store.read() as connection:
        return [
            Cancellable(row[0], row[1], row[2], row[3], JobState(row[4]), row[5], bool(row[6]))
            for row in connection.execute(query)
        ]


def cancel_unsent(store: Store, job_ids: Sequence[int], *, why: str, by: By) -> int:
    """End jobs that are still held or staged; one that was sealed meanwhile is left alone."""
    ended = 0
    with store.write("job.cancel_unsent") as connection:
        for some in chunks(job_ids):
            jobs = open_jobs(connection, some, UNSENT)
            end_unsent(connection, jobs, why=why, by=by)
            ended += len(jobs)
    return ended


def note_cancel(store: Store, job_ids: Sequence[int], *, why: str, by: By) -> None:
    """Keep in the journal that the vendor was asked to cancel; the report will close the jobs."""
    with store.write("job.note_cancel") as connection:
        write_journal(
            connection,
            "job",
            job_ids,
            old=JobState.ACCEPTED,
            new=JobState.ACCEPTED,
            why=why,
            by=by,
        )
