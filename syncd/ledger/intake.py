"""Transaction A: a page's leads, its staged jobs, its rejections and the cursor, together.

The cursor moves only with the leads that it covers, so nothing is lost; a key is stored once and a
phone is staged once a campaign, so nobody is called twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from syncd.clock import to_ms
from syncd.core.call_job import PHONE_KNOWN, JobState
from syncd.core.call_policy import DEFAULT, CallPolicy
from syncd.core.mapping import MappedJob
from syncd.core.withdrawal import SUPPRESSED
from syncd.errors import Transient
from syncd.ledger import changes, rejections, tombstones
from syncd.ledger.changes import Remapped
from syncd.ledger.first_calls import first_calls, lock_all, lock_campaign
from syncd.ledger.guards import reason_changed, remap
from syncd.ledger.intake_sql import (
    INSERT_JOBS,
    INSERT_LEADS,
    NAME_FIRST,
)
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By, jobs_moved
from syncd.ledger.rejections import NewRejection
from syncd.ledger.schema import call_jobs, leads, syncs
from syncd.ledger.sql import storable, take_ids, upsert
from syncd.ledger.store import Store
from syncd.ledger.suppressions import barred_keys, listed_in

FIRST_GENERATION = 1


class NewLead(NamedTuple):
    """A record that was mapped and that the ledger lacks; a light tuple, for there are many."""

    key: str
    revision: int
    line: int
    job: MappedJob
    watched: int | None = None


@dataclass(slots=True)
class IntakePage:
    """Everything that one page of a source brought."""

    sync: str
    campaign: str
    origin: str
    mapping_digest: str  #: under which the cursor was reached
    cursor: Mapping[str, object] | None = None  #: None: leave the live cursor alone
    policy: CallPolicy = DEFAULT
    held_as: str | None = None  #: why jobs wait that could be staged: their poll is judged first
    new: list[NewLead] = field(default_factory=list)
    changed: list[tuple[int, int]] = field(default_factory=list)  # lead ID, new revision
    released: list[tuple[int, MappedJob]] = field(default_factory=list)  # held job, mapped anew
    remapped: list[Remapped] = field(default_factory=list)  # changed so that it counts
    watched: list[tuple[int, int]] = field(default_factory=list)  # lead ID, digest
    rejections: list[NewRejection] = field(default_factory=list)
    good_keys: list[str] = field(default_factory=list)  # their old rejections are settled


@dataclass(slots=True)
class IntakeResult:
    """How many call jobs the page made, by state, and how many held ones it released.

    Those that wait for the judgement of their poll count as staged, or released.
    """

    staged: int = 0
    held: int = 0
    duplicate: int = 0
    released: int = 0
    cancelled: int = 0  #: new, and on a do-not-call list
    changes: Mapping[str, int] = field(default_factory=dict)  #: see changes.apply
    erased: int = 0


def store_page(store: Store, page: IntakePage, *, by: By) -> IntakeResult:
    """Commit the page: all of it or nothing.

    Raises:
        Transient: another process stored a lead of this page, or took the sync over, meanwhile.
    """
    assert len({lead.key for lead in page.new}) == len(page.new), "a key stands once in a page"
    try:
        return _store_page(store, page, by)
    except IntegrityError:
        raise Transient("another process stored leads of this page meanwhile") from None


def _store_page(store: Store, page: IntakePage, by: By) -> IntakeResult:
    result = IntakeResult()
    with store.write() as connection:
        check_lease(connection, by.lease)
        lock_all(connection, page.policy)
        lock_campaign(connection, page.campaign)
        result.erased = tombstones.block(connection, page)
        _insert_new(connection, page, result, by)
        changes.revise(connection, page.changed, by)
        changes.watch(connection, page.watched)
        for job_id, job in page.released:
            _release(connection, page, job_id, job, result, by)
        result.changes = changes.apply(connection, _target(page), page.remapped, by)
        result.staged += result.changes.get("staged", 0)
        rejections.settle(connection, page.sync, page.good_keys, by)
        rejections.store(connection, page.sync, page.origin, page.rejections, by)
        if page.cursor is not None:
            _move_cursor(connection, page, by)
    return result


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


def _insert_new(connection: Connection, page: IntakePage, result: IntakeResult, by: By) -> None:
    if not page.new:
        return
    phones = [lead.job.phone for lead in page.new]
    taken = first_calls(connection, page.campaign, phones, page.policy, now_ms=by.at_ms)
    barred = barred_keys(connection, page.policy.lists, page.new)
    lead_ids = take_ids(connection, leads, len(page.new))
    job_ids = take_ids(connection, call_jobs, len(page.new))
    lead_rows: list[tuple[object, ...]] = []
    job_rows: list[tuple[object, ...]] = []
    moved: dict[tuple[JobState, str], list[tuple[int, str]]] = {}
    firsts: list[tuple[int, int]] = []
    for lead_id, job_id, lead in zip(lead_ids, job_ids, page.new, strict=True):
        job = lead.job
        state, reason = _first_state(job, taken, page.held_as, barred=lead.key in barred)
        if state is JobState.DUPLICATE:
            firsts.append((job_id, taken[job.phone]))
        elif job.held is None and page.policy.per_phone and state is not JobState.CANCELLED:
            taken[job.phone] = job_id
        lead_rows.append((lead_id, lead.key, lead.revision, lead.line))
        body = job.body.decode()
        job_rows.append(
            (job_id, lead_id, job.phone, state.value, reason, body, job.zone, _finish_ms(job))
        )
        moved.setdefault((state, reason or "new_lead"), []).append((job_id, page.sync))
    _insert_rows(connection, page, lead_rows, job_rows, by)
    if firsts:
        NAME_FIRST(connection, rows=firsts)
    if page.policy.change_columns:
        watched = [lead.watched for lead in page.new]
        changes.watch(connection, list(zip(lead_ids, watched, strict=True)))
    for (state, why), jobs in moved.items():
        jobs_moved(connection, jobs, campaign=page.campaign, old="", new=state, why=why, by=by)
        counted = JobState.STAGED if why == page.held_as else state
        setattr(result, counted.value, getattr(result, counted.value) + len(jobs))


def _insert_rows(
    connection: Connection,
    page: IntakePage,
    lead_rows: list[tuple[object, ...]],
    job_rows: list[tuple[object, ...]],
    by: By,
) -> None:
    INSERT_LEADS(
        connection,
        rows=lead_rows,
        sync=page.sync,
        origin=storable(page.origin),
        seen_at=by.at_ms,
        pass_id=by.pass_id,
    )
    INSERT_JOBS(
        connection,
        rows=job_rows,
        sync=page.sync,
        campaign=page.campaign,
        generation=FIRST_GENERATION,
        created_at=by.at_ms,
    )


def _target(page: IntakePage) -> changes.Target:
    return changes.Target(page.sync, page.campaign, page.policy, page.held_as)


def _finish_ms(job: MappedJob) -> int | None:
    return None if job.finish_at is None else to_ms(job.finish_at)


def _first_state(
    job: MappedJob, taken: Mapping[int, int], held_as: str | None, *, barred: bool
) -> tuple[JobState, str | None]:
    if barred:
        return JobState.CANCELLED, SUPPRESSED
    if job.held is not None:
        return JobState.HELD, job.held
    if job.phone in taken:
        return JobState.DUPLICATE, PHONE_KNOWN
    return (JobState.STAGED, None) if held_as is None else (JobState.HELD, held_as)


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
        "finish_at": _finish_ms(job),
    }
    if job.held is not None or remap(connection, job_id, told):
        return
    taken = first_calls(connection, page.campaign, [job.phone], page.policy, now_ms=by.at_ms)
    barred, _ = listed_in(connection, page.policy.lists, [job.phone], [])
    state, reason = _first_state(job, taken, page.held_as, barred=bool(barred))
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
