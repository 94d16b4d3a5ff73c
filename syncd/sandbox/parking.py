"""Parked requests: on their way to the vendor, and there when nobody waits for them any more.

Owns their order. They live in memory only: the state file tells of what was carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from syncd.sandbox.keys import Owner
from syncd.sandbox.knobs import KeyScope


class Parked(NamedTuple):
    """A request that is carried out by `act` at `due_ms`. `owner` None: its token opens nothing."""

    due_ms: int
    number: int
    owner: Owner | None
    key: str | None
    act: Callable[[], None]


class Parking:
    """Parked requests, the next one first."""

    def __init__(self) -> None:
        self._heap: list[Parked] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(
        self, due_ms: int, act: Callable[[], None], owner: Owner | None, key: str | None
    ) -> None:
        """Parks a request; those that are due together keep their order."""
        self._number += 1
        heappush(self._heap, Parked(due_ms, self._number, owner, key, act))

    def due(self, now_ms: int) -> Parked | None:
        """The next request that is due by now, taken out."""
        return heappop(self._heap) if self._heap and self._heap[0].due_ms <= now_ms else None

    def holds(self, key: str, owner: Owner, scope: KeyScope) -> bool:
        """Whether a request with this key is on its way."""
        return any(
            each.key == key and each.owner is not None and each.owner.shares(owner, scope)
            for each in self._heap
        )

    def clear(self) -> None:
        """Loses all of them."""
        self._heap.clear()
