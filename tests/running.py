"""syncd as a process of its own, in a folder of its own, against a sandbox in the test.

The sandbox here forgives nothing: its 24 h rule for duplicates is off, so that a lead that is sent
twice under two keys is seen as two calls.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from syncd.sandbox.testing import RunningSandbox, running_sandbox

#: With 555-01xx each gives a hundred numbers that are kept for fiction.
AREA_CODES = (201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219,
              220, 223, 224, 225, 228, 229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260,
              262, 267, 269, 270, 272, 274, 276, 281, 301, 302, 303, 304, 305, 307, 308, 309, 310,
              312, 313, 314, 315, 316, 317, 318, 319, 320)  # fmt: skip
LEADS_MAX = len(AREA_CODES) * 100
PATIENCE_S = 30.0
_LOOK_S = 0.02

CONFIG = """\
[ledger]
url = "sqlite:///{ledger}"

[campaigns.welcome]
base_url = "{base_url}"
token = "{token}"
batch_size = {batch_size}
max_in_flight = {max_in_flight}
max_requests_per_second = 1000.0
report_every = "1s"
quiet_time = "1s"

[sources.crm]
kind = "csv"
path = "leads.csv"
{ready}

[syncs.leads]
source = "crm"
campaign = "welcome"
every = "1s"

[syncs.leads.map]
key = "id"
phone = "phone"
gmtZone = "+00:00"

[syncs.leads.map.payload]
name = "{{name}}"
"""


#: Limits the size of files, and becomes what is to be run.
LIMITED = """\
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""

Running = subprocess.Popen[bytes]


def eventually(claim: Callable[[], object], what: str, *, timeout_s: float = PATIENCE_S) -> None:
    """Wait until `claim()` holds; fail with `what` when it takes too long."""
    pause = threading.Event()
    deadline_s = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < deadline_s, f"did not come: {what}"
        pause.wait(_LOOK_S)


def phone_of(number: int) -> str:
    """The phone of the lead with this number; each its own, all for fiction."""
    return f"+1{AREA_CODES[number // 100]}55501{number % 100:02d}"


@dataclass(slots=True)
class Folder:
    """A folder with a configuration, an export and a ledger."""

    path: Path
    ledger: Path
    started: list[Running] = field(default_factory=list)

    def configure(self, box: RunningSandbox, text: str = CONFIG, **values: object) -> None:
        """Write the configuration for this sandbox."""
        given = {"batch_size": 100, "max_in_flight": 4, "ready": "renamed = true", **values}
        given |= {"base_url": box.base_url, "token": box.token, "ledger": self.ledger}
        config = self.path / "syncd.toml"
        config.touch(mode=0o600)
        config.write_text(text.format(**given), encoding="utf-8")

    def write_leads(self, count: int, *, name: str = "leads.csv") -> None:
        """The export with leads 0 to `count`, put in place by a rename."""
        assert count <= LEADS_MAX
        rows = [f"{n},{phone_of(n)},Lead {n}" for n in range(count)]
        part = self.path / f"{name}.part"
        part.write_text("\n".join(["id,phone,name", *rows, ""]), encoding="utf-8")
        part.replace(self.path / name)

    def start(self, *arguments: str, file_bytes_max: int | None = None) -> Running:
        """`syncd ARGUMENTS` in this folder, not waited for; its output goes to output.txt.

        Args:
            file_bytes_max: no file may grow beyond it, as if the disk were full.
        """
        environment = {name: told for name, told in os.environ.items() if name != "SYNCD_CONFIG"}
        syncd = [sys.executable, "-m", "syncd", *arguments]
        limited = [sys.executable, "-c", LIMITED, str(file_bytes_max), *syncd]
        with (self.path / "output.txt").open("ab") as out:
            running = subprocess.Popen(
                syncd if file_bytes_max is None else limited,
                cwd=self.path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self.started.append(running)
        return running

    def syncd(self, *arguments: str, file_bytes_max: int | None = None) -> int:
        """`syncd ARGUMENTS` in this folder until its end; its exit code."""
        return self.start(*arguments, file_bytes_max=file_bytes_max).wait(PATIENCE_S)

    def kill_all(self) -> None:
        """Nothing that a failed test started stays."""
        for running in self.started:
            running.kill()
            running.wait(PATIENCE_S)

    @property
    def output(self) -> str:
        """What every command so far said."""
        return (self.path / "output.txt").read_text(encoding="utf-8")

    def states(self) -> Counter[str]:
        """How many call jobs are in each state."""
        with self._reading() as ledger:
            return Counter(dict(ledger.execute("SELECT state, count(*) FROM call_jobs GROUP BY 1")))

    def call_job_ids(self) -> set[str]:
        """The vendor's IDs that the ledger knows."""
        with self._reading() as ledger:
            found = ledger.execute("SELECT call_job_id FROM call_jobs WHERE call_job_id NOT NULL")
            return {str(row[0]) for row in found}

    def sent_keys(self) -> set[str]:
        """The keys of batches whose sending was committed before it began."""
        with self._reading() as ledger:
            found = ledger.execute("SELECT key FROM batches WHERE first_sent_at NOT NULL")
            return {str(row[0]) for row in found}

    def answered(self) -> int:
        """How many call jobs the campaign has taken."""
        states = self.states()
        return states["accepted"] + states["closed"]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        ledger = sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=10)
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def new_folder(
    path: Path, box: RunningSandbox, *, ledger: Path | None = None, **values: object
) -> Iterator[Folder]:
    """A folder with a configuration and an empty ledger; at the end nothing runs in it."""
    folder = Folder(path, ledger or path / "syncd.db")
    folder.configure(box, **values)
    try:
        assert folder.syncd("init") == 0, folder.output
        yield folder
    finally:
        folder.kill_all()


@contextmanager
def stern_sandbox(**options: object) -> Iterator[RunningSandbox]:
    """A sandbox without the rule that forgives duplicates."""
    with running_sandbox(**{"duplicate_hours": 0, **options}) as box:
        yield box


def batches_sent(box: RunningSandbox) -> int:
    """How many addPhones requests the sandbox has seen."""
    return sum("addPhones" in str(entry["path"]) for entry in box.requests.entries())


def assert_each_once(box: RunningSandbox, folder: Folder, leads: int) -> None:
    """The ground truth: each lead has one call, the ledger knows them all, and nobody else."""
    jobs = [job for job in box.jobs() if job.redial is None]
    times = Counter(job.phone.lstrip("+") for job in jobs)
    assert [phone for phone, count in times.items() if count > 1] == []
    assert set(times) == {phone_of(n).lstrip("+") for n in range(leads)}
    assert folder.call_job_ids() == {str(job.id) for job in jobs}
