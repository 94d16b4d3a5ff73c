"""Parked jobs: nobody can tell what became of them, so a person decides, and the journal says who.

A parked job has the batch that it was sent in. Released, it is staged as a new generation under
another key; dropped, it ends; adopted, it has the call that a person names.
"""

from __future__ import annotations

from collections.abc import Mapping
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

    def release(self, job: ParkedJob, *, why: str, by: By) -> None:
        """Parked to staged: a person is sure that it was not called.

        Raises:
            Transient: it is not parked any more.
        """
        again = {
            "reason": None,
            "batch_id": None,
            "pen": None,
            "generation": call_jobs.c.generation + 1,
        }
        with self._store.write() as connection:
            _move(connection, job, JobState.STAGED, again, why=why, by=by)

    def drop(self, job: ParkedJob, *, why: str, by: By) -> None:
        """Parked to cancelled: a person gives it up; its phone is free again."""
        with self._store.write() as connection:
            _move(connection, job, JobState.CANCELLED, {"reason": why}, why=why, by=by)

    def adopt(
        self, job: ParkedJob, call_job_id: str, *, next_report_at: datetime, why: str, by: By
    ) -> bool:
        """Parked to accepted: a person says which call is its own; False: another job has it."""
        try:
            with self._store.write() as connection:
                values = {"reason": None, "call_job_id": call_job_id}
                _move(connection, job, JobState.ACCEPTED, values, why=why, by=by)
                connection.execute(
                    batches.update()
                    .where(batches.c.id == job.batch_id)
                    .values(open_jobs=batches.c.open_jobs + 1, next_report_at=to_ms(next_report_at))
                )
        except IntegrityError:
            return False
        return True


def _move(
    connection: Connection,
    job: ParkedJob,
    new: JobState,
    values: Mapping[str, object],
    *,
    why: str,
    by: By,
) -> None:
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
