"""Held jobs that go on by themselves: their slice was over before they were sent, or a cap waits.

Each gets the window that holds from now on, and is staged again when nothing keeps it back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from syncd.clock import from_ms, to_ms, to_ms_or_none
from syncd.core.call_job import CALL_CAP, PHONE_KNOWN, JobState
from syncd.core.call_policy import DEFAULT, CallPolicy
from syncd.core.renewal import Renewal, content_with
from syncd.core.withdrawal import SUPPRESSED
from syncd.ledger.call_caps import Wanted, waits
from syncd.ledger.call_windows import bases_of
from syncd.ledger.first_calls import Caller, callers, lock_all, lock_campaign
from syncd.ledger.guards import reason_changed
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By, move_jobs
from syncd.ledger.schema import call_jobs, leads
from syncd.ledger.schema_windows import is_due
from syncd.ledger.store import Store
from syncd.ledger.suppressions import listed_in

#: Jobs that are looked at in one transaction.
AT_ONCE = 500
#: A job whose next hours are not known (no preset, no common hour) is looked at again so often.
LOOK_AGAIN_DAILY: Final = timedelta(days=1)
_WHY: Final = "its hours have come"


@dataclass(frozen=True, slots=True)
class Hours:
    """What works out windows, and what tells who keeps whom back, by sync."""

    renewals: Mapping[str, Renewal]
    policies: Mapping[str, CallPolicy] = field(default_factory=dict)

    def policy(self, sync: str) -> CallPolicy:
        """The policy of a sync."""
        return self.policies.get(sync, DEFAULT)


def renew(store: Store, campaign: str, hours: Hours, *, now: datetime, by: By) -> Counter[str]:
    """Look at held jobs that are due, those that waited longest first; what became of them.

    Counts `looked` (AT_ONCE at most), `released`, `still_held`, `duplicate` and `suppressed`.
    """
    counts: Counter[str] = Counter()
    with store.write("slice.renew") as connection:
        check_lease(connection, by.lease)
        for policy in hours.policies.values():
            lock_all(connection, policy)
        lock_campaign(connection, campaign)
        rows = _due(connection, campaign, list(hours.renewals), now)
        if not rows:
            return counts
        bases = bases_of(connection, {row["window_id"] for row in rows})
        capped = _capped(connection, rows, hours, now)
        for row in rows:
            told = _Told(row, bases.get(row["window_id"]), capped.get(row["id"]))
            counts[_renew_one(connection, store, told, hours, now, by)] += 1
        counts["looked"] = len(rows)
    return counts


@dataclass(frozen=True, slots=True)
class _Told:
    """A held job, what its window was worked out from, and until when a cap waits."""

    row: RowMapping
    basis: str | None
    capped_until: datetime | None


def _due(
    connection: Connection, campaign: str, syncs: Sequence[str], now: datetime
) -> list[RowMapping]:
    query = (
        select(call_jobs, leads.c.key)
        .join(leads, leads.c.id == call_jobs.c.lead_id)
        .where(
            call_jobs.c.campaign == campaign,
            is_due,
            call_jobs.c.due_at <= to_ms(now),
            call_jobs.c.sync.in_(syncs),
        )
        .order_by(call_jobs.c.due_at, call_jobs.c.id)
        .limit(AT_ONCE)
        .with_for_update(of=call_jobs)
    )
    return list(connection.execute(query).mappings())


def _capped(
    connection: Connection, rows: Sequence[RowMapping], hours: Hours, now: datetime
) -> dict[int, datetime]:
    wanted = [
        Wanted(row["id"], row["sync"], row["phone"], row["body"], row["window_id"]) for row in rows
    ]
    return waits(connection, wanted, hours.renewals, now)


def _renew_one(
    connection: Connection, store: Store, told: _Told, hours: Hours, now: datetime, by: By
) -> str:
    """Let the job go, or say when to look again; the name of what became of it."""
    row, policy = told.row, hours.policy(told.row["sync"])
    phones, keys = listed_in(connection, policy.lists, [row["phone"]], [row["key"]])
    if phones or keys:
        _move(connection, row, JobState.CANCELLED, SUPPRESSED, {}, by)
        return "suppressed"
    found = callers(connection, row["campaign"], [row["phone"]], policy, now_ms=by.at_ms)
    others = keepers(found, row["lead_id"])
    if others:
        _move(connection, row, JobState.DUPLICATE, PHONE_KNOWN, {"duplicate_of": min(others)}, by)
        return "duplicate"
    window, held = _window(connection, store, told, hours, now, by)
    if held is not None:
        return _still_held(connection, row, held, now + LOOK_AGAIN_DAILY, window, by)
    if told.capped_until is not None:
        return _still_held(connection, row, CALL_CAP, told.capped_until, window, by)
    _move(connection, row, JobState.STAGED, None, window, by)
    return "released"


def keepers(found: Sequence[Caller], lead_id: int) -> list[int]:
    """The jobs that keep one of this lead back: not those that ended, with which it goes on."""
    return [one.id for one in found if one.lead_id != lead_id or one.state != JobState.CLOSED]


def _window(
    connection: Connection, store: Store, told: _Told, hours: Hours, now: datetime, by: By
) -> tuple[Mapping[str, Any], str | None]:
    """The columns of the job's window from now on, and why it must wait, if it must."""
    row = told.row
    if told.basis is None or row["ends_at"] is None or row["ends_at"] <= to_ms(now):
        return {}, None  # what is past its own end expires as it is sealed
    if row["finish_at"] is not None and row["finish_at"] > to_ms(now):
        return {}, None  # its slice goes on
    until = from_ms(row["ends_at"])
    made = hours.renewals[row["sync"]].window(told.basis, row["phone"], until)
    if made.held is not None:
        return {}, made.held
    sliced = made.finish_at is not None
    return {
        "body": content_with(row["body"], made, until),
        "zone": made.gmt_zone,
        "window_id": store.windows.ids(connection, [made], by)[made.digest],
        "finish_at": to_ms_or_none(made.finish_at) if sliced else row["ends_at"],
        "ends_at": row["ends_at"] if sliced else None,
    }, None


def _still_held(
    connection: Connection,
    row: RowMapping,
    reason: str,
    until: datetime,
    window: Mapping[str, Any],
    by: By,
) -> str:
    mine = call_jobs.update().where(call_jobs.c.id == row["id"])
    connection.execute(mine.values(reason=reason, due_at=to_ms(until), **window))
    if reason != row["reason"]:
        reason_changed(connection, [row["id"]], why=reason, by=by)
    return "still_held"


def _move(
    connection: Connection,
    row: RowMapping,
    new: JobState,
    reason: str | None,
    values: Mapping[str, Any],
    by: By,
) -> None:
    move_jobs(
        connection,
        [(row["id"], row["sync"])],
        campaign=row["campaign"],
        old=JobState.HELD,
        new=new,
        why=reason or _WHY,
        by=by,
        values={**values, "reason": reason, "due_at": None},
    )
