"""syncd, as its documentation says, with its defaults.

It waits 2 seconds instead of 2 minutes before it sends a batch in doubt again: the table is the
same, and is there sooner.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import envs, leads
from bench.failures.tools import BATCH, GUARD, Options, in_order, telling
from syncd.sandbox.testing import RunningSandbox

CONFIG = """\
[campaigns.bench]
base_url = "{base_url}"
token = "{token}"
quiet_time = "2s"
{size} = {batch}

[sources.leads]
kind = "csv"
path = "leads.csv"
settle = "0s"

[syncs.bench]
source = "leads"
campaign = "bench"
every = "5m"

[syncs.bench.map]
key = "id"
phone = "phone"
default_region = "RU"
gmtZone = "{{tz}}"

[syncs.bench.map.payload]
lead = "{{id}}"
name = "{{first_name}} {{last_name}}"
{policy}
"""


class Syncd:
    """The checkout, on its SQLite ledger."""

    name = "syncd"
    _command = (sys.executable, "-m", "syncd")

    def prepare(
        self, folder: Path, rows: Sequence[tuple[str, ...]], box: RunningSandbox, options: Options
    ) -> None:
        """A CSV export, a configuration, an empty ledger."""
        with (folder / "leads.csv").open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(leads.COLUMNS)
            writer.writerows(in_order(rows, shuffled=options.shuffled))
        policy = f"[syncs.bench.policy]\nmax_new_per_poll = {GUARD}" if options.guard else ""
        config = folder / "syncd.toml"
        config.touch(mode=0o600)
        text = CONFIG.format(
            base_url=box.base_url,
            token=box.token,
            size="batch_sise" if options.typo else "batch_size",
            batch=BATCH,
            policy=policy,
        )
        config.write_text(text, encoding="utf-8")

        if not options.typo:  # else the first command is the one that is looked at
            init = [*self._command, "init"]
            subprocess.run(init, cwd=folder, env=self.environment(folder), check=True, stdout=-3)

    def run(self, options: Options) -> list[str]:
        if options.guard:  # --yes would say that a person has decided how many
            return [*self._command, "once"]
        stay = ["--no-wait"] if options.outage else []  # else it waits for the end of the outage
        return [*self._command, "backfill", "bench", "--yes", *stay]

    def check(self) -> list[str]:
        return [*self._command, "check"]

    def environment(self, folder: Path) -> Mapping[str, str]:  # noqa: ARG002 - drt's has its HOME
        return {**os.environ, "PYTHONPATH": str(envs.ROOT)}

    def told(self, output: str) -> str:
        return telling(output, r"did you mean|^error: |^in the campaign |tripped")
