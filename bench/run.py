"""`make bench`: syncd beside a plain script, dlt and drt-core, on this machine, in one run.

Each contender runs in its own process and environment, the target in another process; rounds are
interleaved, so that a slow minute of the machine hurts everybody. After each run the target is
asked whether it saw each phone once; if not, the run does not count and the bench fails.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bench import contenders, envs, leads, measure, table
from bench.contenders import Contender, Job
from bench.table import PollRow, Row, Section, ZoneRow

POLL_LEADS = 1_000  # as in poll_growth.py, which only an environment of syncd can import
RESULTS = Path(__file__).parent / "results"
SECTIONS = ("speed", "slow", "large", "zones")
#: Hours whose cost is measured: a preset or "own", and whether the Russian registry is asked.
HOURS = (("decent", False), ("decent", True), ("us-tcpa", False), ("fr-d223-9", False),
         ("auto", False), ("auto", True), ("own", True))  # fmt: skip


def measure_once(contender: Contender, job: Job, count: int) -> measure.Cost:
    """One run in a fresh folder; the target must have seen each of `count` phones once."""
    shutil.rmtree(job.folder, ignore_errors=True)
    job.folder.mkdir(parents=True)
    job.target.reset()
    cost = contender.run(job)
    seen = job.target.stats()
    if (seen["phones"], seen["unique"]) != (count, count):
        raise measure.RunFailed(f"{contender.name}: {count} leads, but the target saw {seen}")
    return cost


def compare(
    title: str, who: Sequence[Contender], count: int, rounds: int, latency_ms: float = 0.0
) -> Section:
    """Medians of `rounds` interleaved rounds over `count` leads."""
    export = export_of(count)
    costs: dict[str, list[measure.Cost]] = {contender.name: [] for contender in who}
    for turn in range(rounds):
        for contender in who:
            with measure.target(latency_ms) as target:
                job = Job(export, target, work(contender))
                cost = measure_once(contender, job, count)
            costs[contender.name].append(cost)
            say(f"round {turn + 1}: {contender.name}: {count / cost.wall_s:,.0f} leads/s")
    rows = [_row(contender, count, costs[contender.name]) for contender in who]
    return Section(title, rows)


def _row(contender: Contender, count: int, costs: Sequence[measure.Cost]) -> Row:
    return Row(
        name=contender.name,
        leads=count,
        leads_per_s=count / median(cost.wall_s for cost in costs),
        cpu_us_per_lead=median(cost.cpu_s for cost in costs) / count * 1e6,
        peak_mb=median(cost.peak_mb for cost in costs),
        ledger=contender.ledger,
        note=contender.note,
    )


def work(contender: Contender) -> Path:
    """The folder that a contender works in; what its last run left is there until the next."""
    return RESULTS / "work" / contender.name.replace(", ", "-")


def export_of(count: int) -> Path:
    """The CSV of `count` leads; written once."""
    path = RESULTS / f"leads-{count}.csv"
    if not path.exists():
        leads.write(path, count)
    return path


def large(count: int) -> list[Section]:
    """Does memory stay flat when the export grows tenfold, and a poll when the ledger has grown?"""
    small = compare("", [contenders.SYNCD_FAST], count // 2, rounds=1)
    big = compare("", [contenders.SYNCD_FAST], count * 5, rounds=1)
    polls = [
        PollRow("nothing", *poll_cost(empty_ledger(), first=count * 5)),
        PollRow(f"{count * 5:,} leads", *poll_cost(work(contenders.SYNCD_FAST), first=count * 5)),
    ]
    return [
        Section(f"syncd at {count // 2:,} and {count * 5:,} leads", small.rows + big.rows),
        Section(f"a poll that finds {POLL_LEADS:,} new leads", polls),
    ]


def empty_ledger() -> Path:
    """A folder with a configuration and a ledger without leads."""
    folder = RESULTS / "work" / "empty"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with measure.target() as target:
        contenders.SYNCD_FAST.prepare(Job(export_of(1), target, folder))
    return folder


def poll_cost(folder: Path, first: int) -> tuple[float, float]:
    """CPU and wall milliseconds of a poll on the ledger in `folder`."""
    command = [envs.python("syncd-fast"), "-m", "bench.poll_growth", "--first", str(first)]
    command += ["--config", str(folder / "syncd.toml")]
    done = subprocess.run(command, cwd=envs.ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise measure.RunFailed(f"the poll ended with {done.returncode}:\n{done.stderr[-800:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    say(f"poll on {folder.name}: {found}")
    return found["cpu_ms"], found["wall_ms"]


def zones(count: int) -> Section:
    """What zone and permitted hours cost for `count` numbers of all countries."""
    rows = []
    for preset, registry in HOURS:
        command = [envs.python("syncd-fast"), "-m", "bench.zones_cost", "--preset", preset]
        command += ["--leads", str(count), *(["--registry"] if registry else [])]
        done = subprocess.run(command, cwd=envs.ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise measure.RunFailed(f"zones ended with {done.returncode}:\n{done.stderr[-800:]}")
        found = json.loads(done.stdout)
        say(f"zones, {preset}: {found}")
        rows.append(ZoneRow(preset, registry, count, **found))
    return Section(f"zone and permitted hours of {count:,} numbers of all countries", rows)


def say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


def _sections(text: str) -> tuple[str, ...]:
    """The names of tables in a list with commas; a name that is none is a usage error."""
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no table is called {', '.join(map(repr, unknown))}; there are: {', '.join(SECTIONS)}"
        )
    return names


def main(args: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="contenders whose name contains this")
    parser.add_argument(
        "--sections", type=_sections, default=SECTIONS, help=f"which tables: {','.join(SECTIONS)}"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    given = parser.parse_args(args)
    wanted = given.sections
    RESULTS.mkdir(parents=True, exist_ok=True)
    who = [one for one in contenders.CONTENDERS if given.only in one.name]
    if not who:
        names = "; ".join(one.name for one in contenders.CONTENDERS)
        parser.error(f"no contender has {given.only!r} in its name; there are: {names}")
    slow = [one for one in contenders.SLOW_API if given.only in one.name]
    if wanted == ("slow",) and not slow:
        parser.error(f"{given.only!r} is not in the table slow")
    sections = []
    try:
        if "speed" in wanted:
            title = f"{given.leads:,} leads, batches of {contenders.BATCH}"
            sections.append(compare(title, who, given.leads, given.rounds))
        if "slow" in wanted and slow:
            title = f"an API of {contenders.SLOW_API_MS:.0f} ms a request"
            sections.append(compare(title, slow, given.leads, 1, contenders.SLOW_API_MS))
        if "large" in wanted:
            sections += large(given.leads)
        if "zones" in wanted:
            sections.append(zones(given.leads))
    except measure.RunFailed as error:
        say(str(error))
        return 1
    finally:
        shutil.rmtree(RESULTS / "work", ignore_errors=True)
    where = f"Python {platform.python_version()}, {os.cpu_count()} cores, {given.rounds} rounds"
    report = table.markdown(sections, where)
    (RESULTS / "bench.md").write_text(report, encoding="utf-8")
    data = json.dumps({"machine": where, "sections": [asdict(one) for one in sections]}, indent=2)
    (RESULTS / "bench.json").write_text(data + "\n", encoding="utf-8")
    sys.stdout.write(data + "\n" if given.json else report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
