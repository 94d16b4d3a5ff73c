"""Caps of calls to one person: which jobs have to wait, because of calls to the same phone.

All calls of the ledger count, of whatever sync or campaign: attempts that the reports tell of at
their time, and jobs that are not over with all the attempts that they may still make. Of jobs that
are only staged the older one goes first. Calls that no job of the ledger has are not counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, and_, func, or_, select

from syncd.clock import from_ms, to_ms
from syncd.core.call_job import JobState
from syncd.core.hours.caps import Caps, first_fit
from syncd.core.renewal import Renewal
from syncd.ledger.call_windows import bases_of
from syncd.ledger.schema import call_jobs, meta
from syncd.ledger.schema_reports import attempts, reports
from syncd.ledger.sql import POSTGRESQL, as_json, one_of

#: Where only the end of other jobs makes room, it is asked again so often.
LOOK_AGAIN: Final = timedelta(minutes=15)
#: No cap looks further back.
_LONGEST: Final = timedelta(days=32)
#: Of a job that names no number: more than any cap.
_UNKNOWN: Final = 50
_OPEN: Final = (JobState.STAGED, JobState.SEALED, JobState.ACCEPTED, JobState.PARKED)


class Wanted(NamedTuple):
    """A job that is to go now."""

    id: int
    sync: str
    phone: int
    body: str
    window_id: int | None


@dataclass(slots=True)
class _Calls:
    """The calls to one phone: when, by which job; and what is to come, by job."""

    made: list[datetime] = field(default_factory=list)
    to_come: dict[int, tuple[str, int]] = field(default_factory=dict)  #: job to state and attempts


def waits(
    connection: Connection, jobs: Iterable[Wanted], hours: Mapping[str, Renewal], now: datetime
) -> dict[int, datetime]:
    """When to look again at each job that a cap has no room for now.

    The whole ledger seals capped jobs one transaction at a time, so that two campaigns never take
    the same room (PostgreSQL).

    Args:
        jobs: of any sync; those whose sync is not in `hours` have no caps.
    """
    asked = [job for job in jobs if job.sync in hours and job.window_id is not None]
    if not asked:
        return {}
    bases = bases_of(connection, {job.window_id for job in asked})
    capped = [
        (job, caps)
        for job in asked
        if (caps := hours[job.sync].caps(bases[job.window_id], job.phone)) is not None
    ]
    if not capped:
        return {}
    _lock(connection)
    calls = _calls(connection, sorted({job.phone for job, _ in capped}), now)
    until: dict[int, datetime] = {}
    for job, caps in sorted(capped, key=lambda one: one[0].id):
        fits = _fits(job, caps, calls[job.phone], now)
        if fits is None or fits > now:
            until[job.id] = fits or now + LOOK_AGAIN
    return until


def _fits(job: Wanted, caps: Caps, calls: _Calls, now: datetime) -> datetime | None:
    """When the job's attempts break no cap; None: nobody knows yet."""
    open_calls = sum(
        most
        for other, (state, most) in calls.to_come.items()
        if other != job.id and (state != JobState.STAGED or other < job.id)
    )
    item = orjson.loads(job.body)
    smallest = min(most for _, most in caps.each())
    wanted = item.get("maxAttempts") or smallest
    interval_min = item.get("retryIntervalInMinutes") or 0
    return first_fit(caps, calls.made, open_calls, now, wanted, interval_min)


def _lock(connection: Connection) -> None:
    if connection.dialect.name == POSTGRESQL:
        connection.execute(select(meta.c.name).order_by(meta.c.name).limit(1).with_for_update())


def _calls(connection: Connection, phones: Sequence[int], now: datetime) -> dict[int, _Calls]:
    """Every call to these phones that a cap may count."""
    since = to_ms(now - _LONGEST)
    calls: dict[int, _Calls] = defaultdict(_Calls)
    made: dict[int, int] = defaultdict(int)
    for row in _reported(connection, phones, since):
        times = [at for at in row.attempts if at is not None]
        # What no attempt report tells of was made at the end of the job, at the latest.
        lacking = max(0, (row.counted or 0) - len(times))
        times += [row.ended_at] * lacking
        calls[row.phone].made += [from_ms(at) for at in times]
        made[row.job_id] += len(times)
    for job_id, phone, state, body in _open(connection, phones):
        most = orjson.loads(body).get("maxAttempts") or _UNKNOWN
        calls[phone].to_come[job_id] = (state, max(0, most - made[job_id]))
    return calls


class _Reported(NamedTuple):
    phone: int
    job_id: int
    counted: int | None
    ended_at: int
    attempts: list[int | None]


def _reported(connection: Connection, phones: Sequence[int], since: int) -> list[_Reported]:
    """The reports of jobs to these phones, each with the times of its attempts."""
    ended = func.coalesce(reports.c.finished_at, reports.c.started_at, reports.c.stored_at)
    same = and_(
        attempts.c.campaign == reports.c.campaign,
        attempts.c.call_job_id == reports.c.call_job_id,
    )
    query = (
        select(
            reports.c.campaign,
            reports.c.call_job_id,
            call_jobs.c.phone,
            call_jobs.c.id,
            reports.c.attempts_count,
            ended,
            attempts.c.attempt_number,
            attempts.c.started_at,
        )
        .select_from(call_jobs)
        .join(reports, reports.c.job_id == call_jobs.c.id)
        .outerjoin(attempts, same)
        .where(
            one_of(connection.dialect.name, call_jobs.c.phone, as_json(phones)),
            or_(ended >= since, reports.c.finished_at.is_(None)),
        )
    )
    found: dict[tuple[str, str], _Reported] = {}
    for campaign, id_, phone, job, count, at, number, started_at in connection.execute(query):
        one = found.setdefault((campaign, id_), _Reported(phone, job, count, at, []))
        if number is not None:
            one.attempts.append(started_at)
    return list(found.values())


def _open(connection: Connection, phones: Sequence[int]) -> list[Any]:
    query = select(call_jobs.c.id, call_jobs.c.phone, call_jobs.c.state, call_jobs.c.body).where(
        one_of(connection.dialect.name, call_jobs.c.phone, as_json(phones)),
        call_jobs.c.state.in_(_OPEN),
    )
    return list(connection.execute(query))
