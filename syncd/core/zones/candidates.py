"""Where a person may live: candidate zones, and the evidence for them.

A chain asks its steps in order; the first that names zones wins. Each step answers with a set, in
order of likelihood, since a wrong zone calls at night and two zones only make the hours fewer.
Nothing here ever holds a whole phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from syncd.core.getters import Row
from syncd.core.zones.tz_tables import Clocks

_MAX_KEPT: Final = 65_536  #: answers; there are far fewer kinds of evidence than numbers


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one step read, and what that says."""

    #: "column", "region", "city", "postcode", "country", "registry", "phone" or "default"
    step: str
    value: str  #: the cell's text, or the number's prefix ("+7 914 7"), or the default
    zones: tuple[str, ...]  #: in order of likelihood; () when the step passed
    note: str = ""  #: one short sentence, such as "area code 850 is split"
    shares: tuple[float, ...] = ()  #: of each zone, where known (registry), else ()


@dataclass(frozen=True, slots=True)
class Candidates:
    """The zones that a person may live in."""

    #: In order of likelihood, one for each clock: `zone.tab` ids or "+HH:MM"; () = unknown: hold.
    zones: tuple[str, ...]
    evidence: tuple[
        Evidence, ...
    ]  #: the steps asked, in order; the last one answered, or all passed
    shares: tuple[float, ...] = ()  #: of each zone, where known (registry), else ()


class Step(Protocol):
    """One way to learn zones from a record or a number."""

    name: str

    def ask(self, record: Row, phone: str) -> Evidence | None:
        """What this step says; None, or evidence without zones, when it passes.

        `phone` is the digits of a valid E.164 number, without "+". Raises nothing.
        """
        ...


class Chain:
    """The steps of a sync, in the order in which they are asked."""

    def __init__(self, steps: Sequence[Step], clocks: Clocks) -> None:
        """`clocks` tells which zones are one; a chain is as old as its clocks."""
        self._asks = tuple(step.ask for step in steps)
        self._clocks = clocks
        # Steps give one object for many numbers; the key is its identity, since a hash of all its
        # texts costs more than the answer. The object is kept, so that no other gets its identity.
        self._kept: dict[int, tuple[Evidence, Candidates]] = {}

    def resolve(self, record: Row, phone: str) -> Candidates:
        """The candidates of a record; `phone` is E.164 digits, without "+"."""
        passed: tuple[Evidence, ...] = ()
        for ask in self._asks:
            evidence = ask(record, phone)
            if evidence is None:
                continue
            if evidence.zones:
                return self._answer(evidence) if not passed else self._fold(evidence, passed)
            passed = (*passed, evidence)
        return Candidates((), passed)

    def _answer(self, evidence: Evidence) -> Candidates:
        """The candidates of a first step's answer, kept."""
        kept = self._kept.get(id(evidence))
        if kept is not None:
            return kept[1]
        if len(self._kept) >= _MAX_KEPT:
            self._kept.clear()
        answer = self._fold(evidence, ())
        self._kept[id(evidence)] = (evidence, answer)
        return answer

    def _fold(self, evidence: Evidence, passed: tuple[Evidence, ...]) -> Candidates:
        asked = (*passed, evidence)
        if evidence.shares:
            zones, shares = self._clocks.fold_shares(evidence.zones, evidence.shares)
            return Candidates(zones, asked, shares)
        return Candidates(self._clocks.fold(evidence.zones), asked)
