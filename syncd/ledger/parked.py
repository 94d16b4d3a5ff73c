"""Parked jobs: nobody can tell what became of them, so a person decides, and the journal says who.

A parked job has the batch that it was sent in. Released, it is staged as a new generation under
another key; dropped, it ends; adopted, it has the call that a person names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from syncd.clock import to_ms
from syncd.core.call_job import JobState
from syncd.ledger.moves import By, move_jobs
from syncd.ledger.schema import batches, call_jobs, leads
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class ParkedJob:
    """A job that waits for a person, and why."""

    job_id: int
    sync: str
    campaign: str
    key: str
    phone: int
    reason: str | None
    batch_id: int | None


class Parked:
    """The verbs of a person's decision; each is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def jobs(self, *, job_id: int | None = None) -> list[ParkedJob]:
        """Every parked job, or this one, the oldest first."""
        query = (
            select(
                call_jobs.c.id,
                call_jobs.c.sync,
                call_jobs.c.campaign,
                leads.c.key,
                call_jobs.c.phone,
                call_jobs.c.reason,
                call_jobs.c.batch_id,
            )
            .join(leads, leads.c.id == call_jobs.c.lead_id)
            .where(call_jobs.c.state == JobState.PARKED)
            .order_by(call_jobs.c.id)
        )
        if job_id is not None:
            query = query.where(call_jobs.c.id == job_id)
        with self._store.read() as connection:
            return [ParkedJob(*row) for row in connection.execute(query)]

    def settle(self, job: ParkedJob, new: JobState, *, why: str, by: By) -> None:
        """Parked to staged: a person is sure that it was not called. Or to cancelled: given up.

        Raises:
            Transient: it is not parked any more.
        """
        values: dict[str, object] = {"reason": why}
        if new is JobState.STAGED:
            generation = call_jobs.c.generation + 1
            values = {"reason": None, "batch_id": None, "pen": None, "generation": generation}
        with self._store.write("parked.settle") as connection:
            move_jobs(
                connection,
                [(job.job_id, job.sync)],
                campaign=job.campaign,
                old=JobState.PARKED,
                new=new,
                why=why,
                by=by,
                values=values,
            )

    def adopt(
        self, job: ParkedJob, call_job_id: str, *, next_report_at: datetime, why: str, by: By
    ) -> bool:
        """Parked to accepted: a person says which call is its own; False: another job has it."""
        try:
            with self._store.write("parked.adopt") as connection:
                adopt_parked(
                    connection,
                    (job.job_id, job.sync),
                    call_job_id,
                    campaign=job.campaign,
                    batch_id=job.batch_id,
                    next_report_at=next_report_at,
                    why=why,
                    by=by,
                )
        except IntegrityError:
            return False
        return True


def adopt_parked(
    connection: Connection,
    job: tuple[int, str],
    call_job_id: str,
    *,
    campaign: str,
    batch_id: int | None,
    next_report_at: datetime,
    why: str,
    by: By,
) -> None:
    """Parked to accepted: this is the call of the job (ID, sync), and its outcome is asked for."""
    move_jobs(
        connection,
        [job],
        campaign=campaign,
        old=JobState.PARKED,
        new=JobState.ACCEPTED,
        why=why,
        by=by,
        values={"reason": None, "call_job_id": call_job_id},
    )
    connection.execute(
        batches.update()
        .where(batches.c.id == batch_id)
        .values(open_jobs=batches.c.open_jobs + 1, next_report_at=to_ms(next_report_at))
    )
