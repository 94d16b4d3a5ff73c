"""How many numbers have one clock, several, or none that is known: prints a table in Markdown.

    python -m bench.zones_figures --registry DEF-9xx.csv

20,000 numbers of all countries, drawn from the patterns of `phonenumbers`, the same at each run.
A number that is held is called by nobody: nothing is known of its zone, or its clocks have no
permitted hour in common. Hours a week are those of the preset "decent": 84 for one clock. The
registry may be a file as it is published, or the `numbering.bin` that an import has made.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

import orjson

from bench import numbers
from syncd.core.columns import Columns
from syncd.core.hours.week import of_hours
from syncd.core.spec import MappingSpec, ZoneSpec
from syncd.core.sync_times import times_at
from syncd.core.window import parse_hours
from syncd.core.zones.registry import Registry, compiled
from syncd.core.zones.registry_csv import read

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
HEAD = ("numbers", "registry", "one clock", "several", "held", "hours a week")
_SPEC = MappingSpec(("id",), ("phone",), None, {}, {}, None, ZoneSpec(("registry", "phone")))


def row(name: str, asked: Sequence[str], registry: Registry | None) -> tuple[str, ...]:
    """A line of the table."""
    times = times_at(_SPEC, registry)(NOW)(Columns(("id", "phone")))
    counts: Counter[str] = Counter()
    hours: list[float] = []
    for number in asked:
        window = times.window(("1", number), int(number))
        clocks = len(orjson.loads(window.basis)["zones"])
        counts["held" if window.held else "one" if clocks == 1 else "several"] += 1
        hours.append(_hours(window.fields))
    shares = (f"{100 * counts[kind] / len(asked):.1f} %" for kind in ("one", "several", "held"))
    return (name, "yes" if registry else "no", *shares, f"{mean(hours):.0f}")


def _hours(fields: bytes) -> float:
    """How many hours a week are permitted."""
    sent = orjson.loads(b"{" + fields + b"}")
    return of_hours(parse_hours(sent["allowedTime"])).minutes / 60 if sent else 0.0


def load(path: Path) -> Registry:
    """The registry, compiled already or as it is published."""
    raw = path.read_bytes()
    if path.suffix != ".csv":
        return Registry.load(raw)
    return compiled(read(io.StringIO(raw.decode("utf-8-sig")), path.name).blocks, {})


def table(count: int, registry: Registry | None) -> list[tuple[str, ...]]:
    """All lines; those of a registry only where there is one."""
    samples = {
        "all countries and types": numbers.of_all_types(count),
        "all countries, mobiles and landlines as on lists": numbers.of_people(count),
        "United States, landlines and mobiles": numbers.of_region("US", numbers.LANDLINE, count),
        "Russia, landlines": numbers.of_region("RU", numbers.LANDLINE, count),
        "Russia, mobiles": numbers.of_region("RU", numbers.MOBILE, count),
    }
    rows = [row(name, asked, None) for name, asked in samples.items()]
    if registry is not None:
        rows += [row(name, asked, registry) for name, asked in list(samples.items())[:2]]
        rows.append(row("Russia, mobiles", numbers.of_registry(registry, count), registry))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=20_000)
    parser.add_argument("--registry", type=Path, help="DEF-9xx.csv or numbering.bin")
    given = parser.parse_args()
    registry = None if given.registry is None else load(given.registry)
    lines = [HEAD, ("---", "---", *["---:"] * 4), *table(given.numbers, registry)]
    sys.stdout.write("".join(f"| {' | '.join(cells)} |\n" for cells in lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
