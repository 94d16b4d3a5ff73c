"""The bad days, each told once for every tool."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench import leads
from bench.failures.tools import BATCH, GUARD
from bench.failures.world import World
from bench.peers.drt import international
from syncd.sandbox.faults import Fault


def two_at_once(world: World) -> None:
    """Two runs of one sync are started at the same moment."""
    world.set_up()
    for process in [world.start(), world.start()]:
        world.end(process)


def killed(world: World) -> None:
    """SIGKILL when a third has arrived; then it is run again."""
    world.set_up()
    world.end_by(signal.SIGKILL)
    world.run()


def terminated(world: World) -> None:
    """SIGTERM when a third of an unordered source has arrived; then it is run again."""
    world.set_up(shuffled=True)
    world.end_by(signal.SIGTERM)
    world.run()


def every_other_request(world: World) -> None:
    """Every second request is answered 500 and not done; a request that comes again may pass."""
    world.set_up()
    world.box.faults.add(*alternating(len(world.rows) // BATCH * 2))
    world.run()


def every_other_batch(world: World) -> None:
    """For a whole run every second batch is answered 500; then all is well, and it is run again."""
    _outage(world, skip_errors=False)


def every_other_batch_skipped(world: World) -> None:
    """The same, and the tool is told to go on after errors, where it has the choice."""
    _outage(world, skip_errors=True)


def misspelt(world: World) -> None:
    """A key of the configuration is misspelt; it is checked, then run."""
    world.set_up(typo=True)
    world.run(world.tool.check())
    world.run()


def guarded(world: World) -> None:
    """At most five new ones are permitted, and the source has all of them."""
    world.set_up(guard=True)
    world.run()


def _outage(world: World, *, skip_errors: bool) -> None:
    world.set_up(skip_errors=skip_errors, outage=True)
    world.box.faults.add(*batches_down(world.rows))
    world.run()
    world.box.faults.clear()
    world.options = replace(world.options, outage=False)
    world.run()


def alternating(count: int) -> list[Fault]:
    """Faults for every second request to addPhones, for so many of them.

    Every waiting fault counts a request that passes, and none counts one that failed: so the
    n-th has to let n pass.
    """
    return [Fault("http_500", path="addPhones", skip=n) for n in range(1, count + 1)]


def batches_down(rows: list[tuple[str, ...]]) -> list[Fault]:
    """500 to each request with a phone that begins the second, fourth, … BATCH of the rows."""
    phone = leads.COLUMNS.index("phone")
    return [
        Fault("http_500", count=None, path="addPhones", where=international(row[phone]))
        for row in rows[BATCH :: 2 * BATCH]
    ]


@dataclass(frozen=True, slots=True)
class Case:
    """A line of the table. With `nobody` the right thing is that no call is made."""

    name: str
    happen: Callable[[World], None]
    nobody: bool = False


CASES = (
    Case("two runs of one sync at once", two_at_once),
    Case("kill -9 in the middle, run again", killed),
    Case("SIGTERM in the middle, keys not in order, run again", terminated),
    Case("every other request answered 500", every_other_request),
    Case("every other batch answered 500 for one run, run again", every_other_batch),
    Case("the same, told to skip errors", every_other_batch_skipped),
    Case("a key of the configuration misspelt", misspelt, nobody=True),
    Case(f"a guard: at most {GUARD} new ones", guarded, nobody=True),
)
