"""The memory of idempotence keys: which answer was given under which key, when, and to whom.

Owns the scope and the life of a key. Every key is kept with its token and its campaign, so that a
knob that is turned changes what is found, and nothing that is kept.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from syncd.sandbox.knobs import HOUR_MS, KeyScope, Knobs


class Owner(NamedTuple):
    """Who uses a key."""

    token: str
    campaign: int

    def shares(self, other: Owner, scope: KeyScope) -> bool:
        """Whether a key of the one is known to the other."""
        if scope == "token":
            return self.token == other.token
        return scope == "account" or self.campaign == other.campaign


class Kept(NamedTuple):
    """An answer under its key. `status` is 200, or that of a remembered refusal."""

    owner: Owner
    at_ms: int
    answer: bytes
    status: int


class KeyMemory:
    """Answers by key, forgotten in the order in which they were given."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Kept]] = {}
        self._order: deque[tuple[int, str]] = deque()

    def find(self, key: str | None, owner: Owner, now_ms: int, knobs: Knobs) -> Kept | None:
        """The first answer to this key while it is remembered; an empty key is no key.

        Source: Calls API, Idempotence and duplicates.
        """
        self._forget(now_ms - round(knobs.key_hours * HOUR_MS))
        for kept in self._kept.get(key, ()) if key else ():
            if kept.owner.shares(owner, knobs.key_scope):
                return kept
        return None

    def keep(self, key: str | None, kept: Kept) -> None:
        """Remembers an answer; a request without a key is not remembered."""
        if key:
            self._kept.setdefault(key, []).append(kept)
            self._order.append((kept.at_ms, key))

    def clear(self) -> None:
        """Forgets all."""
        self._kept.clear()
        self._order.clear()

    def _forget(self, until_ms: int) -> None:
        while self._order and self._order[0][0] <= until_ms:
            _, key = self._order.popleft()
            kept = self._kept[key]
            del kept[0]
            if not kept:
                del self._kept[key]
