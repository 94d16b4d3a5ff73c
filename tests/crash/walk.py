"""Walking along the named steps: a story is told with a process killed here and there."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.ledgers import LedgerKind
from tests.crash.processes import Axe, Place, Processes
from tests.crash.scene import Scene
from tests.crash.stories import Story
from tests.running import stern_sandbox

WHEN = ("before", "after")
#: So many tellings bring down every axe of a story, also where one kill keeps another from falling.
TELLINGS_MAX = 5


@dataclass(slots=True)
class Walked:
    """Where processes were killed, and how often each step was reached."""

    fallen: list[tuple[str, str]] = field(default_factory=list)
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    tellings: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where stories are told."""

    processes: Processes
    ledger: LedgerKind

    def tell(self, story: Story, axes: Iterable[Axe] = ()) -> Walked:
        """The whole story, with these kills; raises AssertionError where it ends otherwise."""
        with (
            tempfile.TemporaryDirectory(prefix="syncd-kills-") as folder,
            stern_sandbox(**story.sandbox) as box,
        ):
            self.ledger.empty()
            place = Place(Path(folder))
            scene = Scene(place, box, self.ledger, self.processes, [*story.axes, *axes])
            try:
                story.tell(scene)
            except Exception as error:
                told = ", ".join(f"{when} {step}" for step, when in place.fallen())
                error.add_note(f"{story.name} on {self.ledger.name}, killed {told or 'never'}")
                raise
            finally:
                self.processes.kill_all()
            return Walked(place.fallen(), Counter(place.reached()), 1)

    def tell_with_all(self, story: Story, steps: Sequence[str]) -> Walked:
        """Kill before and after each of these steps, as many in one telling as will fall."""
        left = [Axe(step, when) for step in steps for when in WHEN]
        walked = Walked()
        while left:
            told = self.tell(story, left)
            walked.fallen += told.fallen
            walked.reached += told.reached
            walked.tellings += 1
            before, left = left, [a for a in left if (a.step, a.when) not in walked.fallen]
            assert len(left) < len(before), f"{story.name} never came to {left[0]}"
            assert not left or walked.tellings < TELLINGS_MAX, f"{story.name}: not {left[0]}"
        return walked
