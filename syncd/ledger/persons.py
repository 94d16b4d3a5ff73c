"""Finding a person: the leads of a key or phone, and all that hangs on them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from syncd.core.call_job import JobState
from syncd.core.erasure import ERASED_PHONE
from syncd.ledger.mismatches import is_of_another_phone
from syncd.ledger.rejections import of_key
from syncd.ledger.schema import call_jobs, job_counts, leads, rejections
from syncd.ledger.schema_reports import reports
from syncd.ledger.sql import IN_MAX, chunks
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class PersonJob:
    """A call job of the person."""

    id: int
    lead_id: int
    sync: str
    campaign: str
    state: JobState
    phone: int
    call_job_id: str | None
    batch_id: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person as the ledger knows them: leads with one phone in common, or one key."""

    leads: tuple[tuple[int, str, str], ...] = ()  #: ID, sync, key
    phones: frozenset[int] = frozenset()
    jobs: tuple[PersonJob, ...] = ()
    keys: frozenset[tuple[str, str]] = frozenset()  #: sync and key, also of rejections
    #: The vendor's IDs of calls that have not ended (a job's own, call-backs), with their job.
    open_calls: tuple[tuple[str, str, int], ...] = ()  #: campaign, ID, job
    #: Accepted jobs whose ID is another phone's, by its report: not to be cancelled by it.
    mismatched: frozenset[int] = frozenset()

    def in_state(self, *states: JobState) -> list[PersonJob]:
        """Their jobs in these states."""
        return [job for job in self.jobs if job.state in states]


def person(
    store: Store, *, key: str | None = None, phones: Collection[int] = (), sync: str | None = None
) -> Person:
    """Who has this key (in this sync, or in any) or one of these phones; may be nobody."""
    with store.read() as connection:
        return find(connection, key=key, phones=phones, sync=sync)


def find(
    connection: Connection,
    *,
    key: str | None,
    phones: Collection[int],
    sync: str | None,
    lock: bool = False,
) -> Person:
    """The person, in one transaction with what follows; `lock` keeps their jobs as they are.

    A lead of the key brings its phones, and these bring every other lead that has one of them.
    """
    found = _of_key(connection, key, sync) if key is not None else []
    jobs = _jobs(connection, [lead[0] for lead in found], lock=lock)
    all_phones = {*phones, *(job.phone for job in jobs)} - {ERASED_PHONE}
    more = _leads_of_phones(connection, all_phones, {lead[0] for lead in found})
    found += more
    jobs += _jobs(connection, [lead[0] for lead in more], lock=lock)
    all_phones |= {job.phone for job in jobs} - {ERASED_PHONE}
    keys = {(lead[1], lead[2]) for lead in found}
    if key is not None:
        keys |= {(of, key) for of in _rejecting_syncs(connection, key, sync)}
    mismatched = _mismatched(connection, jobs)
    return Person(
        leads=tuple(sorted(found)),
        phones=frozenset(all_phones),
        jobs=tuple(sorted(jobs, key=lambda job: job.id)),
        keys=frozenset(keys),
        open_calls=_open_calls(connection, jobs, mismatched),
        mismatched=mismatched,
    )


def _of_key(connection: Connection, key: str, sync: str | None) -> list[tuple[int, str, str]]:
    # Naming every sync lets the index of (sync, key) answer; likewise the campaigns below.
    syncs = select(job_counts.c.sync) if sync is None else [sync]
    query = select(leads.c.id, leads.c.sync, leads.c.key)
    rows = connection.execute(query.where(leads.c.sync.in_(syncs), leads.c.key == key))
    return [(row[0], row[1], row[2]) for row in rows]


def _leads_of_phones(
    connection: Connection, phones: set[int], known: set[int]
) -> list[tuple[int, str, str]]:
    found: dict[int, tuple[int, str, str]] = {}
    for some in chunks(sorted(phones)):
        query = (
            select(leads.c.id, leads.c.sync, leads.c.key)
            .join(call_jobs, call_jobs.c.lead_id == leads.c.id)
            .where(
                call_jobs.c.campaign.in_(select(job_counts.c.campaign)), call_jobs.c.phone.in_(some)
            )
        )
        found |= {row[0]: (row[0], row[1], row[2]) for row in connection.execute(query)}
    return [lead for id_, lead in found.items() if id_ not in known]


def _jobs(connection: Connection, lead_ids: list[int], *, lock: bool) -> list[PersonJob]:
    columns = (call_jobs.c[name] for name in PersonJob.__dataclass_fields__)
    query = select(*columns).order_by(call_jobs.c.id)
    if lock:
        query = query.with_for_update()
    return [
        PersonJob(row[0], row[1], row[2], row[3], JobState(row[4]), *row[5:])
        for some in chunks(lead_ids, IN_MAX)
        for row in connection.execute(query.where(call_jobs.c.lead_id.in_(some)))
    ]


def _rejecting_syncs(connection: Connection, key: str, sync: str | None) -> list[str]:
    rows = connection.execute(select(rejections.c.sync).where(of_key(key)))
    return [row[0] for row in rows if sync in (None, row[0])]


def _mismatched(connection: Connection, jobs: list[PersonJob]) -> frozenset[int]:
    found: set[int] = set()
    for some in chunks([job.id for job in jobs if job.state is JobState.ACCEPTED]):
        query = select(call_jobs.c.id).where(call_jobs.c.id.in_(some), is_of_another_phone())
        found.update(connection.execute(query).scalars())
    return frozenset(found)


def _open_calls(
    connection: Connection, jobs: list[PersonJob], mismatched: Collection[int]
) -> tuple[tuple[str, str, int], ...]:
    """Accepted jobs, and calls of theirs that a report has shown without an end (call-backs)."""
    calls = {
        (job.campaign, job.call_job_id, job.id)
        for job in jobs
        if job.state is JobState.ACCEPTED and job.call_job_id and job.id not in mismatched
    }
    for some in chunks([job.id for job in jobs]):
        query = select(reports.c.campaign, reports.c.call_job_id, reports.c.job_id)
        rows = connection.execute(
            query.where(reports.c.job_id.in_(some), reports.c.finished_at.is_(None))
        )
        calls |= {(row[0], row[1], row[2]) for row in rows}
    return tuple(sorted(calls))
