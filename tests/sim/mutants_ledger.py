"""Mutants of what the ledger keeps: its guards, its fences, its cursor, and what people hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from sqlalchemy import text

from syncd.core.call_job import JobState
from syncd.engine import suppress
from syncd.engine.guarding import Judge
from syncd.ledger import (
    answers,
    cancel,
    moves,
    settling,
)
from syncd.ledger.intake_page import IntakePage, IntakeResult
from syncd.ledger.ledger import Ledger
from syncd.ledger.look_ups import LookUps
from syncd.ledger.lost_calls import LostCalls
from syncd.ledger.moves import By
from tests.sim.mutant import mutant, set_of


@mutant("I2", seen_at=38)
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


@mutant("I1", "I2", "I3", "bug", seen_at=131)
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


#: The moves of a batch, each of which names the epoch of its claim.
_FENCED = {
    Ledger: ("mark_sent", "record_answer", "record_refusal", "record_no_answer", "let_go"),
    LookUps: ("note_look", "record_absent", "adopt"),
}


@mutant("I1", "I3", "I4", "I8", "I11", seen_at=96)
def no_fence() -> Iterator[None]:
    """Who was overtaken moves a batch all the same."""
    with ExitStack() as open_:
        for owner, verbs in _FENCED.items():
            for name in verbs:
                open_.enter_context(patch.object(owner, name, _unfenced(getattr(owner, name))))
        yield


def _unfenced(verb: Callable[..., Any]) -> Callable[..., Any]:
    def mutated(self: Any, batch: Any, *given: Any, **named: Any) -> Any:
        with self._store.read() as connection:
            query = text("SELECT epoch, sends FROM batches WHERE id = :id")
            row = connection.execute(query, {"id": batch.id}).one()
        set_of(batch, epoch=row.epoch, sends=row.sends)
        return verb(self, batch, *given, **named)

    return mutated


@mutant("I1", seen_at=1)
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


@mutant("I1", seen_at=124)
def lost_calls_not_looked_for() -> Iterator[None]:
    """After a restore what the campaign has is not compared with the ledger."""
    with patch.object(LostCalls, "keep", lambda *_, **__: (0, 0)):
        yield


@mutant("I1", seen_at=124)
def lists_of_a_backup_believed() -> Iterator[None]:
    """A list that waits in the backup counts as never sent."""
    with patch.object(LostCalls, "doubt_open", lambda *_, **__: 0):
        yield


@mutant("I10", seen_at=2)
def no_tripwire() -> Iterator[None]:
    """A poll starts whatever it finds."""
    with patch.object(Judge, "_trip", lambda *_: None):
        yield


@mutant("I10", seen_at=33)
def barred_jobs_not_withdrawn() -> Iterator[None]:
    """Who comes on a do-not-call list is called when the job was there before."""
    with patch.object(suppress, "_withdraw", lambda *_: None):
        yield


@mutant("I1", seen_at=122)
def cancel_not_waited_for() -> Iterator[None]:
    """New content goes at once, whatever became of the call with the old."""
    with patch.object(settling, "_why_not", lambda *_: None):
        yield
