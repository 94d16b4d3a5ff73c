"""Whose report is it: the ledger's call job behind each of the vendor's IDs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from syncd.core.call_job import JobState
from syncd.core.report import JobReport, is_redial, phone_of
from syncd.ledger.schema import call_jobs, is_accepted, reports
from syncd.ledger.sql import chunks


@dataclass(frozen=True, slots=True)
class ReportedJob:
    id: int
    sync: str
    batch_id: int | None
    state: JobState


def jobs_of(
    connection: Connection, campaign: str, found: Sequence[JobReport]
) -> dict[str, ReportedJob]:
    """Our job for each vendor ID: by the open ID, by an earlier report, or (call-back) by phone.

    The jobs are locked (PostgreSQL), so that two processes with the same reports close each once.
    """
    columns = (call_jobs.c.id, call_jobs.c.sync, call_jobs.c.batch_id, call_jobs.c.state)
    jobs: dict[str, ReportedJob] = {}
    for some in chunks([report.call_job_id for report in found]):
        by_open_id = select(call_jobs.c.call_job_id, *columns).where(
            call_jobs.c.campaign == campaign,
            call_jobs.c.call_job_id.in_(some),
            is_accepted,
        )
        by_report = (
            select(reports.c.call_job_id, *columns)
            .join(call_jobs, call_jobs.c.id == reports.c.job_id)
            .where(reports.c.campaign == campaign, reports.c.call_job_id.in_(some))
        )
        for query in (by_report, by_open_id):
            locked = query.order_by(call_jobs.c.id).with_for_update(of=call_jobs)
            for id_, job, sync, batch, state in connection.execute(locked):
                jobs[id_] = ReportedJob(job, sync, batch, JobState(state))
    _attach_redials(connection, campaign, found, jobs)
    return jobs


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
        if is_redial(report) and report.call_job_id not in jobs and phone is not None:
            redials.setdefault(phone, []).append(report.call_job_id)
    for phones in chunks(list(redials)):
        query = (
            select(
                call_jobs.c.phone,
                call_jobs.c.id,
                call_jobs.c.sync,
                call_jobs.c.batch_id,
                call_jobs.c.state,
            )
            .where(
                call_jobs.c.campaign == campaign,
                call_jobs.c.phone.in_(phones),
                call_jobs.c.state.in_((JobState.ACCEPTED, JobState.CLOSED)),
            )
            .order_by(call_jobs.c.id)
        )
        for phone, job, sync, batch, state in connection.execute(query):
            jobs |= dict.fromkeys(redials[phone], ReportedJob(job, sync, batch, JobState(state)))
