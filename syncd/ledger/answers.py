"""Transaction C: the vendor's answer to a batch, stored under the claim's guard.

IDs go by position only when the answer is as long as the request and no ID repeats; anything else
keeps the raw IDs, and they are matched through reports. Such a batch is never sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, Executable, Integer, bindparam, func, null, select
from sqlalchemy.exc import IntegrityError

from syncd.clock import from_ms, to_ms
from syncd.core.call_job import ID_OF_ANOTHER_JOB, NOT_IN_REPORTS, BatchState, JobState
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By, batch_moved, check_all_moved, jobs_moved, move_jobs
from syncd.ledger.outbox import ClaimedBatch, batch_jobs
from syncd.ledger.schema import batches, call_jobs, is_accepted
from syncd.ledger.sql import Prepared, chunks, json_rows
from syncd.ledger.store import Store

_IGNORED = (JobState.DUPLICATE, "vendor_ignored_duplicate")
_NOT_ITS_ID = (JobState.PARKED, ID_OF_ANOTHER_JOB)
_NOT_REPORTED = (JobState.PARKED, NOT_IN_REPORTS)


class AnswerStored(StrEnum):
    """What became of the IDs of an answer."""

    BY_POSITION = "by_position"  #: they stand with the jobs
    LATER = "later"  #: they are kept, and wait to be matched through reports
    OVERTAKEN = "overtaken"  #: the claim was overtaken: nothing was changed


class Matched(NamedTuple):
    """How the jobs of a short answer ended."""

    accepted: int = 0
    duplicate: int = 0
    parked: int = 0


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An answered batch whose IDs are not yet matched to its jobs."""

    batch_id: int
    ids: tuple[str, ...]
    phones: frozenset[int]  #: of its jobs
    answered_at: datetime  #: when it was sent last


def record_answer(
    store: Store,
    batch: ClaimedBatch,
    ids: Sequence[str],
    *,
    next_report_at: datetime,
    by: By,
) -> AnswerStored:
    """Store the IDs of a 200, with the jobs where position tells whose ID is whose."""
    by_position = len(ids) == batch.size and len(set(ids)) == len(ids)
    if by_position:
        try:
            return _answer(store, batch, ids, True, next_report_at, by)
        except IntegrityError:
            # The vendor gave an ID that another open job already has: only reports can tell.
            pass
    return _answer(store, batch, ids, False, next_report_at, by)


_ANSWER = Prepared(
    lambda _: (
        batches.update()
        .where(
            batches.c.id == bindparam("batch"),
            batches.c.epoch == bindparam("claimed"),
            batches.c.state == BatchState.SENT.value,
        )
        .values(
            state=BatchState.ANSWERED.value,
            outcome="answered",
            body=null(),
            leased_until=null(),
            next_at=null(),
            open_jobs=bindparam("open_jobs"),
            next_report_at=bindparam("next_report_at"),
            answered_ids=bindparam("answered_ids"),
        )
    )
)


def _answer(
    store: Store,
    batch: ClaimedBatch,
    ids: Sequence[str],
    by_position: bool,
    next_report_at: datetime,
    by: By,
) -> AnswerStored:
    with store.write("batch.record_answer") as connection:
        moved = _ANSWER(
            connection,
            batch=batch.id,
            claimed=batch.epoch,
            open_jobs=batch.size if by_position else 0,
            next_report_at=to_ms(next_report_at),
            answered_ids=None if by_position else list(ids),
        ).rowcount
        if moved != 1:
            return AnswerStored.OVERTAKEN
        why = f"{len(ids)} IDs for {batch.size} jobs"
        batch_moved(connection, batch.id, BatchState.SENT, BatchState.ANSWERED, why=why, by=by)
        if by_position:
            _accept(connection, batch.campaign, batch.members, ids, by)
    return AnswerStored.BY_POSITION if by_position else AnswerStored.LATER


def _accepting(dialect: str) -> Executable:
    types = {"job": call_jobs.c.id.type, "vendor_id": call_jobs.c.call_job_id.type}
    given = json_rows(dialect, bindparam("rows"), **types)
    return (
        call_jobs.update()
        .where(call_jobs.c.id == given.c.job, call_jobs.c.state == JobState.SEALED.value)
        .values(state=JobState.ACCEPTED.value, call_job_id=given.c.vendor_id)
    )


def _accepting_range(_dialect: str) -> Executable:
    given = func.json_each(bindparam("ids")).table_valued("key", "value")
    return (
        call_jobs.update()
        .where(
            call_jobs.c.id == bindparam("first", type_=Integer) + given.c.key,
            call_jobs.c.state == JobState.SEALED.value,
        )
        .values(state=JobState.ACCEPTED.value, call_job_id=given.c.value)
    )


_ACCEPT = Prepared(_accepting)
#: On SQLite, for jobs whose IDs have no gaps: a flat list costs a third less than pairs.
_ACCEPT_RANGE = Prepared(_accepting_range)


