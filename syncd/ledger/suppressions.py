"""Do-not-call lists as they were last read whole, and whose calls they bar.

A row that is read again costs nothing but the look-up; a row that left its list keeps its dates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import ColumnElement, Connection, Text, cast, func, select

from syncd.clock import from_ms
from syncd.core.mapping import MappedJob
from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By
from syncd.ledger.schema import call_jobs, job_counts, leads, meta
from syncd.ledger.schema_guards import cancellations, suppressions
from syncd.ledger.sql import as_json, chunks, one_of, upsert
from syncd.ledger.store import Store
from syncd.ledger.withdrawals import WITHDRAWABLE

PHONE, KEY = "phone", "key"
_STREAM_ROWS = 1_000
#: meta: when the list of that name was last read whole.
_READ_AT = "suppressions read: "


class _Lead(Protocol):
    """What is asked of a new lead."""

    @property
    def key(self) -> str: ...
    @property
    def job(self) -> MappedJob: ...


class Listed(NamedTuple):
    """One entry of a list: a phone (digits) or a lead's key."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class ListCounts:
    """What one list holds, and when it was last read whole."""

    listed: int
    gone: int
    read_at: datetime | None


def store_listed(store: Store, name: str, found: Collection[Listed], *, by: By) -> int:
    """Keep entries of a list; how many are new, or back after they had left it."""
    fresh = 0
    for kind in (PHONE, KEY):
        values = sorted({one.value for one in found if one.kind == kind})
        for some in chunks(values):
            with store.write("suppression.store") as connection:
                check_lease(connection, by.lease)
                fresh += _add(connection, name, kind, some, by)
    return fresh


def _add(connection: Connection, name: str, kind: str, values: Sequence[str], by: By) -> int:
    known = connection.execute(
        select(suppressions.c.value).where(
            *_of(name, kind), suppressions.c.gone_at.is_(None), _among(connection, values)
        )
    ).scalars()
    missing = sorted(set(values).difference(known))
    if not missing:
        return 0
    statement = upsert(connection.dialect.name, suppressions)
    same = {"list": name, "kind": kind, "added_at": by.at_ms, "seen_in": by.pass_id or 0}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["list", "kind", "value"],
            set_={"added_at": by.at_ms, "gone_at": None, "seen_in": by.pass_id or 0},
        ),
        [{**same, "value": value} for value in missing],
    )
    return len(missing)


def _of(name: str, kind: str) -> tuple[ColumnElement[bool], ...]:
    return suppressions.c.list == name, suppressions.c.kind == kind


def _among(connection: Connection, values: Sequence[str]) -> ColumnElement[bool]:
    return one_of(connection.dialect.name, suppressions.c.value, as_json(values))


def unseen(store: Store, name: str, seen: Callable[[Listed], bool]) -> tuple[int, list[Listed]]:
    """How many entries the list holds now, and those of them that `seen` does not know."""
    count, missing = 0, []
    with store.read() as connection:
        rows = connection.execution_options(yield_per=_STREAM_ROWS).execute(
            select(suppressions.c.kind, suppressions.c.value).where(
                suppressions.c.list == name, suppressions.c.gone_at.is_(None)
            )
        )
        for kind, value in rows:
            count += 1
            if not seen(Listed(kind, value)):
                missing.append(Listed(kind, value))
    return count, missing


def finish_list(store: Store, name: str, gone: Collection[Listed], *, by: By) -> None:
    """The list was read whole: `gone` left it; its leads may be polled from now on."""
    for kind in (PHONE, KEY):
        for some in chunks([one.value for one in gone if one.kind == kind]):
            with store.write("suppression.take_off") as connection:
                check_lease(connection, by.lease)
                connection.execute(
                    suppressions.update()
                    .where(*_of(name, kind), _among(connection, some))
                    .values(gone_at=by.at_ms)
                )
    with store.write("suppression.finish") as connection:
        check_lease(connection, by.lease)
        read_at = {"value": str(by.at_ms)}
        statement = upsert(connection.dialect.name, meta).values(name=_READ_AT + name, **read_at)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=read_at))


