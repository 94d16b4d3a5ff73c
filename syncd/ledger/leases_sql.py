"""The prepared statements of leases: they run at every pass and at every heartbeat.

On PostgreSQL all times are the server's (`clock_timestamp()`), so that the clocks of the instances
need not agree; on SQLite they are the caller's, in the parameter `now`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    bindparam,
    case,
    cast,
    extract,
    false,
    func,
    select,
    true,
)

from syncd.ledger.schema import batches
from syncd.ledger.schema_guards import instances, leases
from syncd.ledger.sql import POSTGRESQL, Prepared, upsert

#: Nobody holds it.
FREE = ""

_IS_MINE = (
    (leases.c.name == bindparam("of"))
    & (leases.c.holder == bindparam("by"))
    & (leases.c.epoch == bindparam("claimed"))
)


def present(dialect: str) -> ColumnElement[int]:
    """The present in milliseconds, by the clock that all instances share."""
    if dialect == POSTGRESQL:
        return cast(extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
    return bindparam("now", type_=BigInteger)


def _until(dialect: str) -> ColumnElement[int]:
    return present(dialect) + bindparam("life", type_=BigInteger)


def _taking(dialect: str, *, interrupts: bool) -> Executable:
    now = present(dialect)
    mine = leases.c.holder == bindparam("holder")
    free = mine | (leases.c.holder == FREE) | (leases.c.until <= now)
    if interrupts:
        free |= leases.c.busy == false()
    statement = upsert(dialect, leases).values(
        name=bindparam("name"),
        holder=bindparam("holder"),
        epoch=1,
        taken_at=now,
        until=_until(dialect),
        busy=true(),
    )
    return statement.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "epoch": leases.c.epoch + case((mine, 0), else_=1),
            "taken_at": case((mine, leases.c.taken_at), else_=now),
            "holder": bindparam("holder"),
            "until": _until(dialect),
            "busy": true(),
        },
        where=free,
    ).returning(leases.c.epoch)


def _seeing(dialect: str) -> Executable:
    names = ("id", "host", "pid", "version", "started_at")
    statement = upsert(dialect, instances).values(
        **{name: bindparam(name) for name in names}, seen_at=present(dialect), until=_until(dialect)
    )
    return statement.on_conflict_do_update(
        index_elements=["id"], set_={"seen_at": present(dialect), "until": _until(dialect)}
    )


def holder_is_dead(dialect: str) -> ColumnElement[bool]:
    """The condition that the instance which claimed a batch signed off, or was not heard of."""
    alive = instances.c.until > present(dialect)
    heard = select(instances.c.id).where(instances.c.id == batches.c.holder, alive)
    return batches.c.holder.is_not(None) & ~heard.exists()


def _alive(dialect: str) -> Executable:
    since = present(dialect) - bindparam("life", type_=BigInteger)
    heard = select(func.count()).where(instances.c.seen_at > since)
    held = select(func.count()).where(leases.c.holder != FREE, leases.c.until > present(dialect))
    return select(heard.scalar_subquery(), held.scalar_subquery())


def _held_by(dialect: str) -> Executable:
    query = select(leases.c.epoch).where(_IS_MINE)
    return query.with_for_update(read=True) if dialect == POSTGRESQL else query


TAKE = Prepared(lambda dialect: _taking(dialect, interrupts=False))
#: Also from a holder that keeps it for its next pass and is idle.
INTERRUPT = Prepared(lambda dialect: _taking(dialect, interrupts=True))
REST = Prepared(
    lambda dialect: leases.update().where(_IS_MINE).values(until=_until(dialect), busy=false())
)
RELEASE = Prepared(
    lambda dialect: (
        leases.update().where(_IS_MINE).values(holder=FREE, until=present(dialect), busy=false())
    )
)
SEE = Prepared(_seeing)
FORGET = Prepared(
    lambda dialect: instances.delete().where(
        instances.c.seen_at < present(dialect) - bindparam("silent", type_=BigInteger)
    )
)
RENEW = Prepared(
    lambda dialect: (
        leases.update().where(leases.c.holder == bindparam("by")).values(until=_until(dialect))
    )
)
ALIVE = Prepared(_alive)
LET_ALL_GO = Prepared(
    lambda dialect: (
        leases.update()
        .where(leases.c.holder == bindparam("by"))
        .values(holder=FREE, until=present(dialect), busy=false())
    )
)
SIGN_OFF = Prepared(lambda _: instances.delete().where(instances.c.id == bindparam("by")))
FORGET_OTHERS = Prepared(lambda _: instances.delete().where(instances.c.id != bindparam("by")))
HELD_BY = Prepared(_held_by)
