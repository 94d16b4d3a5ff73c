"""`make kills`: each named step, before and after, at its first, second and third time, alone.

Each kill has a story of its own, told from its beginning on a new ledger; the story that a step is
shown by is taken, or another one that comes to it often enough. `--everywhere` takes every story
that comes to it.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.crash.ledgers import LedgerKind, PostgresKind, SqliteKind
from tests.crash.processes import Axe, warm_processes
from tests.crash.stories import BOTH, STORIES, Story
from tests.crash.walk import WHEN, Stage
from tests.postgres import new_database

TIMES = (1, 2, 3)
#: Threads decide how often some steps are come to: a story that was not killed is told again.
TRIES_MAX = 3


@dataclass(slots=True)
class Walk:
    """All kills on one kind of ledger."""

    stage: Stage
    reached: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    kills: int = 0
    failed: int = 0

    def look(self) -> None:
        """Tell each story once without a kill: how often does it come to each step?"""
        for story in self.stories():
            walked = self.stage.tell(story)
            self.reached[story.name] = walked.reached

    def stories(self) -> list[Story]:
        """Those that can be told on this ledger."""
        return [one for one in STORIES.values() if self.stage.ledger.name in one.ledgers]

    def plan(self, *, everywhere: bool) -> list[tuple[Story, Axe]]:
        """Every kill, with its story; a step that comes too seldom for the third time has two."""
        planned: list[tuple[Story, Axe]] = []
        kind = self.stage.ledger.name
        steps = {step for one in self.stories() for step in one.shown_on(kind)}
        for step in sorted(steps):
            for when in WHEN:
                for time_ in TIMES:
                    told = [s for s in self.stories() if self.reached[s.name][step, when] >= time_]
                    told.sort(key=partial(self._suits, step, when))
                    axe = Axe(step, when, time_)
                    planned += [(one, axe) for one in (told if everywhere else told[:1])]
        return planned

    def _suits(self, step: str, when: str, one: Story) -> tuple[bool, int]:
        """A story that is told for the step comes first, then the one that comes to it oftenest."""
        return step not in one.shows, -self.reached[one.name][step, when]

    def kill(self, story: Story, axe: Axe) -> None:
        """One kill; a story that ends otherwise, or is never killed, is told of at once."""
        try:
            for _ in range(TRIES_MAX):
                walked = self.stage.tell(story, [axe])
                self.kills += len(walked.fallen)
                if (axe.step, axe.when) in walked.fallen:
                    return
            why = "it was never killed there"
        except Exception as error:  # noqa: BLE001 - the others are still to be told
            why = "\n".join([str(error), *getattr(error, "__notes__", [])])
        self.failed += 1
        where = f"--ledger {self.stage.ledger.name} --story {story.name} --axe '{axe}'"
        _say(f"\nFAILED {where}\n{why}")


def main() -> int:
    """Walk, print the figures, and end with 1 if any story ended otherwise."""
    asked = _arguments()
    worst = 0
    with warm_processes() as processes:
        for name in [asked.ledger] if asked.ledger else BOTH:
            with _ledger(name) as kind:
                worst = max(worst, _walk(Walk(Stage(processes, kind)), asked))
    return worst


def _walk(walk: Walk, asked: argparse.Namespace) -> int:
    began_s = time.monotonic()
    kind = walk.stage.ledger.name
    if asked.axe:
        when, step, at = asked.axe.replace(",", "").replace("time ", "").split()
        walk.kill(STORIES[asked.story], Axe(step, when, int(at)))
        planned = []
    else:
        walk.look()
        planned = walk.plan(everywhere=asked.everywhere)
    if asked.most:
        planned = random.Random(asked.seed).sample(planned, min(asked.most, len(planned)))
    for number, (story, axe) in enumerate(planned, 1):
        walk.kill(story, axe)
        if number % 50 == 0:
            _say(f"  {number} of {len(planned)}, {walk.failed} failed")
    steps = {axe.step for _, axe in planned}
    _say(
        f"{kind}: {len(steps)} steps, {len(planned)} stories told with a kill,"
        f" {walk.kills} processes killed, {walk.failed} failed,"
        f" {time.monotonic() - began_s:.0f} s"
    )
    return 1 if walk.failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--ledger", choices=BOTH, help="only this kind of ledger")
    parser.add_argument("--everywhere", action="store_true", help="in every story that comes there")
    parser.add_argument("--most", type=int, help="so many kills only, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--story", choices=sorted(STORIES), help="with --axe: one kill again")
    parser.add_argument("--axe", help="such as 'after batch.seal, time 2'")
    return parser.parse_args()


@contextmanager
def _ledger(name: str) -> Iterator[LedgerKind]:
    if name == "sqlite":
        with tempfile.TemporaryDirectory(prefix="syncd-kills-") as folder:
            yield SqliteKind(Path(folder) / "syncd.db")
        return
    with new_database(f"syncd_kills_{os.getpid()}") as url:
        kind = PostgresKind(url)
        try:
            yield kind
        finally:
            kind.close()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
