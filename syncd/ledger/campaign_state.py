"""What the ledger remembers of a campaign between runs: halted, and until when to wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from syncd.clock import from_ms, to_ms
from syncd.ledger.moves import By, write_journal
from syncd.ledger.schema import campaigns
from syncd.ledger.sql import upsert
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class CampaignState:
    """Why a campaign takes nothing now, if so."""

    halted_reason: str | None = None
    halted_at: datetime | None = None
    next_send_at: datetime | None = None


def campaign_state(store: Store, campaign: str) -> CampaignState:
    """The state of a campaign; one that the ledger never saw is free to send."""
    with store.read() as connection:
        row = connection.execute(
            select(
                campaigns.c.halted_reason, campaigns.c.halted_at, campaigns.c.next_send_at
            ).where(campaigns.c.name == campaign)
        ).first()
    if row is None:
        return CampaignState()
    return CampaignState(
        row[0],
        None if row[1] is None else from_ms(row[1]),
        None if row[2] is None else from_ms(row[2]),
    )


def halt(store: Store, campaign: str, reason: str, *, by: By) -> bool:
    """Nothing is sent to this campaign until `resume_sending`; whether this is news."""
    return _set(store, campaign, by, halted_reason=reason, halted_at=by.at_ms)


def resume_sending(store: Store, campaign: str, *, by: By) -> None:
    """The campaign takes lists again."""
    _set(store, campaign, by, halted_reason=None, halted_at=None)


def wait_until(store: Store, campaign: str, at: datetime) -> None:
    """Send nothing to this campaign before `at` (Calls API: 429 and 503 with Retry-After).

    Of two waits the longer one holds.
    """
    with store.write() as connection:
        statement = upsert(connection.dialect.name, campaigns).values(
            name=campaign, next_send_at=to_ms(at)
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["name"],
                set_={"next_send_at": to_ms(at)},
                where=func.coalesce(campaigns.c.next_send_at, 0) < to_ms(at),
            )
        )


def _set(store: Store, campaign: str, by: By, **values: object) -> bool:
    with store.write() as connection:
        before = connection.execute(
            select(campaigns.c.halted_reason).where(campaigns.c.name == campaign)
        ).scalar()
        after = values["halted_reason"]
        if before == after:
            return False
        statement = upsert(connection.dialect.name, campaigns).values(name=campaign, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
        write_journal(
            connection,
            "campaign",
            [],
            old="halted" if before else "sending",
            new="halted" if after else "sending",
            why=str(after or before),
            by=by,
            target=campaign,
        )
    return True
