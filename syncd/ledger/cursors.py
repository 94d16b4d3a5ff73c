"""How far each sync has read, as the last stored page left it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import select

from syncd.ledger.leases import check_lease
from syncd.ledger.moves import By
from syncd.ledger.schema import syncs
from syncd.ledger.sql import upsert
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class SyncPosition:
    """The live cursor of a sync and the mapping under which it was reached."""

    cursor: Mapping[str, object] | None
    mapping_digest: str | None


def position(store: Store, sync: str) -> SyncPosition:
    """Where a sync stands; an unknown sync stands at the start."""
    with store.read() as connection:
        row = connection.execute(
            select(syncs.c.cursor, syncs.c.mapping_digest).where(syncs.c.name == sync)
        ).first()
    if row is None:
        return SyncPosition(None, None)
    return SyncPosition(None if row[0] is None else orjson.loads(row[0]), row[1])


def finish_poll(store: Store, sync: str, mapping_digest: str, *, by: By) -> None:
    """Note that the source was read to its end under this mapping."""
    values = {"mapping_digest": mapping_digest, "polled_at": by.at_ms}
    with store.write() as connection:
        check_lease(connection, by.lease)
        statement = upsert(connection.dialect.name, syncs).values(name=sync, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
