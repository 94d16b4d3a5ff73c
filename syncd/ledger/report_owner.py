"""Whose report is it: the ledger's call job behind each of the vendor's IDs.

An ID alone does not decide. IDs went to jobs by their position in an answer, and an answer in
another order would give every outcome to another lead: a report belongs to a job only when it names
that job's phone, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from syncd.core.call_job import JobState
from syncd.core.erasure import ERASED_PHONE
from syncd.core.report import JobReport, is_redial, phone_of
from syncd.ledger.schema import call_jobs, is_accepted
from syncd.ledger.schema_reports import reports
from syncd.ledger.sql import chunks


@dataclass(frozen=True, slots=True)
class ReportedJob:
    id: int
    sync: str
    batch_id: int | None
    state: JobState
    phone: int


@dataclass(slots=True)
class Owners:
    """Our job of each of the vendor's IDs. An ID that is in neither table is not ours."""

    jobs: dict[str, ReportedJob] = field(default_factory=dict)
    #: The job that holds the ID of each mismatch: the report names another phone than the job's.
    mismatched: dict[str, ReportedJob] = field(default_factory=dict)


_JOB = (
    call_jobs.c.id,
    call_jobs.c.sync,
    call_jobs.c.batch_id,
    call_jobs.c.state,
    call_jobs.c.phone,
)


def owners_of(connection: Connection, campaign: str, found: Sequence[JobReport]) -> Owners:
    """Our job for each report: by the open ID, by an earlier report, or (call-back) by phone.

    The jobs are locked (PostgreSQL), so that two processes with the same reports close each once.
    """
    holders = _holders(connection, campaign, [report.call_job_id for report in found])
    owners = Owners()
    unknown: list[JobReport] = []
    for report in found:
        held_by = holders.get(report.call_job_id)
        if held_by is None:
            unknown.append(report)
            continue
        if held_by[-1].phone == ERASED_PHONE:
            continue  # what was erased does not come back with a report
        phone = phone_of(report)
        mine = [job for job in held_by if phone in (None, job.phone)]
        if mine:
            owners.jobs[report.call_job_id] = mine[-1]
        else:
            owners.mismatched[report.call_job_id] = held_by[-1]
    _attach_redials(connection, campaign, unknown, owners.jobs)
    return owners


def _holders(
    connection: Connection, campaign: str, ids: Sequence[str]
) -> dict[str, list[ReportedJob]]:
    """The jobs that each ID stands with: of an earlier report, then the open one."""
    holders: dict[str, list[ReportedJob]] = {}
    for some in chunks(ids):
        by_report = (
            select(reports.c.call_job_id, *_JOB)
            .join(call_jobs, call_jobs.c.id == reports.c.job_id)
            .where(reports.c.campaign == campaign, reports.c.call_job_id.in_(some))
        )
        by_open_id = select(call_jobs.c.call_job_id, *_JOB).where(
            call_jobs.c.campaign == campaign,
            call_jobs.c.call_job_id.in_(some),
            is_accepted,
        )
        for query in (by_report, by_open_id):
            locked = query.order_by(call_jobs.c.id).with_for_update(of=call_jobs)
            for id_, *job in connection.execute(locked):
                holders.setdefault(id_, []).append(_reported(*job))
    return holders


def _attach_redials(
    connection: Connection,
    campaign: str,
    found: Sequence[JobReport],
    jobs: dict[str, ReportedJob],
) -> None:
    """Give call-backs that have no job yet the newest answered job of their phone."""
    redials: dict[int, list[str]] = {}
    for report in found:
        phone = phone_of(report)
        if is_redial(report) and phone is not None:
            redials.setdefault(phone, []).append(report.call_job_id)
    for phones in chunks(list(redials)):
        query = (
            select(*_JOB)
            .where(
                call_jobs.c.campaign == campaign,
                call_jobs.c.phone.in_(phones),
                call_jobs.c.state.in_((JobState.ACCEPTED, JobState.CLOSED)),
            )
            .order_by(call_jobs.c.id)
        )
        for row in connection.execute(query):
            job = _reported(*row)
            jobs |= dict.fromkeys(redials[job.phone], job)


def _reported(id_: int, sync: str, batch_id: int | None, state: str, phone: int) -> ReportedJob:
    return ReportedJob(id_, sync, batch_id, JobState(state), phone)