def unread_lists(store: Store, names: Sequence[str]) -> list[str]:
    """Which of these lists were never read whole."""
    if not names:
        return []
    with store.read() as connection:
        rows = connection.execute(
            select(meta.c.name).where(meta.c.name.in_([_READ_AT + name for name in names]))
        ).scalars()
        read = set(rows)
    return [name for name in names if _READ_AT + name not in read]


def list_counts(store: Store, name: str) -> ListCounts:
    """How many entries a list holds, how many left it, and when it was read."""
    with store.read() as connection:
        row = connection.execute(
            select(func.count(), func.count(suppressions.c.gone_at)).where(
                suppressions.c.list == name
            )
        ).one()
        read_at = connection.execute(
            select(meta.c.value).where(meta.c.name == _READ_AT + name)
        ).scalar()
    return ListCounts(row[0] - row[1], row[1], None if read_at is None else from_ms(int(read_at)))


def listed(
    store: Store, lists: Sequence[str], phones: Sequence[int], keys: Sequence[str]
) -> tuple[set[int], set[str]]:
    """Which of these phones and keys are on one of the lists."""
    if not lists:
        return set(), set()
    with store.read() as connection:
        return listed_in(connection, lists, phones, keys)


def listed_in(
    connection: Connection, lists: Sequence[str], phones: Sequence[int], keys: Sequence[str]
) -> tuple[set[int], set[str]]:
    """The same within a transaction."""
    if not lists:
        return set(), set()
    found: dict[str, set[str]] = {}
    for kind, values in ((PHONE, [str(phone) for phone in phones]), (KEY, list(keys))):
        found[kind] = set(
            connection.execute(
                select(suppressions.c.value).where(
                    suppressions.c.kind == kind,
                    suppressions.c.list.in_(lists),
                    suppressions.c.gone_at.is_(None),
                    _among(connection, values),
                )
            ).scalars()
        )
    return {int(phone) for phone in found[PHONE]}, found[KEY]


def barred_keys(connection: Connection, lists: Sequence[str], new: Sequence[_Lead]) -> set[str]:
    """Keys of new leads that are on a do-not-call list, by their phone or themselves."""
    if not lists:
        return set()
    phones, keys = [lead.job.phone for lead in new], [lead.key for lead in new]
    bad_phones, bad_keys = listed_in(connection, lists, phones, keys)
    return bad_keys | {lead.key for lead in new if lead.job.phone in bad_phones}


def barred_jobs(store: Store, name: str, syncs: Sequence[str]) -> list[int]:
    """Jobs of these syncs that may still become a call, are on the list, and have no wish yet."""
    of_job = (
        select(suppressions.c.value)
        .where(*_of(name, PHONE), suppressions.c.gone_at.is_(None))
        .where(suppressions.c.value == cast(call_jobs.c.phone, Text))
    )
    of_lead = (
        select(suppressions.c.value)
        .where(*_of(name, KEY), suppressions.c.gone_at.is_(None))
        .where(suppressions.c.value == leads.c.key)
    )
    wished = (
        select(cancellations.c.job_id)
        .where(cancellations.c.job_id == call_jobs.c.id, cancellations.c.add_again.is_(False))
        .exists()
    )
    query = (
        select(call_jobs.c.id)
        .join(leads, leads.c.id == call_jobs.c.lead_id)
        .where(
            call_jobs.c.state.in_(WITHDRAWABLE),
            call_jobs.c.sync.in_(syncs),
            of_job.exists() | of_lead.exists(),
            ~wished,
        )
        .order_by(call_jobs.c.id)
    )
    with store.read() as connection:
        some_open = select(job_counts.c.jobs).where(
            job_counts.c.sync.in_(syncs),
            job_counts.c.state.in_(WITHDRAWABLE),
            job_counts.c.jobs > 0,
        )
        if connection.execute(some_open.limit(1)).first() is None:
            return []
        return [row[0] for row in connection.execute(query)]
