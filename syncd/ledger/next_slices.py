"""Jobs that go on in the next slice of days: those that were called in one, and those that waited.

A job that ended in its slice without its person having been reached is followed by another job of
the same lead, with what is left of its attempts. The two are bound in one transaction: the ended
job loses its own end, so that it is looked at once, and the new one names it (`follows`, unique).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, exists, func, select

from syncd.clock import from_ms, to_ms, to_ms_or_none
from syncd.core.call_job import NEXT_SLICE, PHONE_KNOWN, JobState
from syncd.core.call_policy import CallPolicy, OnWithdrawn
from syncd.core.call_times import HELD_WINDOW_MISSED
from syncd.core.call_window import CallWindow
from syncd.core.erasure import ERASED_PHONE
from syncd.core.next_slice import EndedSlice, Rest, rest_of
from syncd.core.renewal import content_with
from syncd.core.withdrawal import SUPPRESSED
from syncd.ledger.call_windows import bases_of
from syncd.ledger.first_calls import callers, lock_all, lock_campaign
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By, jobs_moved
from syncd.ledger.renewing import LOOK_AGAIN_DAILY, Hours, keepers
from syncd.ledger.schema import call_jobs, leads
from syncd.ledger.schema_guards import cancellations
from syncd.ledger.schema_reports import reports
from syncd.ledger.schema_windows import is_cut
from syncd.ledger.sql import take_ids
from syncd.ledger.store import Store
from syncd.ledger.suppressions import listed_in
from syncd.ledger.unknown_calls import is_unknown

#: Jobs that are looked at in one transaction.
AT_ONCE = 500
_FIRST_GENERATION = 1
_PURGED = "{}"


@dataclass(frozen=True, slots=True)
class _Next:
    """A job to be inserted, and the one that it goes on with."""

    old: RowMapping
    body: str
    window: CallWindow
    state: JobState
    reason: str | None
    duplicate_of: int | None = None


def push_next(store: Store, campaign: str, hours: Hours, *, now: datetime, by: By) -> Counter[str]:
    """Look at jobs that ended in their slice, the oldest first; what became of them.

    Counts `looked` (how many, AT_ONCE at most), `next_slices` and `slices_over`.
    """
    counts: Counter[str] = Counter()
    with store.write("slice.push") as connection:
        check_lease(connection, by.lease)
        for policy in hours.policies.values():
            lock_all(connection, policy)
        lock_campaign(connection, campaign)
        rows = _ended(connection, campaign, list(hours.renewals))
        if not rows:
            return counts
        made = _judged(connection, campaign, rows, hours, now, by)
        _mark(connection, [row["id"] for row in rows])
        _insert(connection, store, campaign, made, now, by)
        counts.update(looked=len(rows), next_slices=len(made), slices_over=len(rows) - len(made))
    return counts


def _ended(connection: Connection, campaign: str, syncs: Sequence[str]) -> list[RowMapping]:
    """Ended jobs with what the reports tell of them; locked."""
    newer = call_jobs.alias("newer")
    unknown = exists().where(
        reports.c.campaign == call_jobs.c.campaign,
        reports.c.phone == call_jobs.c.phone,
        is_unknown(),
    )
    query = (
        select(
            call_jobs,
            leads.c.key,
            leads.c.withdrawn_at,
            exists().where(cancellations.c.job_id == call_jobs.c.id).label("has_wish"),
            exists()
            .where(newer.c.lead_id == call_jobs.c.lead_id, newer.c.id > call_jobs.c.id)
            .label("has_newer"),
            unknown.label("has_call"),
        )
        .join(leads, leads.c.id == call_jobs.c.lead_id)
        .where(call_jobs.c.campaign == campaign, is_cut, call_jobs.c.sync.in_(syncs))
        .order_by(call_jobs.c.id)
        .limit(AT_ONCE)
        .with_for_update(of=call_jobs)
    )
    return list(connection.execute(query).mappings())


def _mark(connection: Connection, ids: Sequence[int]) -> None:
    """From now on nothing follows these any more."""
    connection.execute(call_jobs.update().where(call_jobs.c.id.in_(ids)).values(ends_at=None))


def _judged(
    connection: Connection,
    campaign: str,
    rows: Sequence[RowMapping],
    hours: Hours,
    now: datetime,
    by: By,
) -> list[_Next]:
    told = _reports(connection, [row["id"] for row in rows])
    bases = bases_of(connection, {row["window_id"] for row in rows})
    made: list[_Next] = []
    for row in rows:
        rest = _rest(row, told.get(row["id"]), hours.policy(row["sync"]), now)
        if rest is None or row["window_id"] is None:
            continue
        until, renewal = from_ms(row["ends_at"]), hours.renewals[row["sync"]]
        window = renewal.window(bases[row["window_id"]], row["phone"], until, rest.since)
        if window.held == HELD_WINDOW_MISSED:
            continue  # no permitted hour is left before its own end
        body = content_with(rest.body, window, until, rest.since)
        made.append(_begun(connection, campaign, row, body, window, hours, by))
    return made


def _reports(connection: Connection, ids: Sequence[int]) -> dict[int, RowMapping]:
    """The report that ended each job; those of call-backs are not."""
    query = (
        select(
            reports.c.job_id,
            reports.c.job_status,
            reports.c.attempts_count,
            reports.c.finished_at,
        )
        .where(reports.c.job_id.in_(ids), func.coalesce(reports.c.redial_number, 0) == 0)
        .order_by(reports.c.stored_at)
    )
    return {row["job_id"]: row for row in connection.execute(query).mappings()}


def _rest(
    row: RowMapping, report: RowMapping | None, policy: CallPolicy, now: datetime
) -> Rest | None:
    """What is left to be called, or None: its call is over, or nobody may make it."""
    left_source = row["withdrawn_at"] is not None and policy.on_withdrawn is OnWithdrawn.CANCEL
    barred = row["has_wish"] or row["has_newer"] or row["has_call"] or left_source
    gone = row["phone"] == ERASED_PHONE or row["body"] == _PURGED
    if barred or gone or report is None or row["finish_at"] is None:
        return None
    finished_at = report["finished_at"]
    ended = EndedSlice(
        status=report["job_status"],
        attempts=report["attempts_count"],
        finished_at=None if finished_at is None else from_ms(finished_at),
        slice_end=from_ms(row["finish_at"]),
        own_end=from_ms(row["ends_at"]),
        body=row["body"],
    )
    return rest_of(ended, now)


def _begun(
    connection: Connection,
    campaign: str,
    row: RowMapping,
    body: str,
    window: CallWindow,
    hours: Hours,
    by: By,
) -> _Next:
    """The next job in the state in which it begins."""
    policy = hours.policy(row["sync"])
    phones, keys = listed_in(connection, policy.lists, [row["phone"]], [row["key"]])
    if phones or keys:
        return _Next(row, body, window, JobState.CANCELLED, SUPPRESSED)
    if window.held is not None:
        return _Next(row, body, window, JobState.HELD, window.held)
    found = callers(connection, campaign, [row["phone"]], policy, now_ms=by.at_ms)
    others = keepers(found, row["lead_id"])
    if others:
        return _Next(row, body, window, JobState.DUPLICATE, PHONE_KNOWN, min(others))
    return _Next(row, body, window, JobState.STAGED, None)


def _insert(
    connection: Connection,
    store: Store,
    campaign: str,
    made: Sequence[_Next],
    now: datetime,
    by: By,
) -> None:
    if not made:
        return
    windows = store.windows.ids(connection, {one.window for one in made}, by)
    ids = take_ids(connection, call_jobs, len(made))
    rows: list[dict[str, Any]] = []
    moved: dict[tuple[JobState, str], list[tuple[int, str]]] = {}
    for job_id, one in zip(ids, made, strict=True):
        rows.append(_row(job_id, one, windows, now, by))
        why = NEXT_SLICE if one.reason is None else f"{NEXT_SLICE}: {one.reason}"
        moved.setdefault((one.state, why), []).append((job_id, one.old["sync"]))
    connection.execute(call_jobs.insert(), rows)
    for (state, why), jobs in moved.items():
        jobs_moved(connection, jobs, campaign=campaign, old="", new=state, why=why, by=by)


def _row(
    job_id: int, one: _Next, windows: Mapping[str, int], now: datetime, by: By
) -> dict[str, Any]:
    sliced = one.window.finish_at is not None
    waits = one.state is JobState.HELD
    return {
        "id": job_id,
        "lead_id": one.old["lead_id"],
        "sync": one.old["sync"],
        "campaign": one.old["campaign"],
        "generation": _FIRST_GENERATION,
        "phone": one.old["phone"],
        "state": one.state,
        "reason": one.reason,
        "body": one.body,
        "zone": one.window.gmt_zone,
        "finish_at": to_ms_or_none(one.window.finish_at) if sliced else one.old["ends_at"],
        "ends_at": one.old["ends_at"] if sliced else None,
        "created_at": by.at_ms,
        "window_id": windows[one.window.digest],
        "duplicate_of": one.duplicate_of,
        "follows": one.old["id"],
        "due_at": to_ms(now + LOOK_AGAIN_DAILY) if waits else None,
    }
