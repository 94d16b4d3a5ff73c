"""How the zones of a list are shown: first rows and a summary, or all of it as CSV or JSON."""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError
from rich import progress as bar
from rich.console import Console

from syncd.cli import common, outlook_view
from syncd.cli.tables import cell, console, fact_table, harmless, new_table
from syncd.engine.zone_list import Answer, Number, Summary
from syncd.errors import ConfigError
from syncd.sources.base import Page
from syncd.sources.csv_file import CsvSource
from syncd.sources.csv_options import CsvOptions

PIPE = "-"
#: Added to the file's own columns, so named that they are never among them.
COLUMNS = (
    "syncd_phone",
    "syncd_gmt_zone",
    "syncd_zones",
    "syncd_step",
    "syncd_note",
    "syncd_confidence",
    "syncd_why",
    "syncd_hours",
)
_ZONES_SHOWN = 30
_WORDS = {
    "one_clock": "one clock",
    "several_clocks": "several clocks",
    "held": "held: no hour is known to be right",
    "no_phone": "no phone",
}
_Read = Iterable[tuple[Page, list[Number]]]


@contextmanager
def opened(file: str, encoding: str | None, delimiter: str | None) -> Iterator[CsvSource]:
    """The list as a source. A pipe is kept in a temporary file meanwhile: CSV is read twice."""
    with ExitStack() as stack:
        path = file
        if file == PIPE or (Path(file).exists() and not Path(file).is_file()):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="syncd-"))
            path = str(Path(folder) / "list.csv")
            _spool(file, Path(path))
        try:
            options = CsvOptions(path=path, encoding=encoding, delimiter=delimiter, renamed=True)
        except ValidationError as error:
            raise ConfigError(
                f"--{error.errors(include_input=False)[0]['loc'][0]} cannot be used",
                hint="an encoding such as cp1251, a delimiter of one character",
            ) from None
        yield CsvSource("list", options)


def _spool(file: str, path: Path) -> None:
    """Write what comes by a pipe into a file that only its owner can read."""
    try:
        with path.open("wb") as kept:
            if file == PIPE:
                shutil.copyfileobj(sys.stdin.buffer, kept)
            else:
                with Path(file).open("rb") as pipe:
                    shutil.copyfileobj(pipe, kept)
    except OSError as error:
        raise ConfigError(f"the list cannot be read: {error.strerror}", where=file) from None


@contextmanager
def shown(file: str) -> Iterator[Callable[[_Read], _Read]]:
    """A bar on stderr while pages come, on a terminal only; a guessed encoding is told."""
    bars = bar.Progress(
        bar.TextColumn("zones"),
        bar.BarColumn(bar_width=None),
        bar.TextColumn("{task.fields[numbers]:,} numbers"),
        bar.TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with bars:
        task = bars.add_task("zones", total=1.0, numbers=0)

        def on_page(read: _Read) -> _Read:
            done, guessed = 0, ""
            for page, numbers in read:
                done += len(numbers)
                bars.update(task, completed=page.progress or 0.0, numbers=done)
                if page.guessed and not guessed:
                    guessed = page.guessed
                    common.say(f"warning: the encoding of {Path(file).name} is a guess: {guessed}")
                    common.say("hint: if names look wrong, give the right one by --encoding")
                yield page, numbers

        yield on_page


def as_data(one: Number) -> dict[str, Any]:
    """The documented JSON of a number."""
    answer = one.answer
    return {
        "line": one.line,
        "phone": None if one.phone is None else f"+{one.phone}",
        "confidence": answer.confidence,
        "why": answer.why,
        "gmt_zone": answer.gmt_zone,
        "zones": answer.zones,
        "shares": answer.shares,
        "step": answer.step,
        "value": answer.value,
        "note": answer.note,
        "hours": answer.hours,
    }


def print_json(read: _Read, summary: Summary, _rows: int) -> None:
    """One document, number by number: memory does not grow with the list."""
    out = sys.stdout
    before = '{"numbers": [\n  '
    for _, numbers in read:
        for one in numbers:
            out.write(before + orjson.dumps(as_data(one)).decode())
            before = ",\n  "
    out.write(before if before.startswith("{") else "\n")
    told = {
        "numbers": summary.numbers,
        "by_confidence": summary.by_confidence,
        "by_zone": dict(summary.by_zone.most_common()),
        "why": dict(summary.why.most_common()),
        "unreadable": summary.unreadable,
        "no_registry": summary.no_registry,
    }
    out.write(f'], "summary": {orjson.dumps(told).decode()}}}\n')


def print_csv(read: _Read, summary: Summary, _rows: int) -> None:
    """The file's own cells as they were, for whoever reads them next, and our columns."""
    writer = csv.writer(sys.stdout)
    begun = False
    for page, numbers in read:
        if not begun:
            writer.writerow([*page.columns, *COLUMNS])
            begun = True
        writer.writerows([*one.row, *_cells(one)] for one in numbers)
    for name, value in _facts(summary):
        if value is not None:
            common.say(f"{name}: {cell(value)}")


def _cells(one: Number) -> tuple[str, ...]:
    answer: Answer = one.answer
    return (
        "" if one.phone is None else f"+{one.phone}",
        answer.gmt_zone or "",
        "|".join(answer.zones),
        answer.step or "",
        harmless(answer.note),
        answer.confidence,
        answer.why or "",
        answer.hours or "",
    )


def print_table(read: _Read, summary: Summary, rows: int) -> None:
    """The first rows, and the whole in numbers."""
    table = new_table(
        "line", "phone", "zone sent", "hours there", "told by", "note", right=["line"]
    )
    left = rows
    for _, numbers in read:
        for one in numbers[:left]:
            answer = one.answer
            table.add_row(
                str(one.line),
                "" if one.phone is None else f"+{one.phone}",
                answer.gmt_zone or f"({answer.why or 'none'})",
                answer.hours or "",
                f"{answer.step} {cell(answer.value)}" if answer.step else "",
                cell(answer.note),
            )
        left -= min(left, len(numbers))
    out = console()
    if rows and summary.numbers:
        out.print(table)
        if summary.numbers > rows:
            common.say(f"the first {rows:,} of {summary.numbers:,}; --csv and --json give all")
        out.print()
    out.print(fact_table(_facts(summary)))


def _facts(summary: Summary) -> Iterator[tuple[str, object]]:
    yield "numbers", summary.numbers
    for name, count in summary.by_confidence.items():
        if count:
            yield _WORDS[name], f"{count:,} ({count / summary.numbers:.1%})"
    yield "why", _counted(summary.why.most_common()) or None
    zones = summary.by_zone.most_common(_ZONES_SHOWN)
    more = len(summary.by_zone) - len(zones)
    told = _counted(zones) + (f" and {more:,} more zones" if more else "")
    yield "zones", told or None
    yield "unreadable", summary.unreadable or None


def _counted(counts: list[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts)


def say_left(summary: Summary) -> None:
    """Say what is missing to know more, and that there was nothing."""
    if not summary.numbers and not summary.unreadable:
        common.say("there is no record in it")
    outlook_view.say_no_registry(summary.no_registry)
