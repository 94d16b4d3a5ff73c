"""Everything the ledger knows of one lead: the material of `syncd explain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from syncd.clock import from_ms
from syncd.core.call_job import REPORT_OF_ANOTHER_PHONE, JobState
from syncd.ledger.schema import batches, call_jobs, job_counts, journal, leads
from syncd.ledger.schema_guards import cancellations
from syncd.ledger.schema_reports import attempts, reports
from syncd.ledger.schema_windows import call_windows
from syncd.ledger.store import Store
from syncd.ledger.unknown_calls import unknown_to

#: One phone with more leads than this is not a person; the rest is not shown.
LEADS_MAX = 50


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the journal."""

    at: datetime
    actor: str
    pass_id: int | None
    what: str
    from_state: str
    to_state: str
    why: str


@dataclass(frozen=True, slots=True)
class JobHistory:
    """One call job: what was sent, in which batch, each move, reports and attempts.

    Rows are plain mappings of column names; times in them are Unix milliseconds.
    """

    job: Mapping[str, Any]
    batch: Mapping[str, Any] | None
    moves: Sequence[Move]
    reports: Sequence[Mapping[str, Any]]
    attempts: Sequence[Mapping[str, Any]]
    #: of a duplicate: the job that has the phone, as job_id, sync, campaign and key
    first: Mapping[str, Any] | None = None
    #: the wish to cancel it at the vendor, and what became of it
    cancellation: Mapping[str, Any] | None = None
    #: its zone and hours, as fields and basis (see call_windows); None: all of it is in the body
    window: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class LeadHistory:
    """One lead and its call jobs."""

    lead: Mapping[str, Any]
    jobs: Sequence[JobHistory]
    #: calls to its phones that no job names: rows of reports
    unknown_calls: Sequence[Mapping[str, Any]] = ()


def history(store: Store, *, key: str | None = None, phone: int | None = None) -> list[LeadHistory]:
    """The leads with this key (in any sync), or with a call job to this phone."""
    with store.read() as connection:
        query = select(leads).order_by(leads.c.id).limit(LEADS_MAX)
        if phone is not None:
            named = call_jobs.c.campaign.in_(select(job_counts.c.campaign))
            of_phone = select(call_jobs.c.lead_id).where(named, call_jobs.c.phone == phone)
            query = query.where(leads.c.id.in_(of_phone))
        else:
            # Naming every sync lets the index of (sync, key) answer; likewise the campaigns above.
            query = query.where(leads.c.sync.in_(select(job_counts.c.sync)), leads.c.key == key)
        found = connection.execute(query).mappings().all()
        return [_lead(connection, dict(lead)) for lead in found]


def _lead(connection: Connection, lead: dict[str, Any]) -> LeadHistory:
    jobs = _jobs(connection, lead["id"])
    phones = {(one.job["campaign"], one.job["phone"]) for one in jobs}
    return LeadHistory(lead, jobs, unknown_to(connection, phones))


def _jobs(connection: Connection, lead_id: int) -> list[JobHistory]:
    rows = connection.execute(
        select(call_jobs).where(call_jobs.c.lead_id == lead_id).order_by(call_jobs.c.id)
    ).mappings()
    return [_job(connection, dict(row)) for row in rows.all()]


def _job(connection: Connection, job: dict[str, Any]) -> JobHistory:
    batch = None
    if job["batch_id"] is not None:
        columns = [column for column in batches.columns if column.name not in ("body", "job_ids")]
        row = connection.execute(select(*columns).where(batches.c.id == job["batch_id"]))
        batch = dict(row.mappings().one())
    moves = _moves(connection, "job", job["id"])
    if batch is not None:
        moves += _moves(connection, "batch", batch["id"])
    if job["state"] == JobState.ACCEPTED and _is_mismatched(connection, job):
        job["reason"] = REPORT_OF_ANOTHER_PHONE
    mine = reports.c.job_id == job["id"]
    in_order = (reports.c.stored_at, func.coalesce(reports.c.redial_number, 0))
    told = connection.execute(
        select(reports).where(mine).order_by(*in_order, reports.c.call_job_id)
    )
    tried = connection.execute(
        select(attempts)
        .join(
            reports,
            (reports.c.campaign == attempts.c.campaign)
            & (reports.c.call_job_id == attempts.c.call_job_id),
        )
        .where(mine)
        .order_by(attempts.c.started_at, attempts.c.attempt_number)
    )
    return JobHistory(
        job=job,
        batch=batch,
        moves=sorted(moves, key=lambda move: move.at),
        reports=[dict(row) for row in told.mappings()],
        attempts=[dict(row) for row in tried.mappings()],
        first=_first(connection, job["duplicate_of"]),
        cancellation=_cancellation(connection, job["id"]),
        window=_window(connection, job["window_id"]),
    )


def _first(connection: Connection, job_id: int | None) -> dict[str, Any] | None:
    if job_id is None:
        return None
    row = connection.execute(
        select(call_jobs.c.id.label("job_id"), call_jobs.c.sync, call_jobs.c.campaign, leads.c.key)
        .join(leads, leads.c.id == call_jobs.c.lead_id)
        .where(call_jobs.c.id == job_id)
    )
    found = row.mappings().first()
    return None if found is None else dict(found)


def _cancellation(connection: Connection, job_id: int) -> dict[str, Any] | None:
    wish = select(cancellations).where(cancellations.c.job_id == job_id)
    row = connection.execute(wish).mappings().first()
    return None if row is None else dict(row)


def _window(connection: Connection, window_id: int | None) -> dict[str, Any] | None:
    row = connection.execute(select(call_windows).where(call_windows.c.id == window_id))
    found = row.mappings().first()
    return None if found is None else dict(found)


def _is_mismatched(connection: Connection, job: Mapping[str, Any]) -> bool:
    """Whether the report of the job's ID names another phone, and so is kept apart."""
    apart = select(reports.c.stored_at).where(
        reports.c.campaign == job["campaign"],
        reports.c.call_job_id == job["call_job_id"],
        reports.c.job_id.is_(None),
    )
    return connection.execute(apart).first() is not None


def _moves(connection: Connection, what: str, id_: int) -> list[Move]:
    rows = connection.execute(
        select(journal)
        .where(journal.c.what == what, journal.c.first_id <= id_, journal.c.last_id >= id_)
        .order_by(journal.c.id)
    ).mappings()
    return [
        Move(
            from_ms(row["at"]),
            row["actor"],
            row["pass_id"],
            row["what"],
            row["from_state"],
            row["to_state"],
            row["why"],
        )
        for row in rows
        if row["members"] is None or id_ in orjson.loads(row["members"])
    ]
