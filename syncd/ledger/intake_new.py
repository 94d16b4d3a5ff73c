"""The new leads of a page and their call jobs: staged, or sealed at once where that was ordered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from syncd.clock import from_ms, to_ms
from syncd.core.batch import StagedJob, plan_batch
from syncd.core.call_job import PHONE_KNOWN, JobState
from syncd.core.mapping import MappedJob
from syncd.core.withdrawal import SUPPRESSED
from syncd.ledger import changes
from syncd.ledger.day_use import take_room
from syncd.ledger.first_calls import first_calls
from syncd.ledger.intake_page import IntakePage, IntakeResult, NewLead, SealOrder
from syncd.ledger.intake_sql import INSERT_JOBS, INSERT_LEADS, NAME_FIRST
from syncd.ledger.moves import By, jobs_moved
from syncd.ledger.schema import call_jobs, leads
from syncd.ledger.sealing import journal_sealed, new_batch
from syncd.ledger.sql import storable, take_ids
from syncd.ledger.suppressions import barred_keys

FIRST_GENERATION = 1

#: A batch goes at once when it is this full; what is left over waits for the next page.
_FULL_ENOUGH = 0.8


def insert_new(
    connection: Connection, ledger_id: str, page: IntakePage, result: IntakeResult, by: By
) -> None:
    """Store the page's new leads, each with its first call job, in the caller's transaction."""
    if not page.new:
        return
    lead_ids = take_ids(connection, leads, len(page.new))
    job_ids = take_ids(connection, call_jobs, len(page.new))
    states, firsts = _first_states(connection, page, job_ids, by)
    batch_of = _seal_ordered(connection, ledger_id, page, job_ids, states, result, by)
    _insert_leads(connection, page, lead_ids, by)
    _insert_jobs(connection, page, lead_ids, job_ids, states, batch_of, by)
    if firsts:
        NAME_FIRST(connection, rows=firsts)
    if page.policy.change_columns:
        watched = [lead.watched for lead in page.new]
        changes.watch(connection, list(zip(lead_ids, watched, strict=True)))
    _journal(connection, page, job_ids, states, result, by)
    for batch in result.sealed:
        journal_sealed(connection, batch, by)


_State = tuple[JobState, str | None]


def _first_states(
    connection: Connection, page: IntakePage, job_ids: Sequence[int], by: By
) -> tuple[list[_State], list[tuple[int, int]]]:
    """State and reason of each new job, and (duplicate, first) of those whose phone is taken."""
    phones = [lead.job.phone for lead in page.new]
    taken = first_calls(connection, page.campaign, phones, page.policy, now_ms=by.at_ms)
    barred = barred_keys(connection, page.policy.lists, page.new)
    if not (taken or barred or page.held_as) and _all_plain(page.new, phones):
        return [_STAGED] * len(phones), []
    states: list[_State] = []
    firsts: list[tuple[int, int]] = []
    for job_id, lead in zip(job_ids, page.new, strict=True):
        job = lead.job
        first = first_state(job, taken, page.held_as, barred=lead.key in barred)
        states.append(first)
        if first[0] is JobState.DUPLICATE:
            firsts.append((job_id, taken[job.phone]))
        elif job.held is None and page.policy.per_phone and first[0] is not JobState.CANCELLED:
            taken[job.phone] = job_id
    return states, firsts


def _all_plain(new: Sequence[NewLead], phones: Sequence[int]) -> bool:
    """Whether no job is held and no phone stands twice: the common case, at a third of the cost."""
    return len(set(phones)) == len(phones) and all(lead.job.held is None for lead in new)


def first_state(
    job: MappedJob, taken: Mapping[int, int], held_as: str | None, *, barred: bool
) -> _State:
    """The state in which a job begins, and the reason for any other than staged."""
    if barred:
        return JobState.CANCELLED, SUPPRESSED
    if job.held is not None:
        return JobState.HELD, job.held
    if job.phone in taken:
        return JobState.DUPLICATE, PHONE_KNOWN
    return _STAGED if held_as is None else (JobState.HELD, held_as)


_STAGED: _State = (JobState.STAGED, None)


def _seal_ordered(
    connection: Connection,
    ledger_id: str,
    page: IntakePage,
    job_ids: Sequence[int],
    states: Sequence[_State],
    result: IntakeResult,
    by: By,
) -> dict[int, int]:
    """Insert the batches that the page's order asks for; job to batch."""
    if page.seal is None:
        return {}
    now, sync = from_ms(by.at_ms), page.sync
    ready = [
        StagedJob(job_id, FIRST_GENERATION, lead.job.phone, lead.job.item, sync)
        for job_id, lead, state in zip(job_ids, page.new, states, strict=True)
        if state is _STAGED and (lead.job.finish_at is None or lead.job.finish_at > now)
    ]
    batch_of: dict[int, int] = {}
    for planned in _batches(ready, page.seal, _batches_today(connection, page, now)):
        batch = new_batch(connection, ledger_id, page.campaign, planned, None, now, by)
        result.sealed.append(batch)
        batch_of.update(dict.fromkeys([job.id for job in planned], batch.id))
    return batch_of


