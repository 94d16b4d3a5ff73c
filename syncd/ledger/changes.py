"""What a changed row does to the calls of its lead, in the transaction that stores its page.

The old content ends where it was not sent; new content is a job of its own, so that the history of
a lead shows both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, func, select

from syncd.clock import to_ms_or_none
from syncd.core.call_job import PHONE_KNOWN, JobState
from syncd.core.call_policy import CallPolicy, ChangeStep, decide_change
from syncd.core.mapping import HELD_NO_ZONE, MappedJob
from syncd.core.withdrawal import LEFT_SOURCE, ROW_CHANGED, SUPPRESSED, WAITS_FOR_CANCEL
from syncd.ledger.call_windows import basis_of
from syncd.ledger.first_calls import Caller, callers, keeps_back
from syncd.ledger.intake_sql import INSERT_JOBS, NAME_FIRST
from syncd.ledger.moves import By, jobs_moved
from syncd.ledger.schema import call_jobs, leads
from syncd.ledger.settling import is_for_good
from syncd.ledger.sql import as_json, json_rows, one_of, take_ids
from syncd.ledger.suppressions import listed_in
from syncd.ledger.withdrawals import UNSENT, OpenJob, end_unsent, withdraw_in

_FIRST_GENERATION = 1


class Remapped(NamedTuple):
    """A known lead whose row changed so that it counts, as it would be sent now."""

    lead_id: int
    job: MappedJob
    changed: bool = True
    forced: bool = False  #: a watched column changed: it counts even when the same would be sent
    returned: bool = False  #: its row had left the source, and is there again


@dataclass(frozen=True, slots=True)
class Target:
    """Where new jobs go, and by which rules."""

    sync: str
    campaign: str
    policy: CallPolicy
    #: why jobs wait that could be staged: their poll is judged first
    held_as: str | None = None
    windows: Mapping[str, int] = field(default_factory=dict)  #: ID by digest


class _New(NamedTuple):
    """A job to be inserted: whose, with which content, and how it begins."""

    lead_id: int
    job: MappedJob
    state: JobState
    reason: str | None
    duplicate_of: int | None


def revise(connection: Connection, changed: Sequence[tuple[int, int]], by: By) -> None:
    """Keep the new revisions of leads (lead ID, revision)."""
    if not changed:
        return
    types = {"lead": leads.c.id.type, "revision": leads.c.revision.type}
    given = json_rows(connection.dialect.name, as_json(changed), **types)
    connection.execute(
        leads.update()
        .where(leads.c.id == given.c.lead)
        .values(revision=given.c.revision, changed_at=by.at_ms)
    )


def watch(connection: Connection, digests: Sequence[tuple[int, int | None]]) -> None:
    """Keep the digests of the columns whose change counts (lead ID, digest)."""
    if not digests:
        return
    types = {"lead": leads.c.id.type, "digest": leads.c.watched_digest.type}
    given = json_rows(connection.dialect.name, as_json(digests), **types)
    statement = leads.update().where(leads.c.id == given.c.lead)
    connection.execute(statement.values(watched_digest=given.c.digest))


def apply(
    connection: Connection, target: Target, changed: Sequence[Remapped], by: By
) -> Counter[str]:
    """Let the changes have their effect; counts `replaced`, `again`, `to_cancel` and `staged`."""
    counts: Counter[str] = Counter()
    if not changed:
        return counts
    _note_returned(connection, [one.lead_id for one in changed if one.returned])
    newest = _newest(connection, [one.lead_id for one in changed])
    phones = [one.job.phone for one in changed]
    # Also where phones do not count: a lead's own call may be too fresh.
    asked = replace(target.policy, per_phone=True)
    found = callers(connection, target.campaign, phones, asked, now_ms=by.at_ms)
    known: dict[int, list[Caller]] = {}
    for caller in found:
        known.setdefault(caller.phone, []).append(caller)
    barred = _barred(connection, target, changed)
    new: list[_New] = []
    for one in changed:
        on_list = one.lead_id in barred
        old = newest.get(one.lead_id)
        made = _change(connection, target, one, old, known, counts, by, on_list=on_list)
        if made is None:
            continue
        new.append(made)
        if _will_go(made, target):
            mine = Caller(made.job.phone, 0, made.lead_id, JobState.STAGED)
            known.setdefault(made.job.phone, []).append(mine)
    _insert(connection, target, new, counts, by)
    return counts


def _note_returned(connection: Connection, lead_ids: Sequence[int]) -> None:
    if lead_ids:
        mine = one_of(connection.dialect.name, leads.c.id, as_json(lead_ids))
        connection.execute(leads.update().where(mine).values(withdrawn_at=None))


def _barred(connection: Connection, target: Target, changed: Sequence[Remapped]) -> set[int]:
    """Which of the leads are on a do-not-call list that holds for the sync."""
    if not target.policy.lists:
        return set()
    ids = [one.lead_id for one in changed]
    mine = one_of(connection.dialect.name, leads.c.id, as_json(ids))
    rows = connection.execute(select(leads.c.key, leads.c.id).where(mine))
    keys: dict[str, int] = {row[0]: row[1] for row in rows}
    phones = [one.job.phone for one in changed]
    bad_phones, bad_keys = listed_in(connection, target.policy.lists, phones, list(keys))
    by_phone = {one.lead_id for one in changed if one.job.phone in bad_phones}
    return by_phone | {keys[key] for key in bad_keys}


def _newest(connection: Connection, lead_ids: Sequence[int]) -> Mapping[int, RowMapping]:
    of_leads = one_of(connection.dialect.name, call_jobs.c.lead_id, as_json(lead_ids))
    last = select(func.max(call_jobs.c.id)).where(of_leads).group_by(call_jobs.c.lead_id)
    rows = connection.execute(
        select(call_jobs).where(call_jobs.c.id.in_(last)).order_by(call_jobs.c.id).with_for_update()
    )
    return {row["lead_id"]: row for row in rows.mappings()}


def _change(
    connection: Connection,
    target: Target,
    one: Remapped,
    old: RowMapping | None,
    known: Mapping[int, list[Caller]],
    counts: Counter[str],
    by: By,
    *,
    on_list: bool,
) -> _New | None:
    """Do what the policy says with the old job; the new one that follows, if any."""
    if old is None:
        return None
    state, reason = JobState(old["state"]), old["reason"]
    same = not one.forced and _is_same(connection, old, one.job)
    step = ChangeStep.KEEP
    if one.returned and state is JobState.CANCELLED and reason == LEFT_SOURCE:
        step = ChangeStep.ADD
    elif one.changed:
        step = decide_change(target.policy.on_change, state, reason, same_content=same)
    if step is ChangeStep.KEEP:
        return None
    if step is ChangeStep.RECORD:
        counts["duplicate"] += 1
        return _New(one.lead_id, one.job, JobState.DUPLICATE, PHONE_KNOWN, old["id"])
    if step is ChangeStep.CANCEL:
        return _cancel_first(connection, one, old["id"], counts, by, on_list=on_list)
    if step is ChangeStep.REPLACE:
        job = OpenJob(old["id"], old["sync"], old["campaign"], state)
        end_unsent(connection, [job], why=ROW_CHANGED, by=by)
        counts["replaced"] += 1
    made = _first_state(connection, target, one, old, known, on_list=on_list)
    if made.state is JobState.DUPLICATE is state and old["phone"] == one.job.phone:
        return None  # it says already whose call keeps it back
    counts["again"] += step is ChangeStep.ADD
    return made


def _cancel_first(
    connection: Connection,
    one: Remapped,
    old_id: int,
    counts: Counter[str],
    by: By,
    *,
    on_list: bool,
) -> _New | None:
    """The old call is cancelled at the vendor; the new content waits for that, if it may go at all.

    Nobody lets go what waits for a wish that is for good, so nothing waits for one.
    """
    if on_list:
        wanted = withdraw_in(connection, [old_id], why=SUPPRESSED, by=by).wanted
        counts["to_cancel"] += wanted
        return _New(one.lead_id, one.job, JobState.CANCELLED, SUPPRESSED, None)
    if is_for_good(connection, old_id):
        return None
    withdraw_in(connection, [old_id], why=ROW_CHANGED, by=by, add_again=True)
    counts["to_cancel"] += 1
    return _New(one.lead_id, one.job, JobState.HELD, WAITS_FOR_CANCEL, None)


def _is_same(connection: Connection, old: RowMapping, job: MappedJob) -> bool:
    """Whether content, zones and hours are the same; what is sent of these goes with the day."""
    if old["body"] != job.body.decode():
        return False
    basis = None if job.window is None else job.window.basis.decode()
    return basis_of(connection, old["window_id"]) == basis


def _first_state(
    connection: Connection,
    target: Target,
    one: Remapped,
    old: RowMapping,
    known: Mapping[int, list[Caller]],
    *,
    on_list: bool,
) -> _New:
    job, policy = one.job, target.policy
    if on_list:
        return _New(one.lead_id, job, JobState.CANCELLED, SUPPRESSED, None)
    if old["state"] == JobState.HELD and old["reason"] != HELD_NO_ZONE:
        # What it waited for has not come: a guard, or the end of an older call.
        return _New(one.lead_id, job, JobState.HELD, old["reason"], None)
    if job.held is not None:
        return _New(one.lead_id, job, JobState.HELD, job.held, None)
    # One that was not sent has just ended: this takes its place.
    replaced = old["id"] if JobState(old["state"]) in UNSENT else None
    keepers = [
        caller.id
        for caller in known.get(job.phone, [])
        if caller.id != replaced and keeps_back(connection, caller, one.lead_id, policy)
    ]
    if keepers:
        return _New(one.lead_id, job, JobState.DUPLICATE, PHONE_KNOWN, min(keepers) or None)
    if target.held_as is not None:
        return _New(one.lead_id, job, JobState.HELD, target.held_as, None)
    return _New(one.lead_id, job, JobState.STAGED, None, None)


def _insert(
    connection: Connection, target: Target, new: Sequence[_New], counts: Counter[str], by: By
) -> None:
    if not new:
        return
    ids = take_ids(connection, call_jobs, len(new))
    INSERT_JOBS(
        connection,
        rows=[_row(job_id, one, target) for job_id, one in zip(ids, new, strict=True)],
        sync=target.sync,
        campaign=target.campaign,
        generation=_FIRST_GENERATION,
        created_at=by.at_ms,
    )
    firsts = [
        (job_id, one.duplicate_of)
        for job_id, one in zip(ids, new, strict=True)
        if one.duplicate_of is not None
    ]
    if firsts:
        NAME_FIRST(connection, rows=firsts)
    groups: dict[tuple[JobState, str], list[tuple[int, str]]] = {}
    for job_id, one in zip(ids, new, strict=True):
        groups.setdefault((one.state, one.reason or ROW_CHANGED), []).append((job_id, target.sync))
    for (state, why), jobs in groups.items():
        jobs_moved(connection, jobs, campaign=target.campaign, old="", new=state, why=why, by=by)
    counts["staged"] += sum(_will_go(one, target) for one in new)


def _will_go(one: _New, target: Target) -> bool:
    """Whether the job is staged, or will be once its poll was judged."""
    judged = target.held_as is not None and one.reason == target.held_as
    return one.state is JobState.STAGED or judged


def _row(job_id: int, one: _New, target: Target) -> tuple[object, ...]:
    job = one.job
    ends = (to_ms_or_none(job.finish_at), to_ms_or_none(job.ends_at))
    window = None if job.window is None else target.windows[job.window.digest]
    state, body = one.state.value, job.body.decode()
    head = (job_id, one.lead_id, job.phone, state, one.reason, body, job.zone)
    return (*head, *ends, window, None)
