"""How far each sync has read, as the last stored page left it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Executable, bindparam, select

from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By
from syncd.ledger.schema import syncs
from syncd.ledger.sql import Prepared, upsert
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class SyncPosition:
    """The live cursor of a sync and the mapping under which it was reached."""

    cursor: Mapping[str, object] | None
    mapping_digest: str | None


def position(store: Store, sync: str) -> SyncPosition:
    """Where a sync stands; an unknown sync stands at the start."""
    with store.read() as connection:
        row = _POSITION(connection, of=sync).mappings().first()
    if row is None:
        return SyncPosition(None, None)
    cursor = row["cursor"]
    return SyncPosition(None if cursor is None else orjson.loads(cursor), row["mapping_digest"])


def finish_poll(store: Store, sync: str, mapping_digest: str, *, by: By) -> None:
    """Note that the source was read to its end under this mapping."""
    with store.write("poll.finish") as connection:
        check_lease(connection, by.lease)
        _POLLED(connection, name=sync, mapping_digest=mapping_digest, polled_at=by.at_ms)


def _polled(dialect: str) -> Executable:
    values: dict[str, object] = {name: bindparam(name) for name in ("mapping_digest", "polled_at")}
    statement = upsert(dialect, syncs).values(name=bindparam("name"), **values)
    return statement.on_conflict_do_update(index_elements=["name"], set_=values)


_POSITION = Prepared(
    lambda _: select(syncs.c.cursor, syncs.c.mapping_digest).where(syncs.c.name == bindparam("of"))
)
_POLLED = Prepared(_polled)
