"""Erasing a person: phone, key and payload leave every table; a keyed digest stays.

One transaction. The bytes of an open batch never change, so a person in one is not erased before
that batch has its answer. What the vendor holds of the person is for the vendor to erase.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import ColumnElement, Connection, String, cast, func, literal, or_, select

from syncd.core.call_job import BatchState, JobState
from syncd.core.erasure import ERASED, ERASED_PHONE, key_digest, phone_digest
from syncd.errors import Transient
from syncd.ledger import tombstones
from syncd.ledger.call_windows import forget_unused
from syncd.ledger.moves import By, move_jobs, write_journal
from syncd.ledger.persons import Person, find
from syncd.ledger.schema import batches, call_jobs, leads, rejections
from syncd.ledger.schema_guards import suppressions
from syncd.ledger.schema_reports import attempts, reports
from syncd.ledger.sql import POSTGRESQL, chunks
from syncd.ledger.store import Store

_EMPTY = "{}"
_MASK = "erased"
#: What an open job of an erased person becomes; a sealed one makes the erasure wait.
_ENDS: Mapping[JobState, JobState] = {
    JobState.HELD: JobState.CANCELLED,
    JobState.STAGED: JobState.CANCELLED,
    JobState.PARKED: JobState.CANCELLED,
    JobState.ACCEPTED: JobState.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, without anything about the person: the evidence."""

    ledger_id: str
    erased_at_ms: int
    rows: Mapping[str, int]  #: table to rows from which something was removed
    tombstones: Mapping[str, str]  #: digest to kind (phone, key)

    @property
    def digest(self) -> str:
        """The SHA-256 of the evidence, as the journal keeps it."""
        told = [self.ledger_id, self.erased_at_ms, dict(self.rows), dict(self.tombstones)]
        return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def erase(
    store: Store,
    ledger_id: str,
    *,
    key: str | None = None,
    phones: Collection[int] = (),
    sync: str | None = None,
    settled: Collection[int] = (),
    by: By,
) -> Erasure:
    """Erase the person with this key, or one of these phones, and put up the tombstones.

    Args:
        settled: accepted jobs of which the vendor has said whether it cancelled them, or for
            which a person does not want to wait.

    Raises:
        Transient: a job of theirs is in a batch without an answer, or was accepted meanwhile;
            nothing was done.
    """
    with store.write("person.erase") as connection:
        if connection.dialect.name != POSTGRESQL:
            # What is overwritten in the file's pages is zeros from now on, not the old bytes.
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        who = find(connection, key=key, phones=phones, sync=sync, lock=True)
        refuse_open(who, settled)
        digests = digests_of(connection, who)
        rows = Counter(tombstones=tombstones.put(connection, digests, by))
        _end_jobs(connection, who, by)
        for erase_rows in (_erase_jobs, _erase_reports, _erase_lists):
            rows.update(erase_rows(connection, who))
        done = Erasure(ledger_id, by.at_ms, dict(sorted(rows.items())), digests)
        write_journal(
            connection,
            "erasure",
            [lead[0] for lead in who.leads],
            old="known",
            new=ERASED,
            why=ERASED,
            by=by,
            target=done.digest,
        )
    return done


def digests_of(connection: Connection, who: Person) -> dict[str, str]:
    """Digest to kind of all that names the person."""
    pepper = tombstones.pepper_of(connection)
    phones = {phone_digest(pepper, phone): "phone" for phone in sorted(who.phones)}
    return phones | {key_digest(pepper, sync, key): "key" for sync, key in sorted(who.keys)}


def refuse_open(who: Person, settled: Collection[int]) -> None:
    """Raise Transient while a call of theirs is in an open batch, or accepted and not settled."""
    if who.in_state(JobState.SEALED):
        raise Transient(
            "a call to this person is in a batch that has no answer yet; nothing was erased",
            hint="try again once `syncd explain` says no longer sealed: its batch may be in doubt",
        )
    if any(job.id not in settled for job in who.in_state(JobState.ACCEPTED)):
        raise Transient(
            "the vendor has accepted a call to this person meanwhile; nothing was erased",
            hint="try again: it is cancelled there first",
        )


