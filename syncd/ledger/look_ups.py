"""What a look into the reports changes: a batch in doubt is adopted, staged again or parked.

Every move has the guard of the claim: `WHERE id AND epoch AND state = sent`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from syncd.clock import to_ms
from syncd.core.call_job import NOT_IN_REPORTS, BatchState, JobState
from syncd.ledger.answers import Matched
from syncd.ledger.claims import CLOCK_SET_BACK
from syncd.ledger.moves import By, batch_moved, move_jobs
from syncd.ledger.outbox import ClaimedBatch, batch_jobs
from syncd.ledger.schema import batches, call_jobs, is_accepted
from syncd.ledger.schema_reports import reports
from syncd.ledger.sql import chunks
from syncd.ledger.store import Store

#: Why a batch ends whose calls are surely not there.
ABSENT = "surely_absent"


def used_ids(connection: Connection, campaign: str, ids: Sequence[str]) -> set[str]:
    """Which of these IDs jobs of the ledger have, by their open ID or by a report."""
    used: set[str] = set()
    for some in chunks(ids):
        accepted = select(call_jobs.c.call_job_id).where(
            call_jobs.c.campaign == campaign, is_accepted, call_jobs.c.call_job_id.in_(some)
        )
        reported = select(reports.c.call_job_id).where(
            reports.c.campaign == campaign,
            reports.c.call_job_id.in_(some),
            reports.c.job_id.is_not(None),
        )
        for query in (accepted, reported):
            used |= {row[0] for row in connection.execute(query)}
    return used


class LookUps:
    """The verbs of a look; each is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def sealed_phones(self, batch_id: int) -> list[int]:
        """The phones of a batch's jobs that wait for an answer."""
        with self._store.read() as connection:
            return [phone for _, _, phone, _ in batch_jobs(connection, batch_id)]

    def used_call_job_ids(self, campaign: str, ids: Sequence[str]) -> set[str]:
        """Which of these IDs are those of jobs of this ledger: one call is never two jobs."""
        with self._store.read() as connection:
            return used_ids(connection, campaign, ids)

    def note_look(
        self,
        batch: ClaimedBatch,
        *,
        now: datetime,
        settled: bool,
        next_at: datetime,
        clock_doubted: bool,
    ) -> None:
        """Keep that its calls were looked for in vain, and give the claim back."""
        values: dict[str, Any] = {
            "looked_at": to_ms(now),
            "next_at": to_ms(next_at),
            "leased_until": None,
        }
        if settled:
            values["absent_at"] = func.coalesce(batches.c.absent_at, to_ms(now))
        if clock_doubted:
            values["outcome"] = CLOCK_SET_BACK
        with self._store.write("batch.look_again") as connection:
            _move(connection, batch, values)

    def record_absent(self, batch: ClaimedBatch, *, by: By) -> bool:
        """Surely nothing was created: its jobs are staged again, as a new generation."""
        with self._store.write("batch.record_absent") as connection:
            ended = {
                "state": BatchState.REFUSED,
                "outcome": ABSENT,
                "body": None,
                "leased_until": None,
            }
            if not _move(connection, batch, ended):
                return False
            batch_moved(
                connection, batch.id, BatchState.SENT, BatchState.REFUSED, why=ABSENT, by=by
            )
            again = {"reason": None, "batch_id": None, "generation": call_jobs.c.generation + 1}
            jobs = [(job, sync) for job, sync, _, _ in batch_jobs(connection, batch.id)]
            move_jobs(
                connection,
                jobs,
                campaign=batch.campaign,
                old=JobState.SEALED,
                new=JobState.STAGED,
                why=f"batch {batch.id}: {ABSENT}",
                by=by,
                values=again,
            )
        return True

    def adopt(
        self,
        batch: ClaimedBatch,
        found: Mapping[int, str],
        *,
        next_report_at: datetime,
        by: By,
    ) -> Matched:
        """Give the calls that were found to their jobs, and park the others.

        Args:
            found: phone to call job ID.
        """
        state = BatchState.ANSWERED if found else BatchState.PARKED
        with self._store.write("batch.adopt") as connection:
            values = {
                "state": state,
                "outcome": f"looked_up: {len(found)} of {batch.size}",
                "body": None,
                "leased_until": None,
                "next_at": None,
                "open_jobs": len(found),
                "next_report_at": to_ms(next_report_at),
            }
            if not _move(connection, batch, values):
                return Matched()
            why = f"{len(found)} of {batch.size} calls found in the reports"
            batch_moved(connection, batch.id, BatchState.SENT, state, why=why, by=by)
            jobs = batch_jobs(connection, batch.id)
            for job, sync, phone, _ in jobs:
                if phone in found:
                    _accept(connection, batch, (job, sync), found[phone], by)
            lost = [(job, sync) for job, sync, phone, _ in jobs if phone not in found]
            move_jobs(
                connection,
                lost,
                campaign=batch.campaign,
                old=JobState.SEALED,
                new=JobState.PARKED,
                why=NOT_IN_REPORTS,
                by=by,
                values={"reason": NOT_IN_REPORTS},
            )
        return Matched(accepted=len(jobs) - len(lost), parked=len(lost))


def _accept(
    connection: Connection, batch: ClaimedBatch, job: tuple[int, str], call_job_id: str, by: By
) -> None:
    move_jobs(
        connection,
        [job],
        campaign=batch.campaign,
        old=JobState.SEALED,
        new=JobState.ACCEPTED,
        why="found in the reports by its phone",
        by=by,
        values={"call_job_id": call_job_id},
    )


def _move(connection: Connection, batch: ClaimedBatch, values: Mapping[str, Any]) -> bool:
    """The guarded UPDATE of every verb here; False: the claim was overtaken."""
    moved = connection.execute(
        batches.update()
        .where(
            batches.c.id == batch.id,
            batches.c.epoch == batch.epoch,
            batches.c.state == BatchState.SENT,
        )
        .values(**values)
    ).rowcount
    return moved == 1
