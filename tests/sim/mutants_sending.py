"""Mutants of how a batch is sent, sent again and looked up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import text

from syncd.clock import Moment
from syncd.engine import flights, look_up, reconcile, sending
from syncd.engine.holding import LeasedHolding
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass
from syncd.ledger.ledger import Ledger
from syncd.ledger.outbox import ClaimedBatch
from tests.sim.mutant import mutant, set_of

FOR_EVER = timedelta(days=3650)


@mutant("I1", seen_at=32)
def new_key_per_attempt() -> Iterator[None]:
    """Each sending has a key of its own, well committed before it."""
    mark_sent = Ledger.mark_sent

    def mutated(self: Ledger, batch: ClaimedBatch, **given: Any) -> bool:
        if not mark_sent(self, batch, **given):
            return False
        set_of(batch, key=f"{batch.key[:20]}-{batch.sends}")
        with self._store.write("mutant") as connection:
            connection.execute(
                text("UPDATE batches SET key = :key WHERE id = :id"),
                {"key": batch.key, "id": batch.id},
            )
        return True

    with patch.object(Ledger, "mark_sent", mutated):
        yield


@mutant("I1", "I8", seen_at=0)
def no_intent_before_sending() -> Iterator[None]:
    """The sending is noted once its answer is there."""
    record = sending.record

    def begin(_batch: ClaimedBatch, _campaign: Campaign, running: Pass) -> Moment:
        return Moment.of(running.tools.clock)

    def mutated(batch: ClaimedBatch, asked: Any, campaign: Campaign, running: Pass) -> Any:
        tools = running.tools
        tools.ledger.mark_sent(
            batch, endpoint=campaign.endpoint, now=tools.clock.now(), by=running.by()
        )
        return record(batch, asked, campaign, running)

    with (
        patch.object(sending, "begin", begin),
        patch.object(sending, "record", mutated),
        patch.object(flights, "begin", begin),
        patch.object(flights, "record", mutated),
    ):
        yield


@mutant("I1", "I3", seen_at=122)
def refusal_on_retry_trusted() -> Iterator[None]:
    """A 400 ends a batch also when an earlier sending is in doubt."""
    refused = sending._refused

    def mutated(batch: ClaimedBatch, campaign: Campaign, running: Pass, error: Any) -> Any:
        with running.tools.ledger._store.write("mutant") as connection:
            connection.execute(
                text("UPDATE batches SET ambiguous = 0 WHERE id = :id"), {"id": batch.id}
            )
        set_of(batch, ambiguous=0)
        return refused(batch, campaign, running, error)

    with patch.object(sending, "_refused", mutated):
        yield


@mutant("I1", "I4", seen_at=25)
def no_resend_deadline() -> Iterator[None]:
    """A batch in doubt is sent again however old its key is."""
    with _campaigns_made(resend_window=FOR_EVER):
        yield


@mutant("I4", seen_at=150)
def no_window_check_on_resend() -> Iterator[None]:
    """A batch in doubt is sent again when its jobs are over."""
    open_batch = reconcile.OpenBatch

    def mutated(**given: Any) -> Any:
        return open_batch(**{**given, "closes_at": None})

    with patch.object(reconcile, "OpenBatch", mutated):
        yield


@mutant("I4", seen_at=850)
def no_quiet_time() -> Iterator[None]:
    """A batch in doubt is sent again at once."""
    with _campaigns_made(quiet=timedelta()):
        yield


@contextmanager
def _campaigns_made(**values: Any) -> Iterator[None]:
    decide = reconcile._decide

    def mutated(batch: ClaimedBatch, campaign: Campaign, running: Pass) -> Any:
        return decide(batch, replace(campaign, **values), running)

    with patch.object(reconcile, "_decide", mutated):
        yield


@mutant("I1", seen_at=265)
def no_settle() -> Iterator[None]:
    """Two looks that find nothing are enough, however late a request may still arrive."""
    looks = reconcile.look_up

    def mutated(batch: ClaimedBatch, campaign: Campaign, running: Pass, **given: Any) -> None:
        looks(batch, replace(campaign, settle=timedelta()), running, **given)

    with patch.object(reconcile, "look_up", mutated):
        yield


@mutant("I1", seen_at=13)
def narrow_look() -> Iterator[None]:
    """A look asks for calls that were created between the first and the last sending only."""

    def mutated(first: datetime, last: datetime, **_given: Any) -> tuple[datetime, datetime]:
        return first, last

    with patch.object(look_up, "range_of", mutated):
        yield


@mutant("I1", "I4", seen_at=13)
def no_last_look() -> Iterator[None]:
    """Who was suspended between intent and first byte sends when it wakes, however late."""
    heard = patch.object(LeasedHolding, "heard_since", lambda *_: True)
    with patch.object(sending, "claim_is_ending", lambda *_: False), heard:
        yield
