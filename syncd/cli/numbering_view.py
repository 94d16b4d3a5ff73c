"""How the numbering registry is shown: what it holds, how old it is, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from syncd.cli import common
from syncd.cli.tables import console, fact_table
from syncd.core.zones.registry import Registry
from syncd.core.zones.registry_csv import MOBILE

#: Blocks change hands all the time; numbers newer than the table are in no block of it.
OLD_DAYS = 90
_MISSING = (
    "there is none: Russian mobiles may be in any of eleven time zones, and are called only in the"
    " hours that all of them have in common"
)
_HOW = "bring it in: syncd numbering import DEF-9xx.csv (docs/how-to/zones.md)"


def print_registry(
    registry: Registry | None, place: Path | None, *, now: datetime, as_json: bool
) -> None:
    """All that is known about the registry, for a person or as JSON."""
    shown = facts(registry, place, now)
    if as_json:
        common.print_json(shown)
    elif registry is None:
        common.say(f"numbering registry: {_MISSING}\nhint: {_HOW}")
    else:
        console().print(fact_table(_lines(shown)))
    if registry is not None:
        _warn(shown)


def facts(registry: Registry | None, place: Path | None, now: datetime) -> dict[str, Any]:
    """The JSON of `numbering status`; everything but the file is None without a registry."""
    about: Mapping[str, Any] = registry.about if registry else {}
    numbers = about.get("numbers")
    imported = datetime.fromisoformat(about["imported_at"]) if about else None
    return {
        "file": None if place is None else str(place),
        "imported_at": imported,
        "age_days": None if imported is None else (now - imported).days,
        "files": about.get("files"),
        "rows": about.get("rows"),
        "ranges": registry.ranges if registry else None,
        "mobiles": None if numbers is None else numbers.get(MOBILE, 0),
        "landlines": None if numbers is None else sum(numbers.values()) - numbers.get(MOBILE, 0),
        "one_clock": about.get("one_clock"),
        "several_clocks": about.get("several_clocks"),
        "unknown": about.get("unknown"),
        "digest": registry.digest if registry else None,
        "attribution": about.get("attribution"),
    }


def say_lost(lost: tuple[str, ...]) -> None:
    """Tell what only the table before this one covered."""
    if lost:
        names = ", ".join("DEF-9xx" if digit == MOBILE else f"ABC-{digit}xx" for digit in lost)
        common.say(
            f"warning: the registry before had {names} too, and this one has not\n"
            "hint: name all the files in one import"
        )


def _lines(shown: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    yield "file", shown["file"]
    yield "imported", f"{shown['imported_at']:%Y-%m-%d %H:%M} UTC, {shown['age_days']} days ago"
    for file in shown["files"]:
        yield "from", f"{file['name']}: {file['rows']:,} rows, {file['numbers']:,} numbers"
    yield "rows", f"{shown['rows']:,}, as {shown['ranges']:,} ranges"
    yield "mobiles", shown["mobiles"] or "none: import DEF-9xx.csv"
    yield "landlines", shown["landlines"] or "none: their area codes are used"
    both = shown["one_clock"] + shown["several_clocks"]
    yield "one clock", f"{shown['one_clock'] / both:.2%} of the numbers"
    yield "digest", shown["digest"][:16]
    yield "source", shown["attribution"]


def _warn(shown: Mapping[str, Any]) -> None:
    for one in shown["unknown"]:
        common.say(
            f'warning: the territory "{one["territory"]}" is not known: its {one["numbers"]:,}'
            " numbers may be in any of eleven time zones"
        )
    if shown["age_days"] > OLD_DAYS:
        common.say(f"warning: the registry is {shown['age_days']} days old\nhint: {_HOW}")
