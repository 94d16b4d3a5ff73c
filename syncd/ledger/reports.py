"""Job reports: what the vendor says of our calls, stored as it came.

A job closes only on a report that says so, and that names its phone. A report that names another
phone than the job with its ID is kept apart, with no job. Reports of calls whose phone the ledger
does not know are not ours and are not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from syncd.clock import from_ms, to_ms
from syncd.core.call_job import JobState
from syncd.core.report import JobReport, is_open, is_redial, phone_of
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By, move_jobs
from syncd.ledger.report_cells import count_cell, time_cell
from syncd.ledger.report_owner import Owners, ReportedJob, owners_of
from syncd.ledger.schema import (
    batches,
    call_jobs,
    campaigns,
    has_open_jobs,
    is_accepted,
)
from syncd.ledger.schema_reports import reports
from syncd.ledger.sql import chunks, json_text, upsert
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class BatchDue:
    """A batch with open jobs whose time to be asked for has come."""

    id: int
    sent_at: datetime


@dataclass(slots=True)
class ReportCounts:
    """What became of some reports."""

    stored: int = 0
    closed: int = 0
    foreign: int = 0  #: of calls that the ledger does not know
    #: Our jobs whose ID has a report, new to us, that names another phone.
    mismatched: tuple[int, ...] = ()


def batches_due(store: Store, campaign: str, *, now: datetime, limit: int) -> list[BatchDue]:
    """Batches with open jobs that are due, the longest waiting first."""
    with store.read() as connection:
        rows = connection.execute(
            select(batches.c.id, batches.c.first_sent_at)
            .where(
                batches.c.campaign == campaign,
                has_open_jobs,
                batches.c.next_report_at <= to_ms(now),
            )
            .order_by(batches.c.next_report_at)
            .limit(limit)
        ).all()
    return [BatchDue(row[0], from_ms(row[1])) for row in rows]


def open_call_job_ids(store: Store, batch_id: int) -> list[str]:
    """The vendor's IDs of a batch's jobs that have not ended."""
    with store.read() as connection:
        rows = connection.execute(
            select(call_jobs.c.call_job_id)
            .where(call_jobs.c.batch_id == batch_id, is_accepted)
            .order_by(call_jobs.c.id)
        )
        return [row[0] for row in rows]


def batch_asked(store: Store, batch_id: int, *, next_report_at: datetime) -> None:
    """Every open job of the batch was asked for; not again before `next_report_at`."""
    with store.write("batch.note_asked") as connection:
        connection.execute(
            batches.update()
            .where(batches.c.id == batch_id)
            .values(next_report_at=to_ms(next_report_at))
        )


def store_reports(
    store: Store, campaign: str, found: Sequence[JobReport], *, by: By
) -> ReportCounts:
    """Keep job reports, and close the jobs that they end."""
    counts = ReportCounts()
    newest = {report.call_job_id: report for report in found}
    with store.write("reports.store") as connection:
        check_lease(connection, by.lease)
        owners = owners_of(connection, campaign, list(newest.values()))
        jobs = owners.jobs
        ours = {id_: report for id_, report in newest.items() if id_ in jobs}
        counts.foreign = len(newest) - len(ours) - len(owners.mismatched)
        changed = _changed(connection, campaign, newest, owners)
        counts.stored = len(changed.keys() & ours.keys())
        counts.mismatched = tuple(
            owners.mismatched[id_].id for id_ in changed if id_ in owners.mismatched
        )
        keep_reports(connection, campaign, changed, jobs, by)
        # By job: one that two IDs speak of ends once.
        ended = {
            jobs[id_].id: (jobs[id_], report)
            for id_, report in ours.items()
            if jobs[id_].state is JobState.ACCEPTED
            and not is_open(report)
            and not is_redial(report)
        }
        _close(connection, campaign, list(ended.values()), by)
        counts.closed = len(ended)
    return counts


def _changed(
    connection: Connection, campaign: str, found: Mapping[str, JobReport], owners: Owners
) -> dict[str, JobReport]:
    """Reports that say something new: the last hour is walked again at each pull."""
    known = [id_ for id_ in found if id_ in owners.jobs or id_ in owners.mismatched]
    kept: dict[str, tuple[str, int | None]] = {}
    for some in chunks(known):
        kept |= {
            row[0]: (row[1], row[2])
            for row in connection.execute(
                select(reports.c.call_job_id, reports.c.raw, reports.c.job_id).where(
                    reports.c.campaign == campaign, reports.c.call_job_id.in_(some)
                )
            )
        }
    told = {
        id_: (json_text(found[id_].raw), owners.jobs[id_].id if id_ in owners.jobs else None)
        for id_ in known
    }
    return {id_: found[id_] for id_ in known if kept.get(id_) != told[id_]}


def keep_reports(
    connection: Connection,
    campaign: str,
    found: Mapping[str, JobReport],
    jobs: Mapping[str, ReportedJob],
    by: By,
) -> None:
    """Store reports with their jobs; those that are not in `jobs` with none."""
    statement = upsert(connection.dialect.name, reports)
    kept = ("campaign", "call_job_id", "attempts_asked")
    fresh = {
        column.name: statement.excluded[column.name]
        for column in reports.columns
        if column.name not in kept
    }
    key = ["campaign", "call_job_id"]
    ours = _rows(campaign, {id_: one for id_, one in found.items() if id_ in jobs}, jobs, by)
    if ours:
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=fresh), ours)
    apart = _rows(campaign, {id_: one for id_, one in found.items() if id_ not in jobs}, jobs, by)
    if apart:
        # What was once told of a job of ours stays: a contradiction proves nothing against it.
        only_apart = statement.on_conflict_do_update(
            index_elements=key, set_=fresh, where=reports.c.job_id.is_(None)
        )
        # Without a count nobody asks for the attempts of another person's call.
        connection.execute(only_apart, [{**row, "attempts_count": None} for row in apart])


def _rows(
    campaign: str, found: Mapping[str, JobReport], jobs: Mapping[str, ReportedJob], by: By
) -> list[dict[str, object]]:
    return [
        {
            "campaign": campaign,
            "call_job_id": id_,
            "job_id": jobs[id_].id if id_ in jobs else None,
            "phone": phone_of(report),
            "redial_number": count_cell(report.redial_number),
            "job_status": report.job_status or "unknown",
            "call_result": report.call_result,
            "tag_name": report.tag_name,
            "attempts_count": count_cell(report.attempts_count),
            "attempts_asked": 0,
            "call_duration_s": report.call_duration,
            "started_at": time_cell(report.started_at),
            "finished_at": time_cell(report.finished_at),
            "raw": json_text(report.raw),
            "stored_at": by.at_ms,
        }
        for id_, report in found.items()
    ]


def mismatched(store: Store, campaign: str) -> int:
    """How many accepted jobs have an ID whose report names another phone than theirs."""
    held = (call_jobs.c.campaign == reports.c.campaign) & (
        call_jobs.c.call_job_id == reports.c.call_job_id
    )
    with store.read() as connection:
        return connection.execute(
            select(func.count())
            .select_from(reports)
            .join(call_jobs, held)
            .where(reports.c.campaign == campaign, reports.c.job_id.is_(None), is_accepted)
        ).scalar_one()


def _close(
    connection: Connection, campaign: str, ended: Sequence[tuple[ReportedJob, JobReport]], by: By
) -> None:
    per_status: dict[str, list[ReportedJob]] = {}
    for job, report in ended:
        per_status.setdefault(report.job_status or "unknown", []).append(job)
    for status, jobs in per_status.items():
        move_jobs(
            connection,
            [(job.id, job.sync) for job in jobs],
            campaign=campaign,
            old=JobState.ACCEPTED,
            new=JobState.CLOSED,
            why=status,
            by=by,
            values={"reason": status},
        )
    for batch_id, n in Counter(job.batch_id for job, _ in ended).items():
        connection.execute(
            update(batches)
            .where(batches.c.id == batch_id)
            .values(open_jobs=batches.c.open_jobs - n)
        )


def walked_to(store: Store, campaign: str) -> datetime | None:
    """Up to which `finishedAt` the campaign's reports were walked by date."""
    with store.read() as connection:
        ms = connection.execute(
            select(campaigns.c.reports_walked_to).where(campaigns.c.name == campaign)
        ).scalar()
    return None if ms is None else from_ms(ms)


def first_open_at(store: Store, campaign: str) -> datetime | None:
    """When the oldest batch that still has open jobs was first sent."""
    with store.read() as connection:
        ms = connection.execute(
            select(func.min(batches.c.first_sent_at)).where(
                batches.c.campaign == campaign, has_open_jobs
            )
        ).scalar()
    return None if ms is None else from_ms(ms)


def set_walked_to(store: Store, campaign: str, at: datetime) -> None:
    """Keep how far the reports were walked."""
    with store.write("reports.set_walked_to") as connection:
        statement = upsert(connection.dialect.name, campaigns).values(
            name=campaign, reports_walked_to=to_ms(at)
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["name"], set_={"reports_walked_to": to_ms(at)}
            )
        )
