"""The log of passes: what ran, when, how it ended, with which counts.

A pass that did nothing is "idle" in the table and "done" outside: only the newest of them is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Executable, bindparam, func, select, tuple_

from syncd.clock import from_ms, to_ms
from syncd.ledger.schema import passes
from syncd.ledger.sql import Prepared
from syncd.ledger.store import Store

_DONE, _IDLE = "done", "idle"


@dataclass(frozen=True, slots=True)
class PassRow:
    """One run of a pass. `outcome` is None while it runs, or when it was killed."""

    id: int
    kind: str
    target: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    counts: Mapping[str, int]


_BEGIN = Prepared(
    lambda _: (
        passes.insert()
        .values(
            kind=bindparam("kind"), target=bindparam("target"), started_at=bindparam("started_at")
        )
        .returning(passes.c.id)
    )
)
_FINISH = Prepared(
    lambda _: (
        passes.update()
        .where(passes.c.id == bindparam("pass_id"))
        .values(
            outcome=bindparam("ended_as"),
            counts=bindparam("counted"),
            finished_at=bindparam("ended_at"),
        )
    )
)


def _older_idle(_dialect: str) -> Executable:
    """The idle passes before one, of its kind and target."""
    of = passes.alias("ended")
    its = select(of.c.kind, of.c.target).where(of.c.id == bindparam("pass_id"))
    return passes.delete().where(
        tuple_(passes.c.kind, passes.c.target).in_(its),
        passes.c.id < bindparam("pass_id"),
        passes.c.outcome == _IDLE,
    )


_FORGET_IDLE = Prepared(_older_idle)


def begin_pass(store: Store, kind: str, target: str, *, now: datetime) -> int:
    """Note that a pass begins; its ID stands in the journal beside each move it makes."""
    with store.write("pass.begin") as connection:
        begun = _BEGIN(connection, kind=kind, target=target, started_at=to_ms(now))
        return int(begun.scalar_one())


def finish_pass(
    store: Store, pass_id: int, *, outcome: str, counts: Mapping[str, int], now: datetime
) -> bool:
    """Note how a pass ended; whether it was idle.

    An idle one takes the place of those before it: they come every few seconds.
    """
    idle = outcome == _DONE and not any(counts.values())
    with store.write("pass.finish") as connection:
        if idle:
            _FORGET_IDLE(connection, pass_id=pass_id)
        _FINISH(
            connection,
            pass_id=pass_id,
            ended_as=_IDLE if idle else outcome,
            counted=orjson.dumps(dict(counts)).decode(),
            ended_at=to_ms(now),
        )
    return idle


def last_passes(store: Store) -> list[PassRow]:
    """The newest pass of each kind and target."""
    newest = select(func.max(passes.c.id)).group_by(passes.c.kind, passes.c.target)
    with store.read() as connection:
        rows = connection.execute(
            select(passes).where(passes.c.id.in_(newest)).order_by(passes.c.kind, passes.c.target)
        ).mappings()
        return [
            PassRow(
                id=row["id"],
                kind=row["kind"],
                target=row["target"],
                started_at=from_ms(row["started_at"]),
                finished_at=None if row["finished_at"] is None else from_ms(row["finished_at"]),
                outcome=_DONE if row["outcome"] == _IDLE else row["outcome"],
                counts=orjson.loads(row["counts"]) if row["counts"] else {},
            )
            for row in rows
        ]
