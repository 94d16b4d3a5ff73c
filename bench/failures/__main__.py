"""`make bench-failures`: the bad days on drt-core and on syncd, printed side by side.

Each figure comes from the sandbox's own log of calls, when three days have passed there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import databases
from bench.envs import PINS
from bench.failures.cases import CASES
from bench.failures.on_drt import DATABASE, Drt
from bench.failures.on_syncd import Syncd
from bench.failures.report import Line, as_json, markdown
from bench.failures.tools import Tool
from bench.failures.world import world
from bench.measure import RunFailed

DRT = PINS["drt"][0].rpartition("=")[2]
RESULTS = Path(__file__).parents[1] / "results"


def main(args: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.failures", description=__doc__.split("\n\n")[0])
    parser.add_argument("--leads", type=int, default=10_000)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument(
        "--postgres",
        default=os.environ.get("SYNCD_BENCH_POSTGRES_URL", ""),
        help="a server for drt's own ledger; without one that column is left out",
    )
    parser.add_argument(
        "--duplicate-hours",
        type=float,
        default=0.0,
        help="how long the vendor leaves out an exact repeat of a job (24 at the vendor)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    given = parser.parse_args(args)
    RESULTS.mkdir(parents=True, exist_ok=True)
    tools: list[Tool] = [Drt(), *([Drt(given.postgres)] if given.postgres else []), Syncd()]
    cases = [case for case in CASES if given.only in case.name]
    if not cases:
        names = "; ".join(case.name for case in CASES)
        parser.error(f"no case has {given.only!r} in its name; there are: {names}")
    lines = []
    try:
        for case in cases:
            line = Line(case.name, {}, nobody=case.nobody)
            for tool in tools:
                folder = RESULTS / "failures" / tool.name.replace(", ", "-").replace(" ", "-")
                with world(tool, folder, given.leads, given.duplicate_hours) as one:
                    case.happen(one)
                    line.outcomes[tool.name] = one.outcome()
                sys.stderr.write(f"failures: {case.name}: {tool.name}: {line.cell(tool.name)}\n")
            lines.append(line)
    except RunFailed as error:
        sys.stderr.write(f"failures: {error}\n")
        return 1
    finally:
        if given.postgres:
            databases.drop(given.postgres, DATABASE)
    rule = f"holds for {given.duplicate_hours:g} hours" if given.duplicate_hours else "is off"
    note = (
        f"{given.leads:,} leads, Python {platform.python_version()}, drt-core {DRT}. "
        f"The vendor's own rule, by which it leaves out an exact repeat of a job, {rule}."
    )
    report, data = markdown(lines, note), json.dumps(as_json(lines, note), indent=2)
    (RESULTS / "failures.md").write_text(report, encoding="utf-8")
    (RESULTS / "failures.json").write_text(data + "\n", encoding="utf-8")
    sys.stdout.write(data + "\n" if given.json else report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
