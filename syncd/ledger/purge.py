"""Purging: payloads, raw reports and the journal of what ended long ago are dropped.

Who was called stays known: leads keep their key, jobs their phone, state and reason, reports their
outcome. So a purge never makes anybody be called again. A step looks at a bounded number of rows
in one transaction, and a purge that is stopped between two steps is simply run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, exists, func, or_, select

from syncd.core.call_job import BatchState, JobState
from syncd.ledger import unknown_calls
from syncd.ledger.call_windows import forget_unused
from syncd.ledger.moves import By, write_journal
from syncd.ledger.schema import batches, call_jobs, journal, passes, rejections
from syncd.ledger.schema_reports import attempts, reports
from syncd.ledger.schema_windows import call_windows
from syncd.ledger.sql import chunks
from syncd.ledger.store import Store

#: States in which nothing will happen to a job any more.
ENDED = (
    JobState.CLOSED,
    JobState.REFUSED,
    JobState.DUPLICATE,
    JobState.EXPIRED,
    JobState.CANCELLED,
)
#: Rows that one transaction may change: a daemon beside us waits no longer than that.
STEP_ROWS = 1_000
_EMPTY = "{}"
_OPEN = (BatchState.SEALED, BatchState.SENT)
#: The journal of these is the proof of what was erased and purged.
_KEPT_JOURNAL = ("erasure", "purge")


@dataclass(slots=True)
class Purged:
    """How many rows lost something, or are gone; `after_id` is where the next step goes on."""

    rows: Counter[str] = field(default_factory=Counter)
    after_id: int | None = None  #: None: there is no more


def purgeable(store: Store, *, before_ms: int) -> Counter[str]:
    """How many rows a purge would change or remove now."""
    counted: Counter[str] = Counter()
    with store.read() as connection:
        for name, table, where in _targets(before_ms):
            count = select(func.count()).select_from(table).where(where)
            counted[name] = connection.execute(count).scalar_one()
        jobs = _old_jobs(before_ms).subquery()
        for name, query in _reports_of(select(jobs.c.id)).items():
            counted[name] = connection.execute(
                select(func.count()).select_from(query.subquery())
            ).scalar_one()
        unknown = select(func.count()).where(unknown_calls.is_old(before_ms))
        counted["reports"] += connection.execute(unknown).scalar_one()
    return counted


def purge_jobs(store: Store, *, before_ms: int, after_id: int) -> Purged:
    """Drop payload and raw reports of the next jobs with an ID above `after_id`."""
    done = Purged()
    with store.write("purge.jobs") as connection:
        query = _old_jobs(before_ms).where(call_jobs.c.id > after_id).order_by(call_jobs.c.id)
        ids: list[int] = list(connection.scalars(query.limit(STEP_ROWS)))
        for some in chunks(ids):
            mine = select(call_jobs.c.id).where(call_jobs.c.id.in_(some))
            for name, rows in _reports_of(mine).items():
                table = reports if name == "reports" else attempts
                keys = {(row[0], row[1]) for row in connection.execute(rows)}
                done.rows[name] += _empty(connection, table, keys)
            done.rows["call_jobs"] += connection.execute(
                call_jobs.update().where(call_jobs.c.id.in_(some)).values(body=_EMPTY, zone=None)
            ).rowcount
    if len(ids) == STEP_ROWS:
        done.after_id = ids[-1]
    return done


def purge_rest(store: Store, *, before_ms: int, by: By) -> Purged:
    """Remove the next old passes, journal lines, settled rejections and unknown calls.

    Call it until it ends.
    """
    done = Purged()
    with store.write("purge.rest") as connection:
        for name, table, where in _targets(before_ms):
            if name == "call_jobs":
                continue
            ids = [
                row[0]
                for row in connection.execute(
                    select(table.c.id).where(where).order_by(table.c.id).limit(STEP_ROWS)
                )
            ]
            for some in chunks(ids):
                mine = table.c.id.in_(some)
                change = (
                    table.update().where(mine).values(body=None)
                    if table is batches
                    else table.delete().where(mine)
                )
                done.rows[name] += connection.execute(change).rowcount
            if len(ids) == STEP_ROWS:
                done.after_id = ids[-1]
        forget_unused(connection, call_windows.c.made_at < before_ms)
        dropped = unknown_calls.drop_unknown(connection, before_ms, most=STEP_ROWS)
        done.rows["reports"] += dropped
        if dropped == STEP_ROWS:
            done.after_id = 0
        if done.rows.total():
            write_journal(connection, "purge", [], old="kept", new="purged", why="old", by=by)
    return done


def _old_jobs(before_ms: int) -> Select[tuple[int]]:
    return select(call_jobs.c.id).where(_is_old_job(before_ms))


def _is_old_job(before_ms: int) -> ColumnElement[bool]:
    """Ended, made before then, nothing reported since, and not purged yet."""
    fresh = exists().where(reports.c.job_id == call_jobs.c.id, reports.c.stored_at >= before_ms)
    return and_(
        call_jobs.c.state.in_(ENDED),
        call_jobs.c.created_at < before_ms,
        call_jobs.c.body != _EMPTY,
        ~fresh,
    )


def _targets(before_ms: int) -> list[tuple[str, Table, ColumnElement[bool]]]:
    newest = select(func.max(passes.c.id)).group_by(passes.c.kind, passes.c.target)
    live_job = exists().where(
        call_jobs.c.id.between(journal.c.first_id, journal.c.last_id), ~call_jobs.c.state.in_(ENDED)
    )
    live_batch = exists().where(
        batches.c.id.between(journal.c.first_id, journal.c.last_id),
        or_(batches.c.state.in_(_OPEN), batches.c.open_jobs > 0),
    )
    return [
        ("call_jobs", call_jobs, _is_old_job(before_ms)),
        (
            "batches",
            batches,
            and_(
                batches.c.created_at < before_ms,
                batches.c.body.is_not(None),
                batches.c.state.not_in(_OPEN),
            ),
        ),
        ("rejections", rejections, rejections.c.resolved_at < before_ms),
        ("passes", passes, and_(passes.c.finished_at < before_ms, passes.c.id.not_in(newest))),
        (
            "journal",
            journal,
            and_(
                journal.c.at < before_ms,
                journal.c.what.not_in(_KEPT_JOURNAL),
                ~and_(journal.c.what == "job", live_job),
                ~and_(journal.c.what == "batch", live_batch),
            ),
        ),
    ]


def _reports_of(job_ids: Select[tuple[int]]) -> dict[str, Select[Any]]:
    """The keys of the reports of these jobs, and of their attempts, that still have raw data."""
    mine = reports.c.job_id.in_(job_ids)
    joined = and_(
        attempts.c.campaign == reports.c.campaign, attempts.c.call_job_id == reports.c.call_job_id
    )
    key = (attempts.c.campaign, attempts.c.call_job_id)
    return {
        "reports": select(reports.c.campaign, reports.c.call_job_id).where(
            mine, reports.c.raw != _EMPTY
        ),
        "attempts": select(*key, attempts.c.redial_number, attempts.c.attempt_number)
        .join(reports, joined)
        .where(mine, attempts.c.raw != _EMPTY),
    }


def _empty(connection: Connection, table: Table, keys: Collection[tuple[str, str]]) -> int:
    """Drop the raw data of these reports or attempts."""
    by_campaign: dict[str, list[str]] = {}
    for campaign, id_ in sorted(keys):
        by_campaign.setdefault(campaign, []).append(id_)
    done = 0
    for campaign, ids in by_campaign.items():
        for some in chunks(ids):
            where = (table.c.campaign == campaign) & table.c.call_job_id.in_(some)
            done += connection.execute(
                table.update().where(where, table.c.raw != _EMPTY).values(raw=_EMPTY)
            ).rowcount
    return done