def _end_jobs(connection: Connection, who: Person, by: By) -> None:
    groups: dict[tuple[str, JobState], list[tuple[int, str]]] = {}
    for job in who.in_state(*_ENDS):
        groups.setdefault((job.campaign, job.state), []).append((job.id, job.sync))
    for (campaign, old), jobs in groups.items():
        move_jobs(
            connection,
            jobs,
            campaign=campaign,
            old=old,
            new=_ENDS[old],
            why=ERASED,
            by=by,
            values={"reason": ERASED},
        )
    for batch_id, n in Counter(job.batch_id for job in who.in_state(JobState.ACCEPTED)).items():
        connection.execute(
            batches.update()
            .where(batches.c.id == batch_id)
            .values(open_jobs=batches.c.open_jobs - n)
        )


def _erase_jobs(connection: Connection, who: Person) -> Counter[str]:
    rows = Counter(leads=0, call_jobs=0, batches=0)
    for some in chunks([job.id for job in who.jobs]):
        gone = {
            "phone": ERASED_PHONE,
            "body": _EMPTY,
            "zone": None,
            "finish_at": None,
            "ends_at": None,
            "window_id": None,
        }
        rows["call_jobs"] += connection.execute(
            call_jobs.update().where(call_jobs.c.id.in_(some)).values(gone)
        ).rowcount
    rows["call_windows"] = forget_unused(connection)
    for some in chunks(sorted({job.batch_id for job in who.jobs if job.batch_id is not None})):
        # The digest of a short body could be found by trying bodies.
        closed = batches.c.state.not_in((BatchState.SEALED, BatchState.SENT))
        change = batches.update().where(batches.c.id.in_(some), closed)
        rows["batches"] += connection.execute(change.values(body=None, body_digest=_MASK)).rowcount
    for some in chunks([lead[0] for lead in who.leads]):
        rows["leads"] += connection.execute(
            leads.update()
            .where(leads.c.id.in_(some))
            .values(
                key=literal(f"{_MASK}:").concat(cast(leads.c.id, String)),
                revision=0,
                watched_digest=None,
                origin=_MASK,
                line=0,
            )
        ).rowcount
    return rows


def _erase_reports(connection: Connection, who: Person) -> Counter[str]:
    """Reports of their jobs, and of other calls to their phones; then their attempts."""
    rows = Counter(reports=0, attempts=0)
    ids: set[tuple[str, str]] = set()
    wanted: list[tuple[ColumnElement[int | None], list[int]]] = [
        (reports.c.job_id, [job.id for job in who.jobs]),
        (reports.c.phone, sorted(who.phones)),
    ]
    for column, values in wanted:
        for some in chunks(values):
            found = select(reports.c.campaign, reports.c.call_job_id).where(column.in_(some))
            ids |= {(row[0], row[1]) for row in connection.execute(found)}
    by_campaign: dict[str, list[str]] = {}
    for campaign, id_ in sorted(ids):
        by_campaign.setdefault(campaign, []).append(id_)
    for campaign, listed in by_campaign.items():
        for names in chunks(listed):
            where = (reports.c.campaign == campaign) & reports.c.call_job_id.in_(names)
            # Nobody asks for attempts of theirs any more.
            asked = func.coalesce(reports.c.attempts_count, 0)
            rows["reports"] += connection.execute(
                reports.update().where(where).values(raw=_EMPTY, phone=None, attempts_asked=asked)
            ).rowcount
            where = (attempts.c.campaign == campaign) & attempts.c.call_job_id.in_(names)
            rows["attempts"] += connection.execute(
                attempts.update().where(where).values(raw=_EMPTY)
            ).rowcount
    return rows


def _erase_lists(connection: Connection, who: Person) -> Counter[str]:
    """Rejections of their keys, and their entries of do-not-call lists: a tombstone says more."""
    rows = Counter(rejections=0, suppressions=0)
    for sync, key in sorted(who.keys):
        named = (rejections.c.sync == sync) & (rejections.c.key == key)
        rows["rejections"] += connection.execute(rejections.delete().where(named)).rowcount
    phones = [spelling for phone in who.phones for spelling in (str(phone), f"+{phone}")]
    listed = (suppressions.c.kind == "phone") & suppressions.c.value.in_(phones)
    keyed = (suppressions.c.kind == "key") & suppressions.c.value.in_(
        sorted({key for _, key in who.keys})
    )
    rows["suppressions"] += connection.execute(
        suppressions.delete().where(or_(listed, keyed))
    ).rowcount
    return rows
