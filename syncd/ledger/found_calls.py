"""Calls that the vendor had from elsewhere, and the duplicates of ours that they belong to.

Such a job stays a duplicate. With the ID of its call, `explain` and `leads` tell the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, select

from syncd.core.call_job import JobState
from syncd.core.refused_batch import DUPLICATED
from syncd.core.report import JobReport
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By, write_journal
from syncd.ledger.report_owner import ReportedJob, owners_of
from syncd.ledger.reports import keep_reports
from syncd.ledger.schema import batches, call_jobs, has_to_find
from syncd.ledger.sql import Prepared
from syncd.ledger.store import Store

FOUND = "its call at the vendor was found by its phone"


_NEXT_TO_FIND = Prepared(
    lambda _: (
        select(batches.c.id)
        .where(batches.c.campaign == bindparam("of"), has_to_find)
        .order_by(batches.c.id)
        .limit(1)
    )
)


@dataclass(frozen=True, slots=True)
class ToFind:
    """A refused batch whose duplicates have calls that nobody looked for yet."""

    batch_id: int
    jobs: Mapping[int, ReportedJob] = field(repr=False)  #: by phone


class FoundCalls:
    """The verbs of looking for the calls of duplicates."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_to_find(self, campaign: str) -> ToFind | None:
        """The oldest batch with duplicates to look for."""
        with self._store.read() as connection:
            batch_id = _NEXT_TO_FIND(connection, of=campaign).scalar()
            if batch_id is None:
                return None
            rows = connection.execute(
                select(call_jobs.c.id, call_jobs.c.sync, call_jobs.c.phone).where(
                    call_jobs.c.batch_id == batch_id,
                    call_jobs.c.state == JobState.DUPLICATE,
                    call_jobs.c.reason == DUPLICATED,
                    call_jobs.c.call_job_id.is_(None),
                )
            )
            jobs = {
                row.phone: ReportedJob(row.id, row.sync, batch_id, JobState.DUPLICATE, row.phone)
                for row in rows
            }
        return ToFind(batch_id, jobs)

    def record_found(
        self, campaign: str, wanted: ToFind, found: Mapping[int, JobReport], *, by: By
    ) -> int:
        """Keep the one call that was found for each of these phones; how many were kept.

        A call that another job of ours has is left out. The batch is not looked at again.
        """
        with self._store.write("duplicate.record_found") as connection:
            check_lease(connection, by.lease)
            cleared = connection.execute(
                batches.update()
                .where(batches.c.id == wanted.batch_id, has_to_find)
                .values(to_find=None)
            ).rowcount
            if cleared != 1:
                return 0
            owners = owners_of(connection, campaign, list(found.values()))
            pairs = [
                (wanted.jobs[phone], report)
                for phone, report in found.items()
                if phone in wanted.jobs
                and report.call_job_id not in owners.jobs
                and report.call_job_id not in owners.mismatched
            ]
            return attach(connection, campaign, pairs, by)


def attach(
    connection: Connection,
    campaign: str,
    pairs: Sequence[tuple[ReportedJob, JobReport]],
    by: By,
) -> int:
    """Give duplicates without an ID that of their call, and keep its report; how many got one."""
    mine: dict[str, ReportedJob] = {}
    for job, report in pairs:
        kept = connection.execute(
            call_jobs.update()
            .where(
                call_jobs.c.id == job.id,
                call_jobs.c.state == JobState.DUPLICATE,
                call_jobs.c.call_job_id.is_(None),
            )
            .values(call_job_id=report.call_job_id)
        ).rowcount
        if kept:
            mine[report.call_job_id] = job
    told = {report.call_job_id: report for _, report in pairs if report.call_job_id in mine}
    keep_reports(connection, campaign, told, mine, by)
    if mine:
        same = JobState.DUPLICATE
        ids = [job.id for job in mine.values()]
        write_journal(connection, "job", ids, old=same, new=same, why=FOUND, by=by)
    return len(mine)
