"""Runs schedules: so many seeds, or for so many seconds; the corpus first, mutants on demand."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from tests.sim import corpus
from tests.sim.mutants import Mutant
from tests.sim.simulation import Outcome, prepared, simulate

#: `make sim` begins here, so that it looks at other worlds than the tests do.
FIRST_SEED = 1_000_000
#: A schedule takes a tenth of a second.
_STILL_S = 120.0


@dataclass(slots=True)
class Figures:
    """What a run came to."""

    schedules: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)
    took_s: float = 0.0
    cpu_s: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """One more schedule."""
        self.schedules += 1
        for name in ("steps", "passes", "crashes", "requests"):
            self.counts[name] += getattr(outcome, name)
        if outcome.violations:
            self.failed.append(outcome)

    def lines(self) -> Iterator[str]:
        """For people."""
        rate = self.schedules / max(self.took_s, 0.001) * 60
        cpu_rate = self.schedules / max(self.cpu_s, 0.001) * 60
        yield f"schedules        {self.schedules} in {self.took_s:.1f} s"
        yield f"  a minute       {rate:.0f} ({cpu_rate:.0f} of processor time)"
        for name, number in self.counts.items():
            yield f"{name:<16} {number}"
        yield f"violations       {len(self.failed)}"
        for outcome in self.failed:
            yield f"seed {outcome.seed} broke a law; replay: make sim SEED={outcome.seed} SECONDS=0"
            yield from (f"    {violation}" for violation in outcome.violations)


def run(seeds: Iterable[int], *, seconds: float | None = None) -> Figures:
    """Simulate these seeds in their order, and stop after so many seconds."""
    figures = Figures()
    began_s, cpu_s = time.perf_counter(), time.process_time()
    with prepared():
        for seed in seeds:
            with _watched(seed):
                figures.add(simulate(seed))
            figures.took_s = time.perf_counter() - began_s
            figures.cpu_s = time.process_time() - cpu_s
            if seconds is not None and figures.took_s >= seconds:
                break
    return figures


@contextmanager
def _watched(seed: int) -> Iterator[None]:
    """End the process when a schedule stands still, and say which, and where."""
    watch = threading.Timer(_STILL_S, _tell_still, (seed,))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _tell_still(seed: int) -> None:
    sys.stderr.write(f"seed {seed} stands still\n")
    faulthandler.dump_traceback(all_threads=True)
    os._exit(1)


def run_for(seconds: float, *, first: int = FIRST_SEED) -> Figures:
    """The corpus and then seed after seed; what fails joins the corpus."""
    known = corpus.seeds()
    figures = run(known)
    if not figures.failed:
        after = run(count(first), seconds=seconds)
        after.schedules += figures.schedules
        after.counts.update(figures.counts)
        figures = after
    for outcome in figures.failed:
        corpus.join(outcome.seed, outcome.violations[0])
    return figures


def catch(mutant: Mutant, seeds: Iterable[int]) -> Outcome | None:
    """The first of these schedules that shows what the mutant breaks."""
    with prepared(), mutant.applied():
        for seed in seeds:
            outcome = simulate(seed)
            if mutant.breaks & {violation.split(":")[0] for violation in outcome.violations}:
                return outcome
    return None
