"""A token bucket in the ledger: how fast all instances together may ask one campaign."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, case, cast, extract, func, literal

from syncd.ledger.schema import campaigns
from syncd.ledger.sql import POSTGRESQL, upsert
from syncd.ledger.store import Store

_US = 1_000_000


def take_turn(
    store: Store, campaign: str, *, interval_s: float, burst: int, now: datetime
) -> float:
    """Take one request out of the campaign's bucket; gives the seconds to wait before sending it.

    Args:
        interval_s: between two requests, once the burst is used up.
        burst: so many may go at once after a rest.
    """
    step = max(1, round(interval_s * _US))
    with store.write("campaign.take_turn") as connection:
        present: ColumnElement[int]
        if connection.dialect.name == POSTGRESQL:
            present = cast(extract("epoch", func.clock_timestamp()) * _US, BigInteger)
        else:
            present = literal(int(now.timestamp() * _US), BigInteger)
        before = func.coalesce(campaigns.c.next_turn_at, 0)
        free = case((before > present, before), else_=present)
        statement = upsert(connection.dialect.name, campaigns).values(
            name=campaign, next_turn_at=present + step
        )
        statement = statement.on_conflict_do_update(
            index_elements=["name"], set_={"next_turn_at": free + step}
        )
        # What is left of the bucket is its distance from the present.
        ahead = connection.execute(
            statement.returning(campaigns.c.next_turn_at - step - present)
        ).scalar_one()
    return max(0.0, (ahead - step * (burst - 1)) / _US)
