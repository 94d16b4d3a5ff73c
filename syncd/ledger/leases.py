"""Who works on this ledger, and who holds which sync or campaign: what guards every write.

Each verb is one guarded statement. On PostgreSQL all times are the server's (`clock_timestamp()`),
so that the clocks of the instances need not agree; on SQLite they are the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Executable,
    bindparam,
    case,
    cast,
    extract,
    false,
    func,
    literal,
    select,
)

from syncd.clock import from_ms, to_ms
from syncd.core.lease import Lease
from syncd.errors import Transient
from syncd.ledger.schema_guards import instances, leases
from syncd.ledger.sql import POSTGRESQL, Prepared, upsert
from syncd.ledger.store import Store
from syncd.ledger.turns import take_turn

#: Nobody holds it.
_FREE = ""
#: An instance that was not heard of for so long is not shown any more.
_FORGET_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """A process that works on the ledger."""

    id: str
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    silent_s: float = 0.0  #: by the database's clock


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """Who holds a sync or a campaign. `left_s` below 0: it is anybody's."""

    name: str
    holder: str
    epoch: int
    taken_at: datetime
    until: datetime
    busy: bool  #: a pass is at work under it
    left_s: float
    host: str | None = None  #: None: the holder is not among the instances any more
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Alive:
    """How many instances were heard of within a lease, and how many leases they hold together."""

    instances: int
    leases: int


class Leases:
    """The verbs of an opened ledger that tell who works on it; one verb is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(
        self, name: str, holder: str, *, life: timedelta, interrupts: bool, now: datetime
    ) -> Lease | None:
        """Take or renew a lease, busy; None: another instance holds it.

        Args:
            interrupts: also take it from a holder that keeps it for its next pass and is idle.
        """
        with self._store.write() as connection:
            present = _present(connection, now)
            mine = leases.c.holder == holder
            idle = leases.c.busy == false() if interrupts else literal(value=False)
            statement = upsert(connection.dialect.name, leases).values(
                name=name,
                holder=holder,
                epoch=1,
                taken_at=present,
                until=present + _ms(life),
                busy=True,
            )
            row = connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["name"],
                    set_={
                        "epoch": leases.c.epoch + case((mine, 0), else_=1),
                        "taken_at": case((mine, leases.c.taken_at), else_=present),
                        "holder": holder,
                        "until": present + _ms(life),
                        "busy": True,
                    },
                    where=mine | (leases.c.holder == _FREE) | (leases.c.until <= present) | idle,
                ).returning(leases.c.epoch)
            ).first()
        return None if row is None else Lease(name, holder, row[0])

    def rest(self, lease: Lease, *, life: timedelta, now: datetime) -> bool:
        """Keep a lease for the next pass, without one at work; False: it was overtaken."""
        with self._store.write() as connection:
            until = _present(connection, now) + _ms(life)
            return _change(connection, lease, until=until, busy=False)

    def release(self, lease: Lease, *, now: datetime) -> bool:
        """Let anybody have it at once; False: it was overtaken, and nothing was changed."""
        with self._store.write() as connection:
            until = _present(connection, now)
            return _change(connection, lease, holder=_FREE, until=until, busy=False)

    def beat(self, me: InstanceRow, *, life: timedelta, now: datetime) -> Alive:
        """Be heard of, renew every lease of mine, and tell who else is alive."""
        with self._store.write() as connection:
            present = _present(connection, now)
            statement = upsert(connection.dialect.name, instances).values(
                id=me.id,
                host=me.host,
                pid=me.pid,
                version=me.version,
                started_at=to_ms(me.started_at),
                seen_at=present,
            )
            connection.execute(
                statement.on_conflict_do_update(index_elements=["id"], set_={"seen_at": present})
            )
            connection.execute(
                instances.delete().where(instances.c.seen_at < present - _ms(_FORGET_AFTER))
            )
            connection.execute(
                leases.update().where(leases.c.holder == me.id).values(until=present + _ms(life))
            )
            alive = select(func.count()).where(instances.c.seen_at > present - _ms(life))
            held = select(func.count()).where(leases.c.holder != _FREE, leases.c.until > present)
            return Alive(
                connection.execute(alive).scalar_one(), connection.execute(held).scalar_one()
            )

    def take_turn(self, campaign: str, *, interval_s: float, burst: int, now: datetime) -> float:
        """Seconds to wait before the next request to a campaign that several instances ask."""
        return take_turn(self._store, campaign, interval_s=interval_s, burst=burst, now=now)

    def sign_off(self, instance_id: str, *, now: datetime) -> None:
        """An instance ends: its leases are free and it is not listed any more."""
        with self._store.write() as connection:
            connection.execute(
                leases.update()
                .where(leases.c.holder == instance_id)
                .values(holder=_FREE, until=_present(connection, now), busy=False)
            )
            connection.execute(instances.delete().where(instances.c.id == instance_id))

    def forget_others(self, instance_id: str) -> None:
        """Drop every other instance: right only for the sole owner of the ledger (SQLite)."""
        with self._store.write() as connection:
            connection.execute(instances.delete().where(instances.c.id != instance_id))

    def instances(self, *, now: datetime) -> list[InstanceRow]:
        """Who works on the ledger, the oldest first."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(instances, _present(connection, now).label("present")).order_by(
                    instances.c.started_at, instances.c.id
                )
            ).all()
        return [
            InstanceRow(
                id=row.id,
                host=row.host,
                pid=row.pid,
                version=row.version,
                started_at=from_ms(row.started_at),
                seen_at=from_ms(row.seen_at),
                silent_s=(row.present - row.seen_at) / 1000,
            )
            for row in rows
        ]

    def held(self, *, name: str | None = None, now: datetime) -> list[LeaseRow]:
        """Which leases are held, and by whom; all, or this one."""
        with self._store.read() as connection:
            query = (
                select(
                    leases,
                    instances.c.host,
                    instances.c.pid,
                    _present(connection, now).label("present"),
                )
                .select_from(leases)
                .outerjoin(instances, instances.c.id == leases.c.holder)
                .where(leases.c.holder != _FREE)
                .order_by(leases.c.name)
            )
            if name is not None:
                query = query.where(leases.c.name == name)
            rows = connection.execute(query).all()
        return [
            LeaseRow(
                name=row.name,
                holder=row.holder,
                epoch=row.epoch,
                taken_at=from_ms(row.taken_at),
                until=from_ms(row.until),
                busy=row.busy,
                left_s=(row.until - row.present) / 1000,
                host=row.host,
                pid=row.pid,
            )
            for row in rows
        ]


