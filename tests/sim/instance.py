"""One process of syncd in a simulation: opened, at work, killed, opened again.

Its parts are the engine's own. What is its own here: a clock that may be wrong, steps at which it
is killed or put to sleep, and the choice of the next pass.
"""

from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncd.clock import from_ms
from syncd.engine import recover
from syncd.engine.holding import NOTHING_HELD, LeasedHolding, SoleHolding
from syncd.engine.passes import Tools
from syncd.errors import ConfigError, SyncdError, Transient
from syncd.ledger.moves import By
from tests.sim.baton import Crash
from tests.sim.parts import Parts, often
from tests.sim.plan import HOUR_MS, MINUTE_MS, SUSPENDS_MS

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

#: A clock is wrong by this much at most (docs/explain/delivery.md: what the promises rest on).
CLOCK_OFF_MS = 15 * MINUTE_MS
LATENCY_MS = 800
CRASH_AT_RATE = 0.3
SUSPEND_AT_RATE = 0.3
#: Who was not heard of for so long has lost its leases and claims.
LEASE_MS = MINUTE_MS
#: Some wake while its request is on the way, some after it was given up.
WAKES_WITHIN_MS = (1_500, 40_000)
DOWN_MS = (1_000, 20_000, 40_000, 12 * MINUTE_MS)
#: A third of a lease.
BEAT_MS = 20_000
#: A backup is put back so long after the last sending (docs/how-to/run-as-daemon.md), or later.
RESTORES_MS = (2 * HOUR_MS, 30 * HOUR_MS)
#: What `syncd recover` looks back before the newest thing that the ledger knows.
RECOVERS_SINCE = timedelta(days=1)
#: It is tried again every ten minutes; a token is unknown for two hours at most.
RECOVERS_MAX = 200


class _Stop(threading.Event):
    """A wish to stop; who waits on it lets virtual time pass."""

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self._instance = instance

    def wait(self, timeout: float | None = None) -> bool:
        self._instance.sleep(round((timeout or 0.0) * 1000))
        return self.is_set()


