"""What zones and permitted hours cost for each lead: prints one JSON object.

    python -m bench.zones_cost --leads 200000 --preset us-tcpa --registry

Mobiles and landlines of all countries. The first time each number is asked for is cold: nothing is
known yet but the phone numbers' own patterns, which reading a phone needs anyway. The second time
the same numbers are asked for is warm, as when a list is read again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bench import numbers
from syncd.core import phone
from syncd.core.call_times import CallTimes
from syncd.core.columns import Columns
from syncd.core.spec import HoursSpec, MappingSpec, ZoneSpec
from syncd.core.sync_times import times_at
from syncd.core.zones.registry import Block, Registry, compiled
from syncd.core.zones.subjects import ALL_RUSSIA

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
OWN = HoursSpec(
    presets=(), week={"mon-fri": ("10:00-13:00", "14:00-20:00")}, closed=("2026-12-31",)
)
_RUSSIAN = 0.2  #: of the list, where a registry is asked
_BLOCKS = 17_000
_BLOCK = 40_000  #: numbers


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=200_000)
    parser.add_argument("--preset", default="decent", help='a preset, "auto", or "own"')
    parser.add_argument("--registry", action="store_true", help="with a registry of 17,000 blocks")
    given = parser.parse_args()
    registry = made_registry() if given.registry else None
    asked = _list(given.leads, registry)
    hours = OWN if given.preset == "own" else HoursSpec(presets=(given.preset,))
    spec = MappingSpec(("id",), ("phone",), None, {}, {}, None, ZoneSpec(("registry", "phone")))
    for number in asked:
        phone.normalise(f"+{number}")  # as each phone is read before its zone is asked for
    began_s = time.process_time()
    times = times_at(replace(spec, hours=hours), registry)(NOW)(Columns(("id", "phone")))
    cold_us = _cost_us(times, asked, began_s)
    warm_us = _cost_us(times, asked, time.process_time())
    sys.stdout.write(json.dumps({"cold_us": cold_us, "warm_us": warm_us}) + "\n")
    return 0


def _cost_us(times: CallTimes, asked: Sequence[int], began_s: float) -> float:
    """CPU microseconds for each number, from `began_s` on."""
    row = ("1", "2")
    for number in asked:
        times.window(row, number)
    return (time.process_time() - began_s) / len(asked) * 1e6


def _list(count: int, registry: Registry | None) -> list[int]:
    """Numbers of all countries, mixed; Russian mobiles among them where there is a registry."""
    if registry is None:
        return list(map(int, numbers.of_people(count)))
    russian = round(count * _RUSSIAN)
    found = numbers.of_registry(registry, russian) + numbers.of_people(count - russian)
    random.Random(numbers.SEED).shuffle(found)
    return list(map(int, found))


def made_registry() -> Registry:
    """As many blocks as the real registry has, of clocks in turn."""
    firsts = range(7900 * 10**7, 7900 * 10**7 + _BLOCKS * _BLOCK, _BLOCK)
    blocks = (
        Block(first, first + _BLOCK - 1, (ALL_RUSSIA[at % len(ALL_RUSSIA)],))
        for at, first in enumerate(firsts)
    )
    return compiled(blocks, {})


if __name__ == "__main__":
    sys.exit(main())
