"""How a check is shown: what was tried on stdout; what is wrong, with its hints, on stderr."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.cli import common
from syncd.cli.checking import Check
from syncd.cli.tables import cell, console, new_table
from syncd.errors import Problem


def print_check(made: Check, *, as_json: bool) -> None:
    """Print everything at once."""
    if as_json:
        common.print_json(
            {
                "ok": not made.problems,
                "checks": made.findings,
                "samples": made.samples,
                "problems": made.problems,
                "warnings": made.warnings,
            }
        )
        return
    table = new_table("", "what", "name", "found")
    for finding in made.findings:
        mark = "ok" if finding.ok else "wrong"
        table.add_row(mark, finding.what, cell(finding.name), cell(finding.detail))
    console().print(table)
    _say("warning", made.warnings)
    _say("problem", made.problems)
    if not made.problems:
        common.say("no problem was found; nothing was written")


def _say(kind: str, problems: Iterable[Problem]) -> None:
    for problem in problems:
        common.say(f"{kind}: {problem}")
        if problem.hint:
            common.say(f"  hint: {problem.hint}")
