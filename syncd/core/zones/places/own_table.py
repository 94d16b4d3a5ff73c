"""A user's own table: what stands in a column, and the zones that it means."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Final

from syncd.core.zones.texts import fold
from syncd.core.zones.written import zones_of_text
from syncd.errors import ConfigError, Problem

_MAX_PROBLEMS: Final = 20
_FIELDS: Final = 2


class OwnTable:
    """Zones by value; case, accents and punctuation do not matter."""

    def __init__(self, zones: Mapping[str, tuple[str, ...]]) -> None:
        self._zones = {fold(value): each for value, each in zones.items()}

    def zones_of(self, text: str) -> tuple[str, ...]:
        """The zones of a value; () when the table has none."""
        return self._zones.get(fold(text), ())

    def __len__(self) -> int:
        return len(self._zones)


def read_own_table(text: str, where: str) -> OwnTable:
    """Reads a CSV of `value,zone`, with or without that header; `;` and tab may part fields too.

    Several zones of one value are parted by `|` or stand in several rows, likeliest first. Raises
    `ConfigError` that lists the rows that cannot be read; `where` names the file.
    """
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    zones: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    for row in reader:
        fields = [field.strip() for field in row]
        if not any(fields) or (reader.line_num == 1 and [*map(fold, fields)] == ["value", "zone"]):
            continue
        said = _zones(fields)
        if said:
            value = fold(fields[0])
            zones[value] = tuple(dict.fromkeys((*zones.get(value, ()), *said)))
        else:
            at = f"{where}, line {reader.line_num}"
            problems.append(Problem("is no value with its zone", where=at))
    if problems:
        raise ConfigError(
            "the table of zones cannot be read",
            where=where,
            hint='write lines such as "North;Europe/Moscow" or "Branch 7,+05:00"',
            problems=problems[:_MAX_PROBLEMS],
        )
    return OwnTable(zones)


def _zones(fields: list[str]) -> tuple[str, ...]:
    if len(fields) != _FIELDS or not fold(fields[0]):
        return ()
    said = [zones_of_text(part) for part in fields[1].split("|")]
    return tuple(zone for each in said for zone in each) if all(said) else ()
