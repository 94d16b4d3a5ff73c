"""What a mutant is, and the list of them: the engine with one promise taken out.

Each has to be caught, or the simulator is blind. A mutant is a context in which simulations run.
What it takes out stands in its first line; the laws that it may break stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

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


def mutant(*laws: str, seen_at: int = 0) -> Callable[[_Body], Callable[[], Any]]:
    """Put the promise that the function takes out on the list."""

    def keep(body: _Body) -> Callable[[], Any]:
        applied = contextmanager(body)
        MUTANTS.append(Mutant(body.__name__, frozenset(laws), seen_at, applied))
        return applied

    return keep


def set_of(batch: ClaimedBatch, **values: object) -> None:
    """Change a claim that nothing else may change."""
    for name, value in values.items():
        object.__setattr__(batch, name, value)
