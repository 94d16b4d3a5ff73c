"""Transaction A: a page's leads, its staged jobs, its rejections and the cursor, together.

The cursor moves only with the leads that it covers, so nothing is lost; a key is stored once and a
phone is staged once a campaign, so nobody is called twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from syncd.clock import to_ms_or_none
from syncd.core.call_job import JobState
from syncd.core.call_policy import DEFAULT, CallPolicy
from syncd.core.call_window import CallWindow
from syncd.core.mapping import MappedJob
from syncd.errors import Transient
from syncd.ledger import changes, rejections, tombstones
from syncd.ledger.approvals import note_decided
from syncd.ledger.first_calls import first_calls, lock_all, lock_campaign
from syncd.ledger.guards import reason_changed, remap
from syncd.ledger.intake_new import first_state, insert_new
from syncd.ledger.intake_page import IntakePage, IntakeResult
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By, jobs_moved
from syncd.ledger.schema import call_jobs, syncs
from syncd.ledger.sql import upsert
from syncd.ledger.store import Store
from syncd.ledger.suppressions import listed_in
from syncd.ledger.unjudged import note_started


def store_page(store: Store, ledger_id: str, page: IntakePage, *, by: By) -> IntakeResult:
    """Commit the page: all of it or nothing.

    Raises:
        Transient: another process stored a lead of this page, or took the sync over, meanwhile.
    """
    assert len({lead.key for lead in page.new}) == len(page.new), "a key stands once in a page"
    try:
        return _store_page(store, ledger_id, page, by)
    except IntegrityError:
        raise Transient("another process stored leads of this page meanwhile") from None


def _store_page(store: Store, ledger_id: str, page: IntakePage, by: By) -> IntakeResult:
    result = IntakeResult()
    with store.write("page.store") as connection:
        check_lease(connection, by.lease)
        lock_all(connection, page.policy)
        lock_campaign(connection, page.campaign)
        result.erased = tombstones.block(connection, page)
        page.windows = store.windows.ids(connection, _windows(page), by)
        insert_new(connection, ledger_id, page, result, by)
        changes.revise(connection, page.changed, by)
        changes.watch(connection, page.watched)
        for job_id, job in page.released:
            _release(connection, page, job_id, job, result, by)
        result.changes = changes.apply(connection, _target(page), page.remapped, by)
        result.staged += result.changes.get("staged", 0)
        rejections.settle(connection, page.sync, page.good_keys, by)
        rejections.store(connection, page.sync, page.origin, page.rejections, by)
        if page.noted:
            note_started(connection, page.sync, result.staged + result.released)
        if page.decided is not None:
            started = result.staged + result.released
            note_decided(connection, page.sync, page.campaign, page.decided, started)
        if page.cursor is not None:
            _move_cursor(connection, page, by)
    store.windows.keep(page.windows)
    return result


def _windows(page: IntakePage) -> set[CallWindow | None]:
    """The windows of all jobs that the page brings."""
    return {
        *{lead.job.window for lead in page.new},
        *{job.window for _, job in page.released},
        *{one.job.window for one in page.remapped},
    }


def taken_phones(
    store: Store,
    campaign: str,
    phones: Sequence[int],
    policy: CallPolicy = DEFAULT,
    *,
    now_ms: int = 0,
) -> set[int]:
    """Which of these phones have a call that counts, or will have one."""
    with store.read() as connection:
        return set(first_calls(connection, campaign, phones, policy, now_ms=now_ms))


def _target(page: IntakePage) -> changes.Target:
    return changes.Target(page.sync, page.campaign, page.policy, page.held_as, page.windows)


def _release(
    connection: Connection,
    page: IntakePage,
    job_id: int,
    job: MappedJob,
    result: IntakeResult,
    by: By,
) -> None:
    """Give a held job what it waited for; it is staged, or it turns out to be a duplicate."""
    told = {
        "phone": job.phone,
        "body": job.body.decode(),
        "zone": job.zone,
        "finish_at": to_ms_or_none(job.finish_at),
        "ends_at": to_ms_or_none(job.ends_at),
        "window_id": None if job.window is None else page.windows[job.window.digest],
    }
    if job.held is not None or remap(connection, job_id, told):
        return
    taken = first_calls(connection, page.campaign, [job.phone], page.policy, now_ms=by.at_ms)
    barred, _ = listed_in(connection, page.policy.lists, [job.phone], [])
    state, reason = first_state(job, taken, page.held_as, barred=bool(barred))
    moved = connection.execute(
        call_jobs.update()
        .where(call_jobs.c.id == job_id, call_jobs.c.state == JobState.HELD)
        .values(**told, state=state, reason=reason, duplicate_of=taken.get(job.phone))
    ).rowcount
    if moved and state is JobState.HELD:
        reason_changed(connection, [job_id], why=str(reason), by=by)
        result.released += 1
    elif moved:
        why = reason or "mapped_anew"
        jobs_moved(
            connection,
            [(job_id, page.sync)],
            campaign=page.campaign,
            old=JobState.HELD,
            new=state,
            why=why,
            by=by,
        )
        result.released += 1


def _move_cursor(connection: Connection, page: IntakePage, by: By) -> None:
    values = {
        "cursor": orjson.dumps(page.cursor).decode(),
        "mapping_digest": page.mapping_digest,
        "polled_at": by.at_ms,
    }
    statement = upsert(connection.dialect.name, syncs).values(name=page.sync, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