class Instance:
    """One process, over all its lives."""

    def __init__(self, name: str, world: Simulation) -> None:
        self.name = name
        self.world = world
        self.dead = False
        self.asleep_ms = 0  # suspended so far: the machine's monotonic clock stood still
        self.off_ms = 0  # how wrong its clock is
        self.stop = _Stop(self)
        self.holding = NOTHING_HELD
        self.beats_at_ms = 0
        self.beating = False

    # --- its clock (syncd.clock.Clock)

    def now(self) -> datetime:
        """What its clock says."""
        return from_ms(self.world.baton.now_ms + self.off_ms)

    def monotonic_s(self) -> float:
        """Seconds that do not count the time it was suspended."""
        return (self.world.baton.now_ms - self.asleep_ms) / 1000

    def boot_s(self) -> float:
        """Seconds that count it."""
        return self.world.baton.now_ms / 1000

    # --- its steps (database.Steps, network.Host)

    def alive(self) -> None:
        """What a dead process still tries to do has no effect."""
        if self.dead:
            raise Crash

    def sleep(self, ms: int) -> None:
        """Let time pass; others run."""
        self.alive()
        self.world.baton.sleep(ms)

    def step(self, name: str) -> None:
        """A moment at which anything may happen to this process."""
        self.alive()
        if self.beating:
            return
        self._beat()
        self.world.note(self.name, name)
        if self.world.calm:
            return
        faults, chance = self.world.plan.steps, self.world.chance
        if name == self.world.plan.backup_at and not (self.world.backup or self.world.restores):
            self.world.back_up()
        self._maybe_killed(name)
        drawn = chance.random()
        suspends = faults.get("suspend", 0.0)
        if name == self.world.plan.suspend_at:
            suspends = SUSPEND_AT_RATE
        if drawn < suspends:
            ms = chance.choice(SUSPENDS_MS)
            self._suspend(ms)
        elif chance.random() < faults.get("clock", 0.0):
            self.off_ms = chance.randint(-CLOCK_OFF_MS, CLOCK_OFF_MS)
        elif chance.random() < faults.get("stop", 0.0):
            self.stop.set()
        elif drawn > 1 / 2:
            self.sleep(chance.randrange(LATENCY_MS))

    def _suspend(self, ms: int) -> None:
        """The machine stands still; some wake just when another instance sends."""
        self.world.note(self.name, f"suspend {ms}")
        before_ms, me = self.world.baton.now_ms, self.world.baton.running
        assert me is not None
        if ms > LEASE_MS and self.world.chance.random() < 1 / 2:
            self.world.sleepers.append(me)
        self.sleep(ms)
        if me in self.world.sleepers:
            self.world.sleepers.remove(me)
        self.asleep_ms += self.world.baton.now_ms - before_ms

    def sends(self) -> None:
        """A request of ours leaves: a bad moment for others to wake, and so they do."""
        world = self.world
        for sleeper in world.sleepers:
            within_ms = world.chance.choice(WAKES_WITHIN_MS)
            at_ms = world.baton.now_ms + world.chance.randrange(within_ms)
            world.baton.wake(sleeper, at_ms=at_ms)
        world.sleepers.clear()

    def committing(self, name: str) -> None:
        """Before the commit: what happens here undoes the transaction."""
        self.alive()
        if self.world.calm or self.beating:
            return
        self._maybe_killed(f"{name} at commit")
        if self.world.chance.random() < self.world.plan.steps.get("commit_fails", 0.0):
            raise Transient("the ledger's database cannot now")

    def committed(self, name: str) -> None:
        """After the commit: what happens here leaves it done."""
        if self.beating:
            return
        self.world.witness.committed(self.name, name)
        self.world.note(self.name, f"{name} committed")
        if self.world.calm:
            return
        self._maybe_killed(f"{name} committed")
        if self.world.chance.random() < self.world.plan.steps.get("commit_unknown", 0.0):
            raise Transient("the connection to the ledger's database was lost")

    def _beat(self) -> None:
        """What its heartbeat's thread would have done by now, had it not been suspended."""
        now_ms = self.world.baton.now_ms
        if isinstance(self.holding, LeasedHolding) and now_ms >= self.beats_at_ms:
            self.beats_at_ms = now_ms + BEAT_MS
            self.beating = True
            try:
                self.holding.beat()
            finally:
                self.beating = False

    def _maybe_killed(self, name: str) -> None:
        plan, chance = self.world.plan, self.world.chance
        rate = plan.steps.get("crash", 0.0)
        if plan.crash_at and name.startswith(plan.crash_at):
            rate = CRASH_AT_RATE
        if chance.random() < rate:
            self.dead = True
            self.world.crashes += 1
            self.world.note(self.name, f"killed at {name}")
            raise Crash

    # --- its life

    def live(self) -> None:
        """Work until the turns are used up, through every kill."""
        plan, chance = self.world.plan, self.world.chance
        turns = plan.turns
        while turns > 0:
            self.dead = False
            self.stop = _Stop(self)
            first = True
            try:
                if chance.random() < 1 / 2:
                    self.put_back()
                parts = self.open()
                self.recover(parts)
                while turns > 0 and not self.stop.is_set():
                    turns -= 1
                    weights = often(plan, at_start=first)
                    kind = chance.choices(list(weights), list(weights.values()))[0]
                    first = False
                    if self.run(kind, parts, chance.choice(plan.campaigns)) == "config":
                        break
                    self.sleep(chance.randrange(plan.nap_ms))
                self.holding.close()
            except (Crash, SyncdError):  # the ledger may fail while it starts, too
                self.dead = False
                turns -= 1
            self.sleep(chance.choice(DOWN_MS))
        self.world.instance_ended()

    def open(self) -> Parts:
        """A process starts: the sole owner of a ledger frees the claims of those before it."""
        world = self.world
        ledger = world.database.open(self)
        self.holding = NOTHING_HELD
        if world.plan.sole:
            ledger.free_claims()
            self.holding = SoleHolding(ledger, self)
        else:
            self.holding = LeasedHolding(ledger, self, self.stop)
            self.holding.stay()
        jitter = random.Random(world.chance.random())
        return Parts(self, Tools(ledger, self, self.stop, jitter, self.holding))

    def put_back(self) -> None:
        """A person puts the world's backup in the place of the ledger, once."""
        world = self.world
        if world.backup is None:
            return
        copy, world.backup = world.backup, None
        self.sleep(world.chance.choice(RESTORES_MS))
        world.note(self.name, "restore")
        world.database.put_back(copy)
        world.restores += 1
        world.witness.forget()
        ledger = world.database.open(self)
        ledger.require_recovery("put back", by=By("witness", world.baton.now_ms))

    def recover(self, parts: Parts) -> None:
        """Look for what was lost, as `syncd recover` does, until that is done.

        Who was asked to stop meanwhile sends nothing more: the next life begins it again.
        """
        tools = parts.tools
        tries = 0
        while tools.ledger.recovery_needed() is not None and not self.stop.is_set():
            tries += 1
            assert tries <= RECOVERS_MAX, "the recovery comes to no end"
            now = self.now()
            since = min(now, tools.ledger.lost_calls.newest_known(now=now)) - RECOVERS_SINCE
            results = [
                recover.run_once(parts.campaign(name), tools, since=since)
                for name in self.world.plan.campaigns
            ]
            if all(result.outcome == "done" for result in results):
                tools.ledger.end_recovery(by=By("cli:recover", self.world.baton.now_ms))
            else:
                self.sleep(10 * MINUTE_MS)

    def visit(self) -> Parts:
        """A command that runs no passes, beside the running instances."""
        ledger = self.world.database.open(self)
        return Parts(self, Tools(ledger, self, self.stop, random.Random(0)))

    def run(self, kind: str, parts: Parts, campaign: str) -> str:
        """One pass, and how it ended; a bug of it ends the simulation."""
        self.world.note(self.name, f"{kind} {campaign}")
        self.world.passes += 1
        try:
            result = parts.run(kind, campaign)
        except SyncdError as error:
            # The ledger did not take the pass's own line: the daemon tries again later.
            self.world.note(self.name, f"{kind} {error.what}")
            return "config" if isinstance(error, ConfigError) else "retry"
        self.world.note(self.name, f"{kind} {result.outcome} {sorted(result.counts.items())}")
        return result.outcome
