"""The step of the chain that asks the Russian numbering registry.

Mobiles are always answered: with the zones of their block, else with all eleven clocks of Russia,
for a mobile shows nothing of where it is. Landlines in no block are passed on: the next step knows
their area codes. This step must never answer for another country's numbers.
"""

from __future__ import annotations

from typing import Final

from syncd.core.getters import Row
from syncd.core.zones.candidates import Evidence
from syncd.core.zones.registry import Answer, Registry, shares_of_russia
from syncd.core.zones.subjects import ALL_RUSSIA, clock

#: Of the nationwide ranges and of what nobody was given; `status` and `check` look for it.
NO_REGISTRY: Final = "no registry: all eleven clocks of Russia"

_STEP = "registry"
_LENGTH = 11  #: "7" and ten digits
_PREFIX = 5  #: the digits that evidence shows: never a whole phone
_LANDLINES = ("73", "74", "78")  # "76" and "77" are Kazakhstan
_MOBILES = "79"


class RegistryStep:
    """Answers for Russian numbers; `registry` is None where none was imported."""

    name = _STEP

    def __init__(self, registry: Registry | None) -> None:
        self._registry = registry
        self._shares = shares_of_russia(registry) if registry else ()
        # One object for all numbers with the same prefix and answer: the chain keeps by identity.
        self._kept: dict[tuple[str, int], Evidence] = {}

    def ask(self, _record: Row, phone: str) -> Evidence | None:
        """The zones of a Russian number; None for another country's."""
        if phone[0] != "7" or len(phone) != _LENGTH:
            return None
        answer = self._registry.zones_of(phone) if self._registry else None
        prefix = phone[:_PREFIX]
        # An answer lives as long as its registry, so that its identity is its own.
        kept = self._kept.get((prefix, id(answer)))
        if kept is None:
            made = self._evidence(prefix, answer)
            if made is None:
                return None
            kept = self._kept[prefix, id(answer)] = made
        return kept

    def _evidence(self, prefix: str, answer: Answer | None) -> Evidence | None:
        """What is told of a prefix; there are some ten thousand of them at most."""
        value = f"+7 {prefix[1:4]} {prefix[4:]}"
        if answer is not None:
            zones, shares = answer
            return Evidence(_STEP, value, zones, _note(zones), shares)
        if prefix.startswith(_MOBILES):
            note = "in no block of the registry: all eleven clocks of Russia"
            return Evidence(
                _STEP, value, ALL_RUSSIA, note if self._registry else NO_REGISTRY, self._shares
            )
        if prefix.startswith(_LANDLINES):
            note = "in no block of the registry" if self._registry else "no registry"
            return Evidence(_STEP, value, (), note)
        return None


def _note(zones: tuple[str, ...]) -> str:
    clocks = len({clock(zone) for zone in zones})
    if clocks == 1:
        return ""
    return "a block of the whole country" if zones == ALL_RUSSIA else f"a block of {clocks} clocks"
