"""One simulation: a world from one seed, its faults, then the calm, then the verdict."""

from __future__ import annotations

import logging
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from unittest.mock import patch

from syncd.ledger import leases
from tests.sim.baton import Actor, Baton, Endless
from tests.sim.database import database
from tests.sim.events import approve_all, start_events
from tests.sim.executors import draw_from, drawn_order
from tests.sim.instance import Instance
from tests.sim.invariants import check_end, open_work
from tests.sim.network import Network
from tests.sim.people import DoNotCall, Table
from tests.sim.plan import HOUR_MS, MINUTE_MS, Plan, draw
from tests.sim.vendor import open_vendor
from tests.sim.witness import Witness

#: A Monday, 09:00 UTC.
START_MS = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000)
#: After the last fault: rounds of passes until nothing is left that time brings to its end.
CALM_ROUNDS_MAX = 60
CALM_NAP_MS = 21 * MINUTE_MS
#: Longer naps once everything that may be sent was sent.
CALM_LATER_MS = 2 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one schedule ended."""

    seed: int
    violations: tuple[str, ...]
    trace: str  #: a hash of every step
    steps: int
    passes: int
    crashes: int
    requests: int


class Simulation:
    """Everything of one world."""

    def __init__(self, plan: Plan, lines: list[str] | None = None) -> None:
        """`lines` takes the trace, when a person wants to read it."""
        self.plan = plan
        self.lines = lines
        self.calm = False
        self.crashes = 0
        self.passes = 0
        self.steps = 0
        self.sleepers: list[Actor] = []  # suspended; they wake when somebody sends
        self.eventful_until_ms = START_MS
        self.chance = random.Random(plan.seed + 1)
        self.baton = Baton(START_MS)
        self.database = database()
        self.database.reset()
        self.database.server_ms = lambda: self.baton.now_ms
        self.vendor = open_vendor(plan, start_ms=START_MS)
        self.tables = {
            name: Table(name, plan.page_size, self.chance, lambda: self.baton.now_ms, plan.ends)
            for name in plan.campaigns
        }
        self.listed = DoNotCall()
        self.backup: sqlite3.Connection | None = None
        self.restores = 0
        self.witness = Witness(plan, self.database, self.vendor, self.tables)
        self.network = Network(plan, self.baton, self.chance, self.vendor, self.witness)
        self.endpoints = {name: f"endpoint-{name}" for name in plan.campaigns}
        self._trace = blake2b(digest_size=16)
        self._alive = plan.instances

    def note(self, who: str, what: str) -> None:
        """One line of the trace."""
        self.steps += 1
        line = f"{self.baton.now_ms - START_MS} {who} {what}"
        self._trace.update(line.encode())
        if self.lines is not None:
            self.lines.append(line)

    def back_up(self) -> None:
        """Keep what the ledger has, to be put back later."""
        self.note("person", "backup")
        self.backup = self.database.backup()

    def instance_ended(self) -> None:
        """The last one to end begins the calm."""
        self._alive -= 1
        if not self._alive:
            self.calm = self.network.calm = True
            for table in self.tables.values():
                table.calm = True
            at_ms = max(self.baton.now_ms, self.eventful_until_ms)
            self.baton.start("calm", self.drain, at_ms=at_ms)

    def run(self) -> Outcome:
        """The whole life of this world."""
        draw_from(self.chance)
        for table in self.tables.values():
            table.grow(self.plan.rows, 0)
        start_events(self)
        for n in range(self.plan.instances):
            instance = Instance(f"i{n}", self)
            at_ms = START_MS + self.chance.randrange(1 + self.plan.nap_ms)
            self.baton.start(instance.name, instance.live, at_ms=at_ms)
        try:
            self.baton.run()
        except (Exception, Endless) as error:  # noqa: BLE001 - a bug is a finding
            self.witness.violated("bug", f"{type(error).__name__}: {error}")
        finally:
            self.baton.end()
        if not self.witness.violations:
            check_end(self)
        for row in self.database.rows("SELECT id, state, call_job_id FROM call_jobs ORDER BY id"):
            self._trace.update(repr(row).encode())
        return Outcome(
            self.plan.seed,
            tuple(dict.fromkeys(self.witness.violations)),
            self._trace.hexdigest(),
            self.steps,
            self.passes,
            self.crashes,
            self.witness.requests,
        )

    def drain(self) -> None:
        """No more faults: one process works until only a person could go on."""
        instance = Instance("calm", self)
        instance.sleep(CALM_NAP_MS)  # claims and leases of the dead are over
        instance.put_back()
        parts = instance.open()
        instance.recover(parts)
        unread = set(self.plan.campaigns)
        for n in range(CALM_ROUNDS_MAX):
            for campaign in self.plan.campaigns:
                for kind in ("suppress", "sweep", "pull_reports", "withdraw", "reconcile"):
                    if parts.has_work(kind, campaign, first=not n):
                        instance.run(kind, parts, campaign)
                if campaign in unread and instance.run("poll", parts, campaign) == "done":
                    unread.discard(campaign)
                if self.plan.max_new is not None:
                    approve_all(parts, campaign)
                if parts.has_work("submit", campaign, first=not n):
                    instance.run("submit", parts, campaign)
            left = open_work(self)
            # A halted campaign sends nothing, but a wish of a list on what it staged is settled.
            names = self.plan.campaigns
            wished = any(parts.has_work("withdraw", name, first=False) for name in names)
            if left.nothing and not (unread or wished):
                return
            instance.sleep(CALM_LATER_MS if left.only_waits else CALM_NAP_MS)


def simulate(
    seed: int, *, plan: Callable[[int], Plan] = draw, lines: list[str] | None = None
) -> Outcome:
    """Run the schedule of one seed; `prepared` has to be entered."""
    return Simulation(plan(seed), lines).run()


@contextmanager
def prepared() -> Iterator[None]:
    """What all simulations need: no threads of the engine's own, a vendor that forgives nothing."""
    logger = logging.getLogger("syncd")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        # As on PostgreSQL: leases go by the server's clock, whatever the instances' clocks say.
        server = patch.object(leases, "shared_ms", lambda _: database().server_ms())
        with drawn_order(), server:
            yield
    finally:
        logger.setLevel(level)
