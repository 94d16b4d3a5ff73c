"""Passes, faults and kills in any order, over ledger, client and sandbox: the laws hold.

The world is the simulator's, with one instance and no chance in it: Hypothesis chooses every pass,
what befalls its first request and where it is killed, and makes what fails as short as it can.
"""

from __future__ import annotations

import heapq
from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.sim import simulation
from tests.sim.baton import Actor, Baton, Crash
from tests.sim.instance import Instance
from tests.sim.invariants import check_end
from tests.sim.mutants import MUTANTS
from tests.sim.plan import HOUR_MS, MINUTE_MS, WIRE_FAULTS, Plan
from tests.sim.simulation import Simulation, prepared

CAMPAIGN = "a"
PASSES = ("poll", "submit", "reconcile", "pull_reports", "sweep")
SENDS = ("submit", "reconcile")
WAITS_MS = (MINUTE_MS, 3 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 21 * HOUR_MS)
#: More steps than a pass over a few leads has.
STEPS_MAX = 40


class Inline(Baton):
    """Time of a world with one life: who sleeps lets happen what is due."""

    def sleep(self, ms: int) -> None:
        until_ms = self.now_ms + ms
        while self._queue and self._queue[0][0] <= until_ms:
            at_ms, _, happen = heapq.heappop(self._queue)
            assert not isinstance(happen, Actor), "nobody else lives here"
            self.now_ms = max(self.now_ms, at_ms)
            happen()
        self.now_ms = until_ms


class Mortal(Instance):
    """An instance that is killed at the step that was chosen."""

    steps_left: int | None = None

    def _maybe_killed(self, name: str) -> None:
        if self.steps_left is None:
            return
        self.steps_left -= 1
        if self.steps_left < 0:
            self.steps_left = None
            self.dead = True
            self.world.note(self.name, f"killed at {name}")
            raise Crash


class EngineMachine(RuleBasedStateMachine):
    """One process of syncd through everything."""

    @initialize(
        page_size=st.integers(1, 4),
        batch_size=st.integers(1, 3),
        on_change=st.sampled_from(["ignore", "cancel_and_readd", "call_again"]),
        checks_list_first=st.booleans(),
        paging=st.booleans(),
        rows=st.integers(1, 4),
    )
    def begin(
        self,
        page_size: int,
        batch_size: int,
        on_change: str,
        checks_list_first: bool,
        paging: bool,
        rows: int,
    ) -> None:
        self.open = ExitStack()
        self.open.enter_context(prepared())
        self.open.enter_context(patch.object(simulation, "Baton", Inline))
        bare = Plan(0, 1, (CAMPAIGN,), 0, page_size, batch_size, 1, 0, 0)
        plan = replace(
            bare, on_change=on_change, validates_first=checks_list_first, paging=paging, sweeps=True
        )
        self.world = Simulation(plan)
        self.table = self.world.tables[CAMPAIGN]
        self.table.calm = True
        self.faults: list[str] = []
        self.open.enter_context(patch.object(self.world.network, "draw", self._fault))
        self.instance = Mortal("i0", self.world)
        self.parts = self.instance.open()
        self.rows = 0
        self.grow(rows)
        self._run("poll")

    def teardown(self) -> None:
        """When the faults stop, all that can be done is done, and every law holds."""
        if not hasattr(self, "world"):
            return
        with self.open:
            world = self.world
            world.calm = world.network.calm = True
            world.drain()
            check_end(world)
            assert world.witness.violations == []

    def _fault(self) -> str:
        return self.faults.pop() if self.faults else ""

    @rule(count=st.integers(1, 4))
    def grow(self, count: int) -> None:
        """New rows; some repeat a phone, some have none."""
        self.table.grow(count, self.rows)
        self.rows += count

    @rule()
    def edit(self) -> None:
        """A row changes."""
        self.table.edit()

    @rule(ms=st.sampled_from(WAITS_MS))
    def wait(self, ms: int) -> None:
        """Time passes, and with it the life of keys."""
        self.instance.sleep(ms)

    @rule(refused=st.booleans())
    def change_of_mind(self, refused: bool) -> None:
        """The vendor refuses a number from now on, or none any more."""
        phones = self.world.vendor.refused_phones
        phones.clear()
        if refused and self.table.rows:
            phones.add(self.table.rows[0][1].lstrip("+"))

    @rule(kind=st.sampled_from(PASSES))
    def work(self, kind: str) -> None:
        """One pass without trouble."""
        self._run(kind)

    @rule(kind=st.sampled_from(SENDS), fault=st.sampled_from(list(WIRE_FAULTS)))
    def fail(self, kind: str, fault: str) -> None:
        """Something befalls the first request of a pass."""
        self.faults = [fault]
        self._run(kind)
        self.faults = []

    @rule(kind=st.sampled_from(PASSES), steps=st.integers(0, STEPS_MAX))
    def kill(self, kind: str, steps: int) -> None:
        """The process is killed in a pass, and starts again."""
        self.instance.steps_left = steps
        self._run(kind)
        self.instance.steps_left = None

    def _run(self, kind: str) -> None:
        try:
            self.instance.run(kind, self.parts, CAMPAIGN)
        except Crash:
            self.instance.dead = False
            self.parts = self.instance.open()

    @invariant()
    def no_law_is_broken(self) -> None:
        """What left was right."""
        if hasattr(self, "world"):
            assert self.world.witness.violations == []


SHORT = settings(max_examples=60, stateful_step_count=20, deadline=None, derandomize=True)
EngineMachine.TestCase.settings = SHORT
TestEngineMachine = EngineMachine.TestCase

SHOWN = ("new_key_per_attempt", "missing_ids_staged_again", "no_resend_deadline", "narrow_look")


@pytest.mark.parametrize("name", SHOWN)
def test_the_machine_finds_a_promise_that_is_taken_out(name: str) -> None:
    """With one promise less some short story breaks a law."""
    (mutant,) = [one for one in MUTANTS if one.name == name]
    found = settings(SHORT, phases=[Phase.generate], database=None)
    with mutant.applied(), pytest.raises(AssertionError):
        run_state_machine_as_test(EngineMachine, settings=found)  # type: ignore[no-untyped-call]
