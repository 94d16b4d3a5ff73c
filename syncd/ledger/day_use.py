"""What a campaign was sent in a day, for the guards that limit it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from syncd.clock import to_ms
from syncd.core.call_job import BatchState
from syncd.core.guards import DAY, Limit, room_today
from syncd.ledger.first_calls import lock_campaign
from syncd.ledger.schema import batches
from syncd.ledger.schema_guards import trips


@dataclass(frozen=True, slots=True)
class DayUse:
    """What a campaign was sent since an instant, and what a person approved since then."""

    sent: int
    approved: int


def day_use(connection: Connection, campaign: str, *, now: datetime) -> DayUse:
    """What a campaign was sent in a day, but for batches that surely came to nothing."""
    since = to_ms(now - DAY)
    sealed = select(func.sum(batches.c.size)).where(
        batches.c.campaign == campaign,
        batches.c.created_at > since,
        batches.c.state != BatchState.REFUSED,
    )
    approved = select(func.sum(trips.c.released)).where(
        trips.c.campaign == campaign, trips.c.approved_at > since
    )
    sent = connection.execute(sealed).scalar()
    released = connection.execute(approved).scalar()
    return DayUse(int(sent or 0), int(released or 0))


def take_room(
    connection: Connection, campaign: str, limit: Limit | None, *, phones_max: int, now: datetime
) -> int:
    """How many phones a batch may have that is sealed in this transaction.

    Instances that seal at once take turns here, or each would see the same room.
    """
    if limit is None:
        return phones_max
    lock_campaign(connection, campaign)
    use = day_use(connection, campaign, now=now)
    return min(phones_max, room_today(limit, sent=use.sent, approved=use.approved))
