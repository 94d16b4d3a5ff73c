"""What the vendor and people do to a running world, once in a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from syncd.engine import cancel
from syncd.errors import SyncdError
from tests.sim.baton import Crash
from tests.sim.instance import Instance
from tests.sim.plan import HOUR_MS

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

#: New rows come so often.
GROWTHS = 2
ROWS_MAX = 6
CANCELS = 3
#: A campaign that is not halted in any world.
HEALTHY = "a"
HALTED = "b"


def start_events(world: Simulation) -> None:
    """Put this world's events at their times."""
    plan, chance = world.plan, world.chance
    span_ms = plan.turns * plan.nap_ms
    at = world.baton.now_ms
    world.eventful_until_ms = at + span_ms
    first = plan.rows
    for table in world.tables.values():
        for _ in range(GROWTHS):
            count = chance.randrange(ROWS_MAX)
            grow = _growth(world, table.name, count, first)
            world.baton.at(at + chance.randrange(span_ms), grow)
            first += count
    for name in plan.events:
        when = at + chance.randrange(span_ms)
        if name == "cancel":
            for n in range(CANCELS):
                at_ms = when + n * chance.randrange(span_ms)
                world.baton.start("person", lambda: _cancel(world), at_ms=at_ms)
        else:
            world.baton.at(when, lambda name=name: _happen(world, name))  # type: ignore[misc]


def _growth(world: Simulation, name: str, count: int, first: int) -> Callable[[], None]:
    return lambda: world.tables[name].grow(count, first)


def _happen(world: Simulation, name: str) -> None:
    world.note("event", name)
    match name:
        case "halt":
            world.vendor.campaign(HALTED).dialer.stop()
        case "token":
            token = f"token-{HEALTHY}"
            world.vendor.unknown_tokens.add(token)
            back_ms = world.baton.now_ms + world.chance.randrange(2 * HOUR_MS)
            world.baton.at(back_ms, lambda: world.vendor.unknown_tokens.discard(token))
        case "refuses":
            called = [job.phone for job in world.vendor.jobs(HEALTHY)]
            listed = [number.lstrip("+") for _, number, _ in world.tables[HEALTHY].rows]
            some = called if called and world.chance.random() < 1 / 2 else listed
            world.vendor.refused_phones.add(world.chance.choice(some))
        case "edit":
            world.tables[HEALTHY].edit()
        case "rotate":
            world.endpoints[HEALTHY] = "endpoint-new"
        case _:
            raise AssertionError(name)


def _cancel(world: Simulation) -> None:
    """A person withdraws a lead beside the running instances."""
    person = Instance("person", world)
    parts = person.visit()
    try:
        found = parts.tools.ledger.cancellable(sync=HEALTHY)
        person.sleep(world.chance.randrange(world.plan.nap_ms))  # reads what it is asked
        some = [job for job in found if world.chance.random() < 1 / 2]
        cancel.run(some, parts.tools.ledger, person, parts.campaign)
    except (Crash, SyncdError):
        return
