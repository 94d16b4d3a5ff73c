"""One story of a crash test: a sandbox, a ledger, commands one after another, and the end of it.

A command whose process is killed is given again, as a person or a supervisor does. Where it was
killed is told by the trace, and what became of everybody by the sandbox's own book.
"""

from __future__ import annotations

import csv
import json
import os
import signal
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.sandbox.testing import RunningSandbox
from tests.crash.ledgers import LedgerKind
from tests.crash.processes import Axe, Place, Processes
from tests.running import eventually, phone_of

#: More than the quiet time, the longest back-off, a claim and a lease together.
LONG_S = 20 * 60.0
#: More than a lease, less than the quiet time.
SHORT_S = 70.0
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
#: More lives of one command than any story has steps to be killed at.
LIVES_MAX = 120
ROUNDS_MAX = 40
BUG = 70
#: A phone for fiction whose number does not tell the zone.
NO_ZONE = "+61491570006"
#: The scenes of most stories are at any time of the day.
ANY_HOUR = 'preset = "off"'

CONFIG = """\
[ledger]
url = "{url}"

[campaigns.welcome]
base_url = "{base_url}"
token = "{token}"
batch_size = 4
max_in_flight = 2
max_requests_per_second = 1000.0
report_every = "1s"
{campaign}

[sources.crm]
kind = "csv"
path = "leads.csv"
renamed = true

[syncs.leads]
source = "crm"
campaign = "welcome"
every = "1s"

[syncs.leads.map]
key = "id"
phone = "phone"
gmtZone = "{{zone}}"
payload = {{ name = "{{name}}" }}

[syncs.leads.hours]
{hours}

[syncs.leads.policy]
{policy}

{more}
"""


