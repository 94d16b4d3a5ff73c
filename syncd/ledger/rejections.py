"""Records that are no leads: kept with their reason until they can be mapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from syncd.ledger.moves import By
from syncd.ledger.schema import rejections
from syncd.ledger.sql import Prepared, as_json, one_of, storable, upsert


@dataclass(frozen=True, slots=True)
class NewRejection:
    """A record that could not be mapped or read; `digest` names it where the key is unknown."""

    line: int
    reason: str
    masked: str
    column: str | None = None
    key: str | None = None
    digest: str = ""

    @property
    def ident(self) -> str:
        return f"key:{self.key}" if self.key is not None else f"record:{self.digest}"


_ANY_UNSETTLED = Prepared(
    lambda _: (
        select(rejections.c.id)
        .where(rejections.c.sync == bindparam("of_sync"), rejections.c.resolved_at.is_(None))
        .limit(1)
    )
)


def of_key(key: str) -> ColumnElement[bool]:
    """Whether a rejection has this key, in whichever sync; the index of (sync, ident) answers."""
    # Its syncs are found by skipping through the index: only there are those without any lead.
    syncs = select(func.min(rejections.c.sync).label("sync")).cte("syncs", recursive=True)
    after = select(func.min(rejections.c.sync)).where(rejections.c.sync > syncs.c.sync)
    more = select(after.scalar_subquery()).where(syncs.c.sync.is_not(None))
    named = select(syncs.union_all(more).c.sync)
    return rejections.c.sync.in_(named) & (rejections.c.ident == f"key:{storable(key)}")


def settle(connection: Connection, sync: str, good_keys: Sequence[str], by: By) -> None:
    """Mark as resolved what was rejected and can now be mapped."""
    unsettled = (rejections.c.sync == sync) & rejections.c.resolved_at.is_(None)
    if _ANY_UNSETTLED(connection, of_sync=sync).first() is None:
        return
    idents = [f"key:{key}" for key in good_keys]
    connection.execute(
        rejections.update()
        .where(unsettled, one_of(connection.dialect.name, rejections.c.ident, as_json(idents)))
        .values(resolved_at=by.at_ms)
    )


def store(
    connection: Connection, sync: str, origin: str, found: Sequence[NewRejection], by: By
) -> None:
    """Keep rejections: one that is known is brought up to date, not counted twice."""
    if not found:
        return
    statement = upsert(connection.dialect.name, rejections)
    statement = statement.on_conflict_do_update(
        index_elements=["sync", "ident"],
        set_={
            name: statement.excluded[name]
            for name in ("origin", "line", "column", "reason", "masked", "last_seen_at", "pass_id")
        }
        | {"resolved_at": None},
    )
    connection.execute(
        statement,
        [
            {
                "sync": sync,
                "ident": storable(one.ident),
                "key": None if one.key is None else storable(one.key),
                "origin": storable(origin),
                "line": one.line,
                "column": None if one.column is None else storable(one.column),
                "reason": one.reason,
                "masked": storable(one.masked),
                "seen_at": by.at_ms,
                "last_seen_at": by.at_ms,
                "pass_id": by.pass_id,
            }
            for one in found
        ],
    )
