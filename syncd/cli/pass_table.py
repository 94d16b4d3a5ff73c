"""How the results of passes are shown: a table for people, a list for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from syncd.cli import common
from syncd.engine.passes import PassResult
from syncd.sources.base import Unread


def as_data(result: PassResult) -> dict[str, Any]:
    """The documented JSON shape of one pass."""
    error = result.error
    return {
        "pass": result.kind,
        "target": result.target,
        "outcome": result.outcome,
        "counts": {name: n for name, n in result.counts.items() if n},
        "unread": result.unread,
        "error": None if error is None else {"what": str(error), "hint": error.hint},
    }


def print_passes(results: Sequence[PassResult], *, as_json: bool) -> None:
    """Print what each pass did."""
    if as_json:
        common.print_json([as_data(result) for result in results])
        return
    from syncd.cli.tables import cell, console, new_table

    table = new_table("pass", "of", "outcome", "counts")
    for result in results:
        counts = ", ".join(f"{name} {n:,}" for name, n in sorted(result.counts.items()) if n)
        cells = (result.kind, result.target, result.outcome, counts or "nothing to do")
        table.add_row(*(cell(one) for one in cells))
    console().print(table)
    for result in results:
        say_unread(f"{result.kind} {result.target}", result.unread)
    say_errors(results)


def say_unread(reader: str, unread: Unread) -> None:
    """Say on stderr what of a source was left for a later poll."""
    if unread:
        common.say(f"{reader}: not read to the end yet: {unread}")
        common.say("hint: a later poll reads it; see settle and last_line_after of the source")


def say_errors(results: Sequence[PassResult]) -> None:
    """Say on stderr what went wrong in each pass, with its hint."""
    for result in results:
        if result.error is not None:
            common.say_error(f"{result.kind} {result.target}", result.error)
