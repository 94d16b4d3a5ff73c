"""Reads the official files of the Russian numbering registry: DEF-9xx, ABC-3xx, ABC-4xx, ABC-8xx.

Their form, as of 2026: UTF-8 with a byte order mark, ";", no quoting, a header. The region column
is "-" in one row of ten, so that only "Территория ГАР" is read: places from small to large parted
by "|", of which the last is the subject; several subjects parted by a comma; "Российская
Федерация" for the whole country. A row that is not understood refuses its file, whereas a
territory that is not known gets all eleven clocks, and is reported.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from syncd.core.zones.registry import Block
from syncd.core.zones.subjects import ALL_RUSSIA, clock, zones_of_subject
from syncd.errors import ConfigError, Problem

#: Fewer rows are a part of the registry, or something else; the file of mobiles had 17,059 in 2026.
ROWS_MIN: Final = 15_000
MOBILE: Final = "9"  #: the first digit of the codes of mobiles

_CODE, _FROM, _TO, _SIZE, _TERRITORY = 0, 1, 2, 3, 6
#: The first name is written with letters that look alike, some of them Latin.
_HEADER = (
    re.compile(r"[АA][ВB][СC] ?/ ?DEF|[АA][ВB][СC]|DEF"),
    re.compile("От"),
    re.compile("До"),
    re.compile("[ЕЁ]мкость"),
    re.compile("Оператор"),
    re.compile("Регион"),
    re.compile("Территория ГАР"),
)
_HEADER_TEXT = "АВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН"
_DIGITS = (re.compile(r"[3489][0-9]{2}"), re.compile(r"[0-9]{7}"), re.compile(r"[0-9]{7}"))
_LINE_MAX = 4096
_PROBLEMS_SHOWN = 5


@dataclass(slots=True)
class RegistryFile:
    """What one file holds; `unknown` counts the numbers of each territory that is not known."""

    name: str
    blocks: list[Block] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)


def read(lines: Iterable[str], name: str) -> RegistryFile:
    """The blocks of one file.

    Args:
        lines: decoded, the header first; a byte order mark and ends of lines may be on them.
        name: of the file, for messages.

    Raises:
        ConfigError: the header is another, or rows are not understood; it names the first of them.
    """
    given = iter(lines)
    columns = _columns(next(given, ""), name)
    found = RegistryFile(name)
    zones: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for number, line in enumerate(given, start=2):
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        row = _cells(text, columns)
        span = None if row is None else _span(row)
        if row is None or span is None:
            problems.append(Problem("is no row of the registry", where=f"{name}, line {number}"))
            if len(problems) == _PROBLEMS_SHOWN:
                break
            continue
        territory = row[_TERRITORY].strip()
        if territory not in zones:
            zones[territory] = zones_of_territory(territory)
        if not zones[territory]:
            found.unknown[territory] += span[1] - span[0] + 1
        found.blocks.append(Block(*span, zones[territory] or ALL_RUSSIA))
    if problems:
        raise ConfigError(
            "rows are not understood: the registry's form has changed, or the file is damaged",
            where=name,
            hint="download it again; nothing was imported",
            problems=problems,
        )
    return found


def zones_of_territory(cell: str) -> tuple[str, ...]:
    """The zones of a cell of "Территория ГАР"; () when a part of it is not known."""
    name = _subject(cell)
    whole = zones_of_subject(name) if "," in name else ()
    if whole:  # one of the names has a comma inside
        return whole
    parts = [zones_of_subject(_subject(part)) for part in cell.split(",")]
    if not all(parts):
        return ()
    if len(parts) == 1:
        return parts[0]  # a subject knows its likeliest zone itself
    either = dict.fromkeys(zone for zones in parts for zone in zones)
    return tuple(sorted(either, key=lambda zone: clock(zone) or 0))


def refuse_too_few(blocks: Sequence[Block]) -> None:
    """Raise ConfigError when the blocks are too few for the registry, or for its mobiles."""
    mobiles = sum(str(block.first)[1] == MOBILE for block in blocks)
    for count, what in ((len(blocks), "rows"), (mobiles or ROWS_MIN, "rows of mobiles")):
        if count < ROWS_MIN:
            raise ConfigError(
                f"{count:,} {what} are too few, expected {ROWS_MIN:,} or more",
                hint="the file seems to be a part of the registry; nothing was imported",
            )


def _columns(line: str, name: str) -> int:
    """How many columns the header has."""
    header = [cell.strip() for cell in line.removeprefix("\ufeff").strip().split(";")]
    if len(header) < len(_HEADER) or not all(
        want.fullmatch(cell) for want, cell in zip(_HEADER, header, strict=False)
    ):
        raise ConfigError(
            "the header is not the registry's",
            where=name,
            hint=f"expected {_HEADER_TEXT}; the server sends pages of errors as if they were files,"
            ' and older files lack "Территория ГАР"',
        )
    return len(header)


def _cells(text: str, columns: int) -> Sequence[str] | None:
    """The cells of a row; quotes are read as quotes only when the plain way does not fit."""
    row = text.split(";")
    if len(row) != columns and len(text) <= _LINE_MAX:
        row = next(csv.reader([text], delimiter=";"))
    return row if len(row) == columns else None


def _span(row: Sequence[str]) -> tuple[int, int] | None:
    """The first and the last number of a row, with the country's 7; None if it is no block."""
    code, first, last = (row[at].strip() for at in (_CODE, _FROM, _TO))
    if not all(
        rule.fullmatch(cell) for rule, cell in zip(_DIGITS, (code, first, last), strict=True)
    ):
        return None
    size = row[_SIZE].strip()
    if int(last) < int(first) or size != str(int(last) - int(first) + 1):
        return None
    return int(f"7{code}{first}"), int(f"7{code}{last}")


def _subject(part: str) -> str:
    return part.rpartition("|")[2].strip()
