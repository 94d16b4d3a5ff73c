"""Remembers which numbers were seen, in about sixteen bytes each.

`plan` stores nothing, so it cannot ask the ledger whether an earlier page brought a key or a phone;
a set of Python objects would take ten times the memory for a source of millions.
"""

from __future__ import annotations

import hashlib
from array import array

_SLOTS_MIN = 1 << 12
_MIX = 0x9E3779B97F4A7C15  #: spreads phones that follow each other over the slots
_MASK = (1 << 64) - 1


class Seen:
    """A set of whole numbers from 1 to 2**64 - 1."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _SLOTS_MIN))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: int) -> bool:
        return self._slots[self._slot(number)] == number

    def add(self, number: int) -> bool:
        """Remember `number`; whether it is new."""
        assert 0 < number <= _MASK, "zero is an empty slot"
        slot = self._slot(number)
        if self._slots[slot]:
            return False
        self._slots[slot] = number
        self._count += 1
        if 2 * self._count > len(self._slots):
            self._grow()
        return True

    def _slot(self, number: int) -> int:
        """Where `number` stands, or the empty slot where it would."""
        slots = self._slots
        last = len(slots) - 1
        slot = (number * _MIX & _MASK) >> 20 & last
        while slots[slot] not in (0, number):
            slot = slot + 1 & last
        return slot

    def _grow(self) -> None:
        before = self._slots
        self._slots = array("Q", bytes(2 * 8 * len(before)))
        for number in before:
            if number:
                self._slots[self._slot(number)] = number


def number_of(text: str) -> int:
    """A number for a key; two of a million keys share one with a chance of one in 10 million."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1