@dataclass(slots=True)
class Scene:
    """What a story works with."""

    place: Place
    box: RunningSandbox
    ledger: LedgerKind
    processes: Processes
    axes: list[Axe] = field(default_factory=list)
    ahead_s: float = 0.0
    token: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    by_hand: set[str] = field(default_factory=set)  #: call jobs that an operator made
    _seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    # --- what a story does

    def configure(self, **settings: str) -> None:
        """Write the configuration, with more lines in its `campaign`, `policy`, or after all.

        `hours` are those of the sync.
        """
        self.token = self.token or self.box.token
        self.settings |= settings
        told = {"campaign": "", "policy": "", "more": "", "hours": ANY_HOUR, **self.settings}
        told |= {"url": self.ledger.url, "base_url": self.box.base_url, "token": self.token}
        config = self.place.folder / "syncd.toml"
        config.touch(mode=0o600)
        config.write_text(CONFIG.format(**told), encoding="utf-8")

    def export(self, numbers: Iterable[int], *, no_zone: Collection[int] = ()) -> None:
        """The export with these leads; those in `no_zone` are held."""
        rows = [
            (n, NO_ZONE, f"Lead {n}", "")
            if n in no_zone
            else (n, phone_of(n), f"Lead {n}", "+00:00")
            for n in numbers
        ]
        self.write("leads.csv", [("id", "phone", "name", "zone"), *rows])

    def write(self, name: str, rows: Iterable[Sequence[object]]) -> None:
        """A file of rows, put in place by a rename."""
        part = self.place.folder / f"{name}.part"
        with part.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows(rows)
        part.replace(self.place.folder / name)

    def do(self, command: str, *, codes: Collection[int] = (0,)) -> None:
        """`syncd COMMAND`, given again after each kill, and until it ends with one of `codes`."""
        for _ in range(LIVES_MAX):
            ended = self._live(command.split())
            if ended == -signal.SIGKILL:
                # At once, or as soon as what the dead one held is free.
                waits = command.startswith("backfill")
                self.pass_time(LONG_S if waits else self._until_free_s)
            elif ended in codes:
                return
            else:
                assert 0 <= ended < BUG, f"{command}: {ended}\n{self.output}"
                self.pass_time(LONG_S)
        raise AssertionError(f"{command} did not come to its end\n{self.output}")

    def run_until_idle(self) -> None:
        """`syncd run`, started again after each kill, until nothing is left; then SIGTERM."""
        for _ in range(LIVES_MAX):
            pid = self.processes.start(
                self.place, ["run"], ahead_s=self.ahead_s, axes=self._axes_left()
            )
            eventually(lambda pid=pid: not _runs(pid) or self.is_idle, "the end of the work")
            if _runs(pid):
                os.kill(pid, signal.SIGTERM)
            ended = self.processes.wait(pid)
            if ended == 0:
                return
            assert ended == -signal.SIGKILL, f"run: {ended}\n{self.output}"
            self.pass_time(LONG_S)
        raise AssertionError(f"run did not come to its end\n{self.output}")

    def pass_time(self, seconds: float) -> None:
        """The same time passes for syncd, for its database and for the vendor."""
        self.ahead_s += seconds
        self.box.advance(seconds)
        self.ledger.move_clock(self.ahead_s)

    def call_by_hand(self, number: int) -> str:
        """An operator makes a call to this lead; its ID."""
        job = {"phone": phone_of(number).lstrip("+"), "gmtZone": "+00:00"}
        (made,) = self.box.call_by_hand([job])
        self.by_hand.add(str(made))
        return str(made)

    def call_from_elsewhere(self, number: int) -> None:
        """Another program adds this lead to the campaign, in the same words as syncd."""
        phone, payload = phone_of(number).lstrip("+"), {"name": f"Lead {number}"}
        job = {"phone": phone, "payload": payload, "gmtZone": "+00:00"}
        body = json.dumps([job], separators=(",", ":"))
        path = f"/api/calls/campaign/{self.token}/addPhones"
        headers = {"content-type": "application/json", "idempotence-key": f"elsewhere-{number}"}
        seen = self.box.exchange("POST", path, headers=headers, body=body.encode())
        assert seen.answer is not None
        assert seen.answer.status == 200, seen.answer
        self.by_hand.update(str(job.id) for job in self.box.jobs())

    def settle(self) -> None:
        """Pass after pass, later and later, until there is nothing that time brings to its end."""
        for turn in range(ROUNDS_MAX):
            self.do("once", codes=(0, 1))
            if self.is_idle:
                return
            self.pass_time(LONG_S if turn < 4 else 4 * HOUR_S)
        raise AssertionError(f"not idle: {self.states()}\n{self.output}")

    # --- what came of it

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be sent, answered or cancelled."""
        jobs = self.ledger.rows(
            "SELECT count(*) FROM call_jobs WHERE state IN ('staged', 'sealed')"
        )
        unread = self.ledger.rows("SELECT count(*) FROM leads")
        wishes = self.ledger.rows("SELECT count(*) FROM cancellations WHERE answered_at IS NULL")
        return not jobs[0][0] and not wishes[0][0] and bool(unread[0][0])

    def states(self) -> dict[str, int]:
        """How many call jobs are in each state."""
        return dict(self.ledger.rows("SELECT state, count(*) FROM call_jobs GROUP BY state"))

    def called(self) -> Counter[int]:
        """How many call jobs each lead has at the vendor; those by hand count, too."""
        jobs = [job for job in self.box.jobs() if job.redial is None]
        return Counter(self._number(job.phone) for job in jobs)

    def assert_called(self, *numbers: int) -> None:
        """Each of these leads has one call, nobody else has any, and the ledger knows each call."""
        assert self.called() == Counter(numbers), f"{self.states()}\n{self.output}"
        made = {str(job.id) for job in self.box.jobs() if job.redial is None}
        known = self.known_calls()
        assert known <= made, "the ledger has calls that were never made"
        assert made - known <= self.by_hand, "the ledger lacks calls"

    def dialled(self) -> set[int]:
        """Whom the vendor has really called, each by one job."""
        jobs = [job for job in self.box.jobs() if job.redial is None and job.attempts]
        times = Counter(self._number(job.phone) for job in jobs)
        assert set(times.values()) <= {1}, f"called twice: {times}\n{self.output}"
        return set(times)

    def known_calls(self) -> set[str]:
        """The vendor's IDs that the ledger has."""
        found = self.ledger.rows("SELECT call_job_id FROM call_jobs WHERE call_job_id IS NOT NULL")
        return {str(row[0]) for row in found}

    def ids(self, state: str) -> list[Any]:
        """The jobs in a state, the oldest first."""
        found = self.ledger.rows(f"SELECT id FROM call_jobs WHERE state = '{state}' ORDER BY id")
        return [row[0] for row in found]

    @property
    def output(self) -> str:
        """The last that the commands said, and what they came to."""
        told = (self.place.folder / "output.txt").read_text(encoding="utf-8")
        return f"{told[-3000:]}\nkilled: {self.place.fallen()}"

    @staticmethod
    def _number(phone: str) -> int:
        return next(n for n in range(100) if phone_of(n).lstrip("+") == phone.lstrip("+"))

    # --- one life

    @property
    def _until_free_s(self) -> float:
        return 0.0 if self.ledger.name == "sqlite" else SHORT_S

    def _live(self, argv: list[str]) -> int:
        return self.processes.run(self.place, argv, ahead_s=self.ahead_s, axes=self._axes_left())

    def _axes_left(self) -> list[Axe]:
        """Those that have not fallen yet, less the times that earlier lives came by."""
        reached, fallen = Counter(self.place.reached()), set(self.place.fallen())
        return [
            Axe(axe.step, axe.when, max(1, axe.time - reached[axe.step, axe.when]))
            for axe in self.axes
            if (axe.step, axe.when) not in fallen
        ]


def _runs(pid: int) -> bool:
    """Whether a child of the warm parent is still alive; one that ended waits to be asked for."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] != "Z"
