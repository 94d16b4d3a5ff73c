"""The simulator in the tests: some schedules, the corpus, one trace twice, and every mutant."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.crash.steps import found
from tests.sim import corpus
from tests.sim.baton import Baton
from tests.sim.mutants import MUTANTS, Mutant
from tests.sim.plan import (
    EVENTS,
    NAMED_STEPS,
    ON_CHANGE,
    SENDING_STEPS,
    STEP_FAULTS,
    WIRE_FAULTS,
    draw,
)
from tests.sim.runner import catch, run
from tests.sim.simulation import prepared, simulate

#: In each of three parts: a fixed number, so that a slow machine looks at no less.
SEEDS = 100
#: From the seed that is known to show a mutant: a change of the engine may move it a little.
MUTANT_SEEDS = 300


@pytest.mark.parametrize("part", range(3))
def test_no_law_is_broken_in_three_hundred_worlds(part: int) -> None:
    """I1 to I6 and I8 to I11 hold under lost requests, kills, suspends and wrong clocks."""
    figures = run(range(part * SEEDS, (part + 1) * SEEDS))
    assert figures.failed == [], "\n".join(figures.lines())
    assert figures.counts["crashes"] > SEEDS / 2
    assert figures.counts["requests"] > SEEDS


def test_what_once_failed_fails_no_more() -> None:
    """Every seed of the corpus holds."""
    figures = run(corpus.seeds())
    assert figures.failed == [], "\n".join(figures.lines())


@pytest.mark.parametrize("seed", [1, 7, 42, 124])
def test_one_seed_gives_one_trace(seed: int) -> None:
    """Each step, its time and the ledger at the end are the same in a second run."""
    with prepared():
        first, other, again = simulate(seed), simulate(seed + 1), simulate(seed)
    assert first == again
    assert first.trace != other.trace
    assert first.steps > 50


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_an_engine_without_one_promise_is_caught(mutant: Mutant) -> None:
    """With the promise taken out some schedule breaks the law that rests on it."""
    assert catch(mutant, range(mutant.seen_at, mutant.seen_at + MUTANT_SEEDS)) is not None


def test_a_failing_seed_joins_the_corpus_once(tmp_path: Path) -> None:
    """The file keeps the seed and why; comments and repeats change nothing."""
    file = tmp_path / "corpus.txt"
    file.write_text("# why\n7  # once\n")
    corpus.join(9, "I1: called twice", file)
    corpus.join(7, "again", file)
    assert corpus.seeds(file) == [7, 9]


def test_seeds_draw_different_worlds() -> None:
    """Worlds with one, two and three instances, and every fault switched on in some of them."""
    plans = [draw(seed) for seed in range(300)]
    assert set(Counter(plan.instances for plan in plans)) == {1, 2, 3}
    faults = Counter(name for plan in plans for name in (*plan.steps, *plan.wire, *plan.events))
    assert min(faults.values()) > 20
    assert faults.keys() == {*STEP_FAULTS, *WIRE_FAULTS, *EVENTS}
    for name in ("ends", "max_new", "lists", "sweeps", "restores", "windows"):
        assert sum(bool(getattr(plan, name)) for plan in plans) > 20
    assert {plan.on_change for plan in plans} == set(ON_CHANGE)
    assert draw(5) == draw(5)


def test_the_steps_that_like_to_be_killed_are_steps() -> None:
    """A step that the engine renames does not drop out of the drawn kills and suspends unseen."""
    requests = {"addPhones", "addPhones.sent", "addPhones.answered", "getReport"}
    assert {*NAMED_STEPS, *SENDING_STEPS} <= found().steps.keys() | requests


def test_the_baton_keeps_to_virtual_time() -> None:
    """Two lives and an event run in the order of their times, one at a time."""
    baton, seen = Baton(0), list[tuple[int, str]]()

    def life(name: str, *naps: int) -> None:
        for nap in naps:
            baton.sleep(nap)
            seen.append((baton.now_ms, name))

    baton.start("a", lambda: life("a", 10, 20), at_ms=0)
    baton.start("b", lambda: life("b", 15, 30), at_ms=0)
    baton.at(12, lambda: seen.append((baton.now_ms, "event")))
    baton.run()
    assert seen == [(10, "a"), (12, "event"), (15, "b"), (30, "a"), (45, "b")]
