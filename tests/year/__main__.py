"""`make year [LEADS=5000] [SEED=n] [MUTANTS=1]`: a year of calls, judged by two reckonings."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from tests.year.mutants import MUTANTS, mutated
from tests.year.year import run

#: A Monday before the clocks of the North are put back; a year and two weeks later they are again.
BEGIN = datetime(2026, 10, 19, tzinfo=UTC)
DAYS = 378
#: For a mutant: the clocks of the North and the South are changed, and it is Easter.
SPRING = datetime(2027, 3, 1, tzinfo=UTC)
SPRING_DAYS, SPRING_LEADS = 45, 600


def main() -> int:
    """0: every call was at a permitted hour, and every mutant that was asked for was caught."""
    asked = argparse.ArgumentParser(prog="tests.year", description=__doc__)
    asked.add_argument("--leads", type=int, default=5_000)
    asked.add_argument("--days", type=int, default=DAYS)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--mutants", action="store_true", help="show that each mutant is caught")
    told = asked.parse_args()
    figures = run(BEGIN, told.days, told.leads, seed=told.seed)
    _say(*figures.lines())
    survived = _survivors(told.seed) if told.mutants else 0
    return 1 if survived or not figures.ok else 0


def _survivors(seed: int) -> int:
    survived = 0
    for name in MUTANTS:
        with mutated(name):
            figures = run(SPRING, SPRING_DAYS, SPRING_LEADS, seed=seed)
        survived += figures.ok
        found = (*figures.wrong, *figures.too_many, f"{figures.outside} outside by the sandbox")
        _say(
            f"{name:<36} {'SURVIVED' if figures.ok else f'{len(figures.wrong)} wrong: {found[0]}'}"
        )
    return survived


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
