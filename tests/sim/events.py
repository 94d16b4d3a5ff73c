"""What the vendor and people do to a running world, once in a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from syncd.core.retry import RETRYABLE
from syncd.engine import approve, cancel, retry
from syncd.errors import SyncdError
from syncd.ledger.approvals import Word
from syncd.ledger.retries import RetryFilter
from tests.sim.baton import Crash
from tests.sim.instance import Instance
from tests.sim.parts import Parts
from tests.sim.plan import HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

#: New rows come so often.
GROWTHS = 2
ROWS_MAX = 6
CANCELS = 3
BARS = 3
EDITS = 3
APPROVALS = 2
#: A person at the vendor mends what is refused after so long, or never.
MENDED_MS = (MINUTE_MS, 10 * MINUTE_MS, None, None)
#: A campaign that is not halted in any world.
HEALTHY = "a"
HALTED = "b"


def start_events(world: Simulation) -> None:
    """Put this world's events at their times."""
    plan, chance = world.plan, world.chance
    span_ms = plan.turns * plan.nap_ms
    at = world.baton.now_ms
    world.eventful_until_ms = at + span_ms

    def some(count: int, do: Callable[[], None]) -> None:
        for _ in range(count):
            world.baton.at(at + chance.randrange(span_ms), do)

    def people(count: int, does: Callable[[Parts, str], object]) -> None:
        for _ in range(count):
            at_ms = at + chance.randrange(span_ms)
            world.baton.start("person", lambda: _visit(world, does), at_ms=at_ms)

    first = plan.rows
    for table in world.tables.values():
        for _ in range(GROWTHS):
            count = chance.randrange(ROWS_MAX)
            some(1, _growth(world, table.name, count, first))
            first += count
    some(BARS if plan.lists else 0, lambda: _bar(world))
    some(EDITS if plan.on_change != "ignore" else 0, world.tables[HEALTHY].edit)
    some(1 if plan.restores and not plan.backup_at else 0, world.back_up)
    people(APPROVALS if plan.max_new else 0, approve_all)
    people(CANCELS if "cancel" in plan.events else 0, _cancelling(world))
    people(1 if "retry" in plan.events else 0, _retry)
    for name in plan.events:
        if name not in ("cancel", "retry"):
            some(1, lambda name=name: _happen(world, name))  # type: ignore[misc]


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
            listed = [number.lstrip("+") for _, number, *_ in world.tables[HEALTHY].rows]
            some = called if called and world.chance.random() < 1 / 2 else listed
            phone = world.chance.choice(some)
            world.vendor.refused_phones.add(phone)
            mended_ms = world.chance.choice(MENDED_MS)
            if mended_ms is not None:
                at_ms = world.baton.now_ms + mended_ms
                world.baton.at(at_ms, lambda: world.vendor.refused_phones.discard(phone))
        case "edit":
            world.tables[HEALTHY].edit()
        case "rotate":
            world.endpoints[HEALTHY] = "endpoint-new"
        case _:
            raise AssertionError(name)


def _bar(world: Simulation) -> None:
    """A number of the tables comes on the do-not-call list."""
    rows = world.tables[HEALTHY].rows
    if rows:
        world.listed.numbers.append(world.chance.choice(rows)[1])


def _cancelling(world: Simulation) -> Callable[[Parts, str], None]:
    """A person withdraws leads beside the running instances."""

    def withdraw(parts: Parts, sync: str) -> None:
        clock = parts.tools.clock
        found = parts.tools.ledger.cancellable(sync=sync)
        restores = world.restores
        # Reads the question.
        parts.tools.stop.wait(world.chance.randrange(world.plan.nap_ms) / 1000)
        some = [job for job in found if world.chance.random() < 1 / 2]
        if world.restores == restores:  # the ledger's file is looked at again before it is used
            cancel.run(some, parts.tools.ledger, clock, parts.campaign)

    return withdraw


def _visit(world: Simulation, does: Callable[[Parts, str], object]) -> None:
    """A command of a person, which may end as a process may."""
    person = Instance("person", world)
    try:
        does(person.visit(), HEALTHY)
    except (Crash, SyncdError):
        return


def approve_all(parts: Parts, sync: str) -> None:
    """A person lets go what a guard holds."""
    word = Word("person", policy=parts.policy())
    approve.run(sync, word, parts.tools.ledger, parts.tools.clock, limit=None)


def _retry(parts: Parts, sync: str) -> None:
    """A person lets go again what ended without a call."""
    tools = parts.tools
    asked = RetryFilter(sync, sync, RETRYABLE, policy=parts.policy())
    found = retry.look(asked, parts.sync(sync).tripwires, tools.ledger, tools.clock, most=None)
    retry.run(found, "person", tools.ledger, tools.clock)