def _accept(
    connection: Connection,
    campaign: str,
    jobs: Sequence[tuple[int, str]],
    ids: Sequence[str],
    by: By,
) -> None:
    """Give each job its ID: all of them, or nothing is stored."""
    gapless = len(jobs) == len(ids) > 0 and jobs[-1][0] - jobs[0][0] + 1 == len(jobs)
    if gapless and connection.dialect.name == "sqlite":
        moved = _ACCEPT_RANGE(connection, first=jobs[0][0], ids=list(ids)).rowcount
    else:
        pairs = [(job, vendor_id) for (job, _), vendor_id in zip(jobs, ids, strict=True)]
        moved = _ACCEPT(connection, rows=pairs).rowcount
    check_all_moved(moved, len(jobs), old=JobState.SEALED, new=JobState.ACCEPTED)
    jobs_moved(
        connection,
        jobs,
        campaign=campaign,
        old=JobState.SEALED,
        new=JobState.ACCEPTED,
        why="answered",
        by=by,
    )


def unmatched_batches(store: Store, campaign: str) -> list[Unmatched]:
    """Answered batches whose IDs wait to be matched through reports."""
    with store.read() as connection:
        rows = connection.execute(
            select(batches.c.id, batches.c.answered_ids, batches.c.last_sent_at)
            .where(batches.c.campaign == campaign, batches.c.answered_ids.is_not(None))
            .order_by(batches.c.id)
        ).all()
        return [
            Unmatched(
                batch,
                tuple(orjson.loads(ids)),
                frozenset(phone for _, _, phone, _ in batch_jobs(connection, batch)),
                from_ms(sent_at),
            )
            for batch, ids, sent_at in rows
        ]


def match_answer(
    store: Store,
    campaign: str,
    batch_id: int,
    phones: Mapping[int, str],
    *,
    every_id: bool = True,
    by: By,
) -> Matched:
    """Give a short answer's IDs to the jobs by phone; what is left over the vendor ignored.

    A job whose ID is another open job's is parked: a person has to look which call is whose.

    Args:
        phones: phone to call job ID, as the reports of the answered IDs say.
        every_id: the reports of all IDs came. If not, nobody knows of a job that is left over
            whether it was ignored: it is parked.
    """
    left_over = _IGNORED if every_id else _NOT_REPORTED
    with store.write("batch.match_answer") as connection:
        check_lease(connection, by.lease)
        cleared = connection.execute(
            batches.update()
            .where(batches.c.id == batch_id, batches.c.answered_ids.is_not(None))
            .values(answered_ids=None)
        ).rowcount
        if cleared != 1:
            return Matched()
        mine, ends = _by_phone(connection, campaign, batch_id, phones, left_over)
        _accept(connection, campaign, [job[:2] for job in mine], [job[2] for job in mine], by)
        for (state, why), jobs in ends.items():
            move_jobs(
                connection,
                jobs,
                campaign=campaign,
                old=JobState.SEALED,
                new=state,
                why=why,
                by=by,
                values={"reason": why},
            )
        connection.execute(
            batches.update().where(batches.c.id == batch_id).values(open_jobs=len(mine))
        )
    parked = sum(len(jobs) for (state, _), jobs in ends.items() if state is JobState.PARKED)
    return Matched(len(mine), len(ends.get(_IGNORED, ())), parked)


def _by_phone(
    connection: Connection,
    campaign: str,
    batch_id: int,
    phones: Mapping[int, str],
    left_over: tuple[JobState, str],
) -> tuple[list[tuple[int, str, str]], dict[tuple[JobState, str], list[tuple[int, str]]]]:
    """(job, sync, vendor ID) of those that have one, and how the others end."""
    used = _open_ids(connection, campaign, list(phones.values()))
    mine: list[tuple[int, str, str]] = []
    ends: dict[tuple[JobState, str], list[tuple[int, str]]] = {}
    for job, sync, phone, _generation in batch_jobs(connection, batch_id):
        vendor_id = phones.get(phone)
        if vendor_id is None:
            ends.setdefault(left_over, []).append((job, sync))
        elif vendor_id in used:
            ends.setdefault(_NOT_ITS_ID, []).append((job, sync))
        else:
            used.add(vendor_id)
            mine.append((job, sync, vendor_id))
    return mine, ends


def _open_ids(connection: Connection, campaign: str, ids: Sequence[str]) -> set[str]:
    """Which of these IDs are those of open jobs: two jobs are never one call."""
    found: set[str] = set()
    for some in chunks(ids):
        rows = connection.execute(
            select(call_jobs.c.call_job_id).where(
                call_jobs.c.campaign == campaign, is_accepted, call_jobs.c.call_job_id.in_(some)
            )
        )
        found |= {row[0] for row in rows}
    return found