def _batches_today(connection: Connection, page: IntakePage, now: datetime) -> int:
    """How many whole batches the order asks for and the campaign's day has room for."""
    order = page.seal
    if order is None:
        return 0
    whole = order.phones_max * order.batches_max
    room = take_room(connection, page.campaign, order.limit, phones_max=whole, now=now)
    return room // order.phones_max


def _batches(
    ready: list[StagedJob], order: SealOrder, batches_max: int
) -> Iterator[list[StagedJob]]:
    """Batches that are full, or nearly so, in the order of the jobs."""
    for _ in range(batches_max):
        planned = plan_batch(ready, phones_max=order.phones_max)
        if len(planned) < order.phones_max * _FULL_ENOUGH:
            return
        yield planned
        if planned == ready[: len(planned)]:
            ready = ready[len(planned) :]
        else:  # a phone that stands twice waits for the next batch
            taken = {job.id for job in planned}
            ready = [job for job in ready if job.id not in taken]


def _insert_leads(
    connection: Connection, page: IntakePage, lead_ids: Sequence[int], by: By
) -> None:
    INSERT_LEADS(
        connection,
        rows=[
            (lead_id, lead.key, lead.revision, lead.line)
            for lead_id, lead in zip(lead_ids, page.new, strict=True)
        ],
        sync=page.sync,
        origin=storable(page.origin),
        seen_at=by.at_ms,
        pass_id=by.pass_id,
    )


def _insert_jobs(
    connection: Connection,
    page: IntakePage,
    lead_ids: Sequence[int],
    job_ids: Sequence[int],
    states: Sequence[_State],
    batch_of: Mapping[int, int],
    by: By,
) -> None:
    rows: list[tuple[object, ...]] = []
    windows = page.windows
    for job_id, lead_id, lead, (state, reason) in zip(
        job_ids, lead_ids, page.new, states, strict=True
    ):
        job, batch_id = lead.job, batch_of.get(job_id)
        value = state.value if batch_id is None else JobState.SEALED.value
        end = None if job.finish_at is None else to_ms(job.finish_at)
        own_end = None if job.ends_at is None else to_ms(job.ends_at)
        window = None if job.window is None else windows[job.window.digest]
        rows.append(
            (
                job_id,
                lead_id,
                job.phone,
                value,
                reason,
                job.body.decode(),
                job.zone,
                end,
                own_end,
                window,
                batch_id,
            )
        )
    INSERT_JOBS(
        connection,
        rows=rows,
        sync=page.sync,
        campaign=page.campaign,
        generation=FIRST_GENERATION,
        created_at=by.at_ms,
    )


def _journal(
    connection: Connection,
    page: IntakePage,
    job_ids: Sequence[int],
    states: Sequence[_State],
    result: IntakeResult,
    by: By,
) -> None:
    """Journal and count the jobs by the state in which they began."""
    moved: dict[_State, list[tuple[int, str]]] = {}
    for job_id, first in zip(job_ids, states, strict=True):
        moved.setdefault(first, []).append((job_id, page.sync))
    for (state, reason), jobs in moved.items():
        why = reason or "new_lead"
        jobs_moved(connection, jobs, campaign=page.campaign, old="", new=state, why=why, by=by)
        counted = JobState.STAGED if why == page.held_as else state
        setattr(result, counted.value, getattr(result, counted.value) + len(jobs))
