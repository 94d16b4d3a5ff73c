"""Instances that share one PostgreSQL ledger: leads a second with 1, 2 and 4 processes.

Each process backfills a sync of its own; together they have the same leads each time. "one
campaign" lets all of them feed one campaign, "own campaigns" gives each its own. The server and
the null target run on the same machine. Databases named syncd_scale_… are made and dropped.

    python -m bench.scale --leads 100000 --url postgresql://postgres@127.0.0.1:5432/postgres
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench import databases, leads, measure

RESULTS = Path(__file__).parent / "results"
URL = "postgresql://postgres@127.0.0.1:5432/postgres"
PROCESSES = (1, 2, 4)
DATABASE = "syncd_scale"
HEAD = '[ledger]\nurl = "{url}"\n'
CAMPAIGN = """
[campaigns.c{n}]
base_url = "{base_url}"
token = "1.{n}.bench"
batch_size = 500
max_in_flight = 4
max_requests_per_second = 10000.0
"""
SYNC = """
[sources.s{n}]
kind = "csv"
path = "{leads}"
settle = "0s"

[syncs.s{n}]
source = "s{n}"
campaign = "c{campaign}"
every = "5m"
map = {{ key = "id", phone = "phone", default_region = "RU", gmtZone = "{{tz}}" }}
"""


def prepare(folder: Path, url: str, base_url: str, *, count: int, own: bool) -> Path:
    """The configuration for so many processes, and an empty ledger; where it is."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    parts = [HEAD.format(url=url)]
    campaigns = range(count) if own else range(1)
    parts += [CAMPAIGN.format(n=n, base_url=base_url) for n in campaigns]
    for n in range(count):
        export = RESULTS / f"scale-{count}-{n}.csv"
        parts.append(SYNC.format(n=n, leads=export, campaign=n if own else 0))
    config = folder / "syncd.toml"
    config.touch(mode=0o600)
    config.write_text("".join(parts), encoding="utf-8")
    measure.run([sys.executable, "-m", "syncd", "init", "--config", str(config)], folder)
    return config


def together(config: Path, count: int) -> float:
    """Seconds until every process has sent all of its sync."""
    processes = []
    began = time.perf_counter()
    for n in range(count):
        command = [sys.executable, "-m", "syncd", "backfill", f"s{n}", "--config", str(config)]
        with (config.parent / f"output-{n}.log").open("ab") as out:
            started = subprocess.Popen(
                [*command, "--yes", "--json", *EXTRA], stdout=out, stderr=out
            )
        processes.append(started)
    codes = [one.wait(measure.LIMIT_S) for one in processes]
    if any(codes):
        raise measure.RunFailed(f"backfill ended with {codes}: see {config.parent}")
    return time.perf_counter() - began


#: A backfill of this size is what the guards are asked to let through.
EXTRA = ("--yes",)


def measured(url: str, count: int, *, total: int, own: bool) -> float:
    """Leads a second of so many processes; fails unless each phone was seen once."""
    with measure.target() as target:
        config = prepare(
            RESULTS / "scale",
            databases.recreate(url, DATABASE),
            target.base_url,
            count=count,
            own=own,
        )
        wall_s = together(config, count)
        seen = target.stats()
    if (seen["phones"], seen["unique"]) != (total, total):
        raise measure.RunFailed(f"not each once: {seen} of {total:,}")
    return total / wall_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", default=os.environ.get("SYNCD_BENCH_POSTGRES_URL", URL))
    given = parser.parse_args()
    total = given.leads // max(PROCESSES) * max(PROCESSES)
    lines = [
        "| processes | one campaign, leads/s | own campaigns, leads/s |",
        "| --- | --- | --- |",
    ]
    for count in PROCESSES:
        part = total // count
        for n in range(count):
            leads.write(RESULTS / f"scale-{count}-{n}.csv", part, first=n * part)
        speeds = []
        for own in (False, True):
            rounds = [measured(given.url, count, total=total, own=own) for _ in range(given.rounds)]
            speeds.append(f"{median(rounds):,.0f}")
            sys.stderr.write(f"scale: {count} processes, own campaigns {own}: {speeds[-1]}/s\n")
        lines.append(f"| {count} | {' | '.join(speeds)} |")
    databases.drop(given.url, DATABASE)
    sys.stdout.write("\n".join(lines) + f"\n\n{total:,} leads, {os.cpu_count()} cores\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
