"""Two `syncd run` on one PostgreSQL ledger, and leads that keep coming."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import phonenumbers
import psycopg

from syncd.ledger import migrate
from syncd.ledger.store import open_store
from syncd.sandbox.testing import RunningSandbox
from tests.postgres import conninfo
from tests.soak.meter import Life

END_S = 90.0
CONFIG = """\
[ledger]
url = "{url}"
lease = "5s"

[campaigns.welcome]
base_url = "{base_url}"
token = "{token}"
batch_size = 20
max_in_flight = 4
max_requests_per_second = 100.0
report_every = "5s"
quiet_time = "3s"
max_jobs_per_day = "off"
max_minutes_per_day = "off"
timeouts = {{ connect_s = 2.0, read_s = 2.0, total_s = 4.0 }}

[sources.crm]
kind = "csv"
path = "exports/*.csv"
renamed = true

[syncs.leads]
source = "crm"
campaign = "welcome"
every = "1s"
map = {{ key = "id", phone = "phone", gmtZone = "+00:00", payload.name = "{{name}}" }}
"""


@cache
def areas() -> tuple[int, ...]:
    """Area codes with which 555-01xx are a hundred valid numbers for fiction."""
    found = (phonenumbers.parse(f"+1{area}5550100") for area in range(200, 990))
    return tuple(
        int(str(one.national_number)[:3]) for one in found if phonenumbers.is_valid_number(one)
    )


def phone_of(number: int) -> str:
    """The phone of the lead with this number; each its own, all for fiction."""
    return f"+1{areas()[number // 100]}55501{number % 100:02d}"


LEADS_MAX = 100 * len(areas())


@dataclass(slots=True)
class Instance:
    """One `syncd run`, and its lives so far."""

    name: str
    running: subprocess.Popen[bytes] | None = None
    born_s: float = 0.0
    stopped_until_s: float | None = None
    lives: list[Life] = field(default_factory=list)


@dataclass(slots=True)
class Cluster:
    """A folder, a ledger, a sandbox, and the instances."""

    folder: Path
    url: str
    box: RunningSandbox
    instances: list[Instance]
    leads: int = 0

    def prepare(self) -> None:
        """Configuration, exports and an empty ledger."""
        (self.folder / "exports").mkdir()
        config = self.folder / "syncd.toml"
        config.touch(mode=0o600)
        told = {"url": self.url, "base_url": self.box.base_url, "token": self.box.token}
        config.write_text(CONFIG.format(**told), encoding="utf-8")
        store = open_store(self.url)
        migrate.upgrade(store)
        store.close()

    def add_leads(self, count: int) -> None:
        """One more export."""
        numbers = range(self.leads, min(self.leads + count, LEADS_MAX))
        if not numbers:
            return
        export = self.folder / "exports" / f"leads-{self.leads:06d}.csv"
        part = export.with_suffix(".part")
        with part.open("w", encoding="utf-8", newline="") as out:
            rows = [(n, phone_of(n), f"Lead {n}") for n in numbers]
            csv.writer(out).writerows([("id", "phone", "name"), *rows])
        part.replace(export)
        self.leads = numbers[-1] + 1

    def start(self, one: Instance) -> None:
        """A new life."""
        own = {n: told for n, told in os.environ.items() if not n.startswith(("SYNCD_", "COV"))}
        with (self.folder / f"{one.name}.log").open("ab") as out:
            one.running = subprocess.Popen(
                [sys.executable, "-m", "syncd", "--log-format", "json", "run"],
                cwd=self.folder,
                env={**own, "PYTHONPATH": str(Path(__file__).parents[2])},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        one.born_s, one.stopped_until_s = time.monotonic(), None
        life = f"{one.name}, life {len(one.lives) + 1}"
        one.lives.append(Life(life, one.running.pid))

    def kill(self, one: Instance) -> None:
        """SIGKILL, also of a stopped one."""
        assert one.running is not None
        one.running.kill()
        one.running.wait(END_S)
        one.running = None

    def stop(self, one: Instance, seconds: float) -> None:
        """SIGSTOP; `go_on` ends it when its time has come."""
        assert one.running is not None
        one.running.send_signal(signal.SIGSTOP)
        one.stopped_until_s = time.monotonic() + seconds

    def go_on(self, one: Instance) -> None:
        """SIGCONT."""
        if one.running is not None and one.stopped_until_s is not None:
            one.running.send_signal(signal.SIGCONT)
        one.stopped_until_s = None

    def end(self) -> dict[str, int]:
        """SIGTERM to all; how each of them ended."""
        for one in self.instances:
            if one.running is not None:
                one.running.terminate()
        return {
            one.name: one.running.wait(END_S) for one in self.instances if one.running is not None
        }

    def kill_all(self) -> None:
        """Nothing stays, whatever happened."""
        for one in self.instances:
            if one.running is not None:
                self.kill(one)

    def look(self) -> None:
        """One look at each process that runs."""
        for one in self.instances:
            if one.running is not None and one.stopped_until_s is None:
                one.lives[-1].look(time.monotonic() - one.born_s)

    def cut_connections(self) -> int:
        """The server ends every connection of the instances; how many there were."""
        found = self.sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(found[0][0])

    def open_jobs(self) -> int:
        """Leads that are not in the campaign yet, and jobs that are not accepted."""
        known = self.sql(
            "SELECT count(*) FROM call_jobs WHERE state IN ('accepted', 'closed', 'parked')"
        )
        return self.leads - int(known[0][0])

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """A look into the ledger, or what a test does to it."""
        with psycopg.connect(conninfo(self.url), autocommit=True) as connection:
            done = connection.execute(query.encode())
            return done.fetchall() if done.description else []

    def said(self) -> str:
        """Everything that the instances logged."""
        logs = (self.folder / f"{one.name}.log" for one in self.instances)
        return "".join(log.read_text(encoding="utf-8") for log in logs if log.exists())

    def problems(self) -> list[str]:
        """Who was called twice or never, and where the ledger and the vendor differ."""
        jobs = [job for job in self.box.jobs() if job.redial is None]
        calls = Counter(job.phone.lstrip("+") for job in jobs)
        wanted = {phone_of(n).lstrip("+") for n in range(self.leads)}
        states = dict(self.sql("SELECT state, count(*) FROM call_jobs GROUP BY state"))
        ids = self.sql("SELECT call_job_id FROM call_jobs WHERE call_job_id IS NOT NULL")
        known = {row[0] for row in ids}
        found = {
            "called twice": sum(count > 1 for count in calls.values()),
            "never called": len(wanted - calls.keys()),
            "called, and no lead": len(calls.keys() - wanted),
            "calls that the ledger lacks": len({str(job.id) for job in jobs} - known),
            "calls that were never made": len(known - {str(job.id) for job in jobs}),
            "leads without an accepted call": self.leads
            - states.get("accepted", 0)
            - states.get("closed", 0),
            "crashes of syncd": self.said().count("process.crashed"),
        }
        return [f"{what}: {count}" for what, count in found.items() if count]