def check_lease(connection: Connection, lease: Lease | None) -> None:
    """Raise Transient, so that all is rolled back, unless the lease is still ours.

    Until this transaction ends nobody can take the lease: it waits for the row.
    """
    if lease is None:
        return
    row = _HELD_BY(connection, of=lease.name, by=lease.holder, epoch=lease.epoch).first()
    if row is None:
        raise Transient(
            f'another instance has taken over "{lease.name}" meanwhile: nothing was changed'
        )


def _held_by(dialect: str) -> Executable:
    query = select(leases.c.epoch).where(
        leases.c.name == bindparam("of"),
        leases.c.holder == bindparam("by"),
        leases.c.epoch == bindparam("epoch"),
    )
    return query.with_for_update(read=True) if dialect == POSTGRESQL else query


_HELD_BY = Prepared(_held_by)


def _change(connection: Connection, lease: Lease, **values: object) -> bool:
    changed = connection.execute(
        leases.update()
        .where(
            leases.c.name == lease.name,
            leases.c.holder == lease.holder,
            leases.c.epoch == lease.epoch,
        )
        .values(**values)
    ).rowcount
    return changed == 1


def _present(connection: Connection, now: datetime) -> ColumnElement[int]:
    """The present in milliseconds, by the clock that all instances share."""
    if connection.dialect.name == POSTGRESQL:
        return cast(extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
    return literal(to_ms(now), BigInteger)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
