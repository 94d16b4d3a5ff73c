"""How lists are shown: tables of at most 100 columns, CSV that no spreadsheet runs, JSON by parts.

Loaded by a command when it prints; must never decide what is shown.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO

import orjson
from rich.console import Console
from rich.table import Table

from syncd.cli import common

#: Of a table that does not go to a terminal: what a wide terminal, a mail or an issue shows whole.
WIDTH = 100
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PHONE = re.compile(r"\+[0-9]+")


def console() -> Console:
    """Stdout for tables; what it prints is data, so brackets and colons stay what they are."""
    free = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if free else WIDTH, markup=False, emoji=False, highlight=False)


def new_table(*columns: str, right: Iterable[str] = ()) -> Table:
    """A plain table; a cell that is too long goes on in the next line, nothing is cut."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    numbers = set(right)
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in numbers else "left")
    return table


def cell(value: object) -> str:
    """A value as one cell: numbers grouped, None empty, control characters as question marks."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "".join(one if one.isprintable() else "?" for one in str(value))


def fact_table(facts: Iterable[tuple[str, object]]) -> Table:
    """Names and values below each other; a None is left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in facts:
        if value is not None:
            table.add_row(name, cell(value))
    return table


def time_of(at: datetime | None) -> str | None:
    """An instant to the second, UTC."""
    return None if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def print_json_list(items: Iterable[object]) -> None:
    """A JSON array on stdout, item by item: memory does not grow with the list."""
    options = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
    before = "[\n  "
    for item in items:
        sys.stdout.write(before + orjson.dumps(item, option=options).decode())
        before = ",\n  "
    sys.stdout.write("[]\n" if before.startswith("[") else "\n]\n")


def write_csv(out: IO[str], columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> int:
    """Rows as CSV (RFC 4180) with every cell made harmless; how many there were."""
    writer = csv.writer(out)
    writer.writerow(columns)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the answer
        writer.writerow([harmless(row.get(name)) for name in columns])
    return count


def harmless(value: object) -> str:
    """A cell that no spreadsheet runs: an apostrophe before a formula; `+` and digits stay."""
    text = "" if value is None else str(value)
    if text.startswith(_FORMULA) and not _PHONE.fullmatch(text):
        return f"'{text}"
    return text


def tell_more(shown: int, limit: int | None) -> None:
    """Say that a list may go on."""
    if limit is not None and shown >= limit:
        common.say(f"the first {shown:,}; --limit 0 shows all")
