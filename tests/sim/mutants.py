"""The engine with one promise taken out: each of these has to be caught, or the simulator is blind.

A mutant is a context in which simulations run. What it takes out stands in its first line; the laws
that it may break stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import text

from syncd.clock import Moment
from syncd.core.call_job import JobState
from syncd.engine import flights, reconcile, sending
from syncd.engine.holding import LeasedHolding
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass
from syncd.ledger import answers, cancel, moves
from syncd.ledger.intake_page import IntakePage, IntakeResult
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.ledger.outbox import ClaimedBatch


@dataclass(frozen=True, slots=True)
class Mutant:
    """One promise taken out."""

    name: str
    breaks: frozenset[str]  #: any of these laws catches it
    seen_at: int  #: a seed that shows it, so that the tests need not look for one
    applied: Callable[[], AbstractContextManager[None]]


MUTANTS: list[Mutant] = []
_Body = Callable[[], Iterator[None]]
FOR_EVER = timedelta(days=3650)


def _mutant(*laws: str, seen_at: int = 0) -> Callable[[_Body], Callable[[], Any]]:
    def keep(body: _Body) -> Callable[[], Any]:
        applied = contextmanager(body)
        MUTANTS.append(Mutant(body.__name__, frozenset(laws), seen_at, applied))
        return applied

    return keep


def _set(batch: ClaimedBatch, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(batch, name, value)


@_mutant("I1", seen_at=12)
def new_key_per_attempt() -> Iterator[None]:
    """Each sending has a key of its own, well committed before it."""
    mark_sent = Ledger.mark_sent

    def mutated(self: Ledger, batch: ClaimedBatch, **given: Any) -> bool:
        if not mark_sent(self, batch, **given):
            return False
        _set(batch, key=f"{batch.key[:20]}-{batch.sends}")
        with self._store.write("mutant") as connection:
            connection.execute(
                text("UPDATE batches SET key = :key WHERE id = :id"),
                {"key": batch.key, "id": batch.id},
            )
        return True

    with patch.object(Ledger, "mark_sent", mutated):
        yield


@_mutant("I1", "I8")
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


@_mutant("I2", seen_at=34)
def cursor_before_leads() -> Iterator[None]:
    """The cursor moves in a transaction of its own, before the leads that it covers."""
    store_page = Ledger.store_page

    def mutated(self: Ledger, page: IntakePage, **given: Any) -> IntakeResult:
        bare = replace(page, new=[], changed=[], released=[], rejections=[], good_keys=[])
        store_page(self, bare, **given)
        page.cursor = None
        return store_page(self, page, **given)

    with patch.object(Ledger, "store_page", mutated):
        yield


@_mutant("I1", "I3", seen_at=16)
def refusal_on_retry_trusted() -> Iterator[None]:
    """A 400 ends a batch also when an earlier sending is in doubt."""
    refused = sending._refused

    def mutated(batch: ClaimedBatch, campaign: Campaign, running: Pass, error: Any) -> Any:
        with running.tools.ledger._store.write("mutant") as connection:
            connection.execute(
                text("UPDATE batches SET ambiguous = 0 WHERE id = :id"), {"id": batch.id}
            )
        _set(batch, ambiguous=0)
        return refused(batch, campaign, running, error)

    with patch.object(sending, "_refused", mutated):
        yield


@_mutant("I1", "I4", seen_at=346)
def no_resend_deadline() -> Iterator[None]:
    """A batch in doubt is sent again however old its key is."""
    with _campaigns_made(resend_window=FOR_EVER):
        yield


@_mutant("I4", seen_at=1725)
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


@_mutant("I1", "I2", "I3", "bug", seen_at=11)
def no_state_guard() -> Iterator[None]:
    """A call job is moved whatever state it is in by now."""

    def move_jobs(connection: Any, jobs: Sequence[tuple[int, str]], **given: Any) -> None:
        for job, sync in jobs:
            found = connection.execute(
                text("SELECT state FROM call_jobs WHERE id = :id"), {"id": job}
            ).scalar_one()
            move = {**given, "old": JobState(found)}
            with patch.object(moves, "check_move", lambda *_: None):
                moves_jobs(connection, [(job, sync)], **move)

    moves_jobs = moves.move_jobs
    with (
        patch.object(answers, "move_jobs", move_jobs),
        patch.object(cancel, "move_jobs", move_jobs),
        patch.object(cancel, "cancel_unsent", _cancel_whatever(move_jobs)),
    ):
        yield


def _cancel_whatever(move_jobs: Callable[..., None]) -> Callable[..., int]:
    def cancel_unsent(store: Any, job_ids: Sequence[int], *, why: str, by: By) -> int:
        with store.write("mutant") as connection:
            for job in job_ids:
                sync, campaign = connection.execute(
                    text("SELECT sync, campaign FROM call_jobs WHERE id = :id"), {"id": job}
                ).one()
                move_jobs(
                    connection,
                    [(job, sync)],
                    campaign=campaign,
                    old=JobState.STAGED,
                    new=JobState.CANCELLED,
                    why=why,
                    by=by,
                    values={"reason": why},
                )
        return len(job_ids)

    return cancel_unsent


@_mutant("I1", seen_at=48)
def missing_ids_staged_again() -> Iterator[None]:
    """Jobs that a shorter answer leaves out go into another batch."""
    with patch.object(answers, "_IGNORED", (JobState.STAGED, "left_out")):
        leave = moves.move_jobs

        def move_jobs(connection: Any, jobs: Any, *, new: JobState, **given: Any) -> None:
            if new is JobState.STAGED:
                given["values"] = {"reason": None, "batch_id": None, "generation": 2}
            leave(connection, jobs, new=new, **given)

        with patch.object(answers, "move_jobs", move_jobs):
            yield


@_mutant("I1", "I4", seen_at=346)
def no_last_look() -> Iterator[None]:
    """Who was suspended between intent and first byte sends when it wakes, however late."""
    heard = patch.object(LeasedHolding, "heard_since", lambda *_: True)
    with patch.object(sending, "claim_is_ending", lambda *_: False), heard:
        yield


def in_order(names: Sequence[str] = ()) -> list[Mutant]:
    """All mutants, or those of these names."""
    return [mutant for mutant in MUTANTS if not names or mutant.name in names]
