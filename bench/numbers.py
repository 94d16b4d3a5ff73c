"""Valid numbers of all countries, drawn from the patterns of `phonenumbers`: the same at each run.

Nobody is called with them: they are asked for their time zones, and go nowhere.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata

from syncd.core.zones.registry import Registry

SEED = 20261122
MOBILE, LANDLINE = "mobile", "fixed_line"
#: All types that a person may be reached by, or may have typed into a form.
TYPES = (LANDLINE, MOBILE, "toll_free", "premium_rate", "shared_cost", "voip", "personal_number",
         "uan", "pager")  # fmt: skip
_TRIES = 60
_MOBILES = 0.75  #: of a list of people, as CRMs have them


def of_all_types(count: int, seed: int = SEED) -> list[str]:
    """E.164 digits: each country as often as any other, and in it each type of number."""
    chance = random.Random(seed)
    kinds = {region: [kind for kind in TYPES if _pattern(region, kind)] for region in _regions()}
    return list(_drawn(count, chance, lambda region: chance.choice(kinds[region])))


def of_people(count: int, seed: int = SEED) -> list[str]:
    """Mobiles and landlines only, three to one; each country as often as any other."""
    chance = random.Random(seed)

    def kind(region: str) -> str:
        wanted = MOBILE if chance.random() < _MOBILES else LANDLINE
        return wanted if _pattern(region, wanted) else LANDLINE

    return list(_drawn(count, chance, kind))


def of_region(region: str, kind: str, count: int, seed: int = SEED) -> list[str]:
    """Numbers of one country and type."""
    chance = random.Random(seed)
    return [_number(region, kind, chance) for _ in range(count)]


def of_registry(registry: Registry, count: int, seed: int = SEED) -> list[str]:
    """Numbers that were given to somebody: each as likely as any other."""
    chance, blocks = random.Random(seed), registry.blocks()
    sizes = [block.last - block.first + 1 for block in blocks]
    drawn = chance.choices(blocks, sizes, k=count)
    return [str(chance.randint(block.first, block.last)) for block in drawn]


def _drawn(count: int, chance: random.Random, kind_of: Any) -> Iterator[str]:
    regions = _regions()
    for _ in range(count):
        region = chance.choice(regions)
        yield _number(region, kind_of(region), chance)


@cache
def _regions() -> Sequence[str]:
    return sorted(region for region in phonenumbers.SUPPORTED_REGIONS if _pattern(region, LANDLINE))


@cache
def _pattern(region: str, kind: str) -> tuple[re.Pattern[str], tuple[int, ...], str] | None:
    """What numbers of a type look like, how long they are, and an example."""
    told = getattr(PhoneMetadata.metadata_for_region(region), kind)
    if told is None or not told.national_number_pattern or not told.example_number:
        return None
    lengths = tuple(length for length in told.possible_length if length > 0)
    example = told.example_number
    return re.compile(told.national_number_pattern), lengths or (len(example),), example


def _number(region: str, kind: str, chance: random.Random) -> str:
    """A random number that fits the pattern; as much of the example is kept as that needs."""
    found = _pattern(region, kind)
    assert found is not None, f"{region} has no {kind}"
    pattern, lengths, example = found
    code = phonenumbers.country_code_for_region(region)
    for kept in range(len(example)):
        for _ in range(_TRIES):
            more = chance.choice(lengths) - kept
            digits = example[:kept] + "".join(chance.choices("0123456789", k=max(0, more)))
            if pattern.fullmatch(digits):
                return f"{code}{digits}"
    return f"{code}{example}"
