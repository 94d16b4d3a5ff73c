"""`make sim SECONDS=60 [SEED=n] [MUTANTS=1] [TRACE=1]`: simulate, print the figures."""

from __future__ import annotations

import argparse
import sys

from tests.sim.mutants import MUTANTS
from tests.sim.plan import draw
from tests.sim.runner import FIRST_SEED, catch, run_for
from tests.sim.simulation import Simulation, prepared

#: A mutant that so many schedules do not show is a hole in the simulator.
MUTANT_SEEDS = 2_000


def main() -> int:
    """0: no law was broken, and every mutant that was asked for was caught."""
    asked = argparse.ArgumentParser(prog="tests.sim", description=__doc__)
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--seed", type=int, default=None, help="the first seed")
    asked.add_argument("--mutants", action="store_true", help="show that each mutant is caught")
    asked.add_argument("--trace", action="store_true", help="print every step of this one seed")
    told = asked.parse_args()
    if told.trace:
        return _trace(told.seed or 0)
    figures = run_for(told.seconds, first=FIRST_SEED if told.seed is None else told.seed)
    _say(*figures.lines())
    caught = _mutants() if told.mutants else True
    return 0 if caught and not figures.failed else 1


def _trace(seed: int) -> int:
    lines: list[str] = []
    with prepared():
        outcome = Simulation(draw(seed), lines).run()
    _say(str(draw(seed)), *lines, *outcome.violations)
    return 1 if outcome.violations else 0


def _mutants() -> bool:
    all_caught = True
    for mutant in MUTANTS:
        outcome = catch(mutant, range(MUTANT_SEEDS))
        if outcome is None:
            all_caught = False
            _say(f"{mutant.name:<28} SURVIVED {MUTANT_SEEDS} seeds")
        else:
            _say(f"{mutant.name:<28} seed {outcome.seed}: {outcome.violations[0]}")
    return all_caught


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
