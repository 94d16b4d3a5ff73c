"""Who works on this ledger, and who holds which sync or campaign: what guards every write.

Each verb is one guarded statement. On PostgreSQL all times are the server's (`clock_timestamp()`),
so that the clocks of the instances need not agree; on SQLite they are the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from syncd.clock import from_ms, to_ms
from syncd.core.lease import Lease
from syncd.errors import Transient
from syncd.ledger.leases_sql import (
    ALIVE,
    FORGET,
    FORGET_OTHERS,
    FREE,
    HELD_BY,
    INTERRUPT,
    LET_ALL_GO,
    RELEASE,
    RENEW,
    REST,
    SEE,
    SIGN_OFF,
    TAKE,
    present,
)
from syncd.ledger.schema_guards import instances, leases
from syncd.ledger.store import Store
from syncd.ledger.turns import take_turn

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
        take = INTERRUPT if interrupts else TAKE
        with self._store.write("lease.take") as connection:
            row = take(
                connection, name=name, holder=holder, life=_ms(life), now=shared_ms(now)
            ).first()
        return None if row is None else Lease(name, holder, row[0])

    def rest(self, lease: Lease, *, life: timedelta, now: datetime) -> bool:
        """Keep a lease for the next pass, without one at work; False: it was overtaken."""
        with self._store.write("lease.rest") as connection:
            mine = REST(connection, **_guard(lease), life=_ms(life), now=shared_ms(now))
            return mine.rowcount == 1

    def release(self, lease: Lease, *, now: datetime) -> bool:
        """Let anybody have it at once; False: it was overtaken, and nothing was changed."""
        with self._store.write("lease.release") as connection:
            return RELEASE(connection, **_guard(lease), now=shared_ms(now)).rowcount == 1

    def beat(self, me: InstanceRow, *, life: timedelta, now: datetime) -> Alive:
        """Be heard of, renew every lease of mine, and tell who else is alive."""
        times = {"life": _ms(life), "now": shared_ms(now)}
        with self._store.write("instance.beat") as connection:
            SEE(
                connection,
                id=me.id,
                host=me.host,
                pid=me.pid,
                version=me.version,
                started_at=to_ms(me.started_at),
                **times,
            )
            FORGET(connection, silent=_ms(_FORGET_AFTER), now=times["now"])
            RENEW(connection, by=me.id, **times)
            alive, held = tuple(ALIVE(connection, **times).one())
        return Alive(alive, held)

    def take_turn(self, campaign: str, *, interval_s: float, burst: int, now: datetime) -> float:
        """Seconds to wait before the next request to a campaign that several instances ask."""
        return take_turn(self._store, campaign, interval_s=interval_s, burst=burst, now=now)

    def sign_off(self, instance_id: str, *, now: datetime) -> None:
        """An instance ends: its leases are free and it is not listed any more."""
        with self._store.write("instance.sign_off") as connection:
            LET_ALL_GO(connection, by=instance_id, now=shared_ms(now))
            SIGN_OFF(connection, by=instance_id)

    def forget_others(self, instance_id: str) -> None:
        """Drop every other instance: right only for the sole owner of the ledger (SQLite)."""
        with self._store.write("instance.forget_others") as connection:
            FORGET_OTHERS(connection, by=instance_id)

    def instances(self, *, now: datetime) -> list[InstanceRow]:
        """Who works on the ledger, the oldest first."""
        with self._store.read() as connection:
            query = select(instances, present(connection.dialect.name).label("present"))
            ordered = query.order_by(instances.c.started_at, instances.c.id)
            rows = connection.execute(ordered.params(now=shared_ms(now))).all()
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
                    present(connection.dialect.name).label("present"),
                )
                .select_from(leases)
                .outerjoin(instances, instances.c.id == leases.c.holder)
                .where(leases.c.holder != FREE)
                .order_by(leases.c.name)
            )
            if name is not None:
                query = query.where(leases.c.name == name)
            rows = connection.execute(query.params(now=shared_ms(now))).all()
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
    if HELD_BY(connection, **_guard(lease)).first() is None:
        raise Transient(
            f'another instance has taken over "{lease.name}" meanwhile: nothing was changed'
        )


def shared_ms(now: datetime) -> int:
    """The clock that all instances share, where it is the caller's: on SQLite."""
    return to_ms(now)


def _guard(lease: Lease) -> dict[str, object]:
    return {"of": lease.name, "by": lease.holder, "claimed": lease.epoch}


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
