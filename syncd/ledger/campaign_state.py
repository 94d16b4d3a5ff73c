"""What the ledger remembers of a campaign between runs: halted or held, and until when to wait.

halted   the campaign said that it takes nothing; it is asked again by itself
held     syncd does not know what is wrong; only a person ends it
open     the breaker: no answer came so often in a row that the campaign is left alone for a while
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from syncd.clock import from_ms, to_ms
from syncd.core.backoff import next_try_at
from syncd.ledger.moves import By, write_journal
from syncd.ledger.schema import campaigns
from syncd.ledger.sql import Prepared, upsert
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class CampaignState:
    """Why a campaign takes nothing now, if so."""

    halted_reason: str | None = None
    halted_at: datetime | None = None
    next_send_at: datetime | None = None
    held: bool = False  #: halted until a person releases it
    failures: int = 0  #: sendings in a row without an answer
    open_until: datetime | None = None  #: the breaker lets nothing through before then


_STATE = Prepared(
    lambda _: select(
        campaigns.c.halted_reason,
        campaigns.c.halted_at,
        campaigns.c.next_send_at,
        campaigns.c.held,
        campaigns.c.failures,
        campaigns.c.open_until,
    ).where(campaigns.c.name == bindparam("of"))
)


def campaign_state(store: Store, campaign: str) -> CampaignState:
    """The state of a campaign; one that the ledger never saw is free to send."""
    with store.read() as connection:
        row = _STATE(connection, of=campaign).first()
    if row is None:
        return CampaignState()
    return CampaignState(
        halted_reason=row.halted_reason,
        halted_at=_instant(row.halted_at),
        next_send_at=_instant(row.next_send_at),
        held=bool(row.held),
        failures=row.failures or 0,
        open_until=_instant(row.open_until),
    )


def halt(store: Store, campaign: str, reason: str, *, by: By) -> bool:
    """Nothing is sent to this campaign until `resume_sending`; whether this is news."""
    with store.write("campaign.halt") as connection:
        return set_halt(connection, campaign, reason, held=False, by=by)


def resume_sending(store: Store, campaign: str, *, by: By) -> None:
    """The campaign takes batches again. One that is held stays so."""
    with store.write("campaign.resume") as connection:
        set_halt(connection, campaign, None, held=False, by=by)


def set_halt(
    connection: Connection, campaign: str, reason: str | None, *, held: bool, by: By
) -> bool:
    """Halted, held, or (None) sending; whether this is news. A hold gives way to nothing."""
    old_reason, is_held = _halted(connection, campaign)
    if is_held or (old_reason == reason and not held):
        return False
    values = {
        "halted_reason": reason,
        "halted_at": None if reason is None else by.at_ms,
        "held": held,
    }
    statement = upsert(connection.dialect.name, campaigns).values(name=campaign, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    old = "halted" if old_reason else "sending"
    new = "held" if held else "halted" if reason else "sending"
    _journal(connection, campaign, old, new, str(reason or old_reason), by)
    return True


def _halted(connection: Connection, campaign: str) -> tuple[str | None, bool]:
    row = connection.execute(
        select(campaigns.c.halted_reason, campaigns.c.held).where(campaigns.c.name == campaign)
    ).first()
    return (None, False) if row is None else (row[0], bool(row[1]))


def _journal(connection: Connection, campaign: str, old: str, new: str, why: str, by: By) -> None:
    write_journal(connection, "campaign", [], old=old, new=new, why=why, by=by, target=campaign)


def wait_until(store: Store, campaign: str, at: datetime) -> None:
    """Send nothing to this campaign before `at` (Calls API: 429 and 503 with Retry-After).

    Of two waits the longer one holds.
    """
    with store.write("campaign.wait") as connection:
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


class Brake:
    """Verbs that leave a campaign alone, and that let it go again."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def release(self, campaign: str, *, by: By) -> bool:
        """A person ends a hold; whether there was one."""
        with self._store.write("campaign.release") as connection:
            reason, is_held = _halted(connection, campaign)
            if not is_held:
                return False
            connection.execute(
                campaigns.update()
                .where(campaigns.c.name == campaign)
                .values(halted_reason=None, halted_at=None, held=False, released_at=by.at_ms)
            )
            _journal(connection, campaign, "held", "sending", str(reason), by)
        return True

    def note_failure(self, campaign: str, *, now: datetime, opens_at: int, jitter: float) -> int:
        """One more sending in a row without an answer; returns how many there are now.

        From `opens_at` on the breaker is open, for a time that grows with each further one.

        Args:
            jitter: a number in [0, 1) from the caller's randomness.
        """
        with self._store.write("campaign.note_failure") as connection:
            counted = upsert(connection.dialect.name, campaigns).values(name=campaign, failures=1)
            failures = connection.execute(
                counted.on_conflict_do_update(
                    index_elements=["name"],
                    set_={"failures": func.coalesce(campaigns.c.failures, 0) + 1},
                ).returning(campaigns.c.failures)
            ).scalar_one()
            if failures >= opens_at:
                until = to_ms(next_try_at(now, failures, jitter=jitter))
                connection.execute(
                    campaigns.update().where(campaigns.c.name == campaign).values(open_until=until)
                )
        return int(failures)

    def note_answer(self, campaign: str) -> None:
        """The campaign answers: the breaker closes."""
        with self._store.write("campaign.note_answer") as connection:
            connection.execute(
                campaigns.update()
                .where(campaigns.c.name == campaign, campaigns.c.failures > 0)
                .values(failures=0, open_until=None)
            )


def _instant(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
