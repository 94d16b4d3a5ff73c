"""What every pass has: an ID in the ledger, counts, one outcome and one line in the log."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from syncd.clock import Clock, to_ms
from syncd.core.lease import Lease, of_campaign, of_list, of_sync
from syncd.core.renewal import Renewal
from syncd.engine.holding import NOTHING_HELD, Holding
from syncd.errors import (
    EXIT_CONFIG,
    EXIT_DONE,
    EXIT_HALTED,
    EXIT_INCOMPLETE,
    EXIT_TRIPPED,
    ConfigError,
    Halted,
    SyncdError,
)
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.observe import events, logs
from syncd.sources.base import WHOLE, Unread

_log = logs.get("engine")

#: Counts that mean "done, but not all of it": exit code 1.
INCOMPLETE = (
    "refused",
    "parked",
    "rejected",
    "in_doubt",
    "not_sent",
    "unmatched",
    "waiting",
    "mismatched",
    "unreadable",
    "not_withdrawn",
    "second_calls",
)


#: The passes that one instance at a time runs, and the name of the lease for a target.
LEASED: Mapping[str, Callable[[str], str]] = {
    "poll": of_sync,
    "reconcile": of_campaign,
    "pull_reports": of_campaign,
    "withdraw": of_campaign,
    "renew": of_campaign,
    "sweep": of_campaign,
    "suppress": of_list,
}


@dataclass(frozen=True, slots=True)
class Tools:
    """What a pass is given besides its own sync or campaign; nothing else reaches outside."""

    ledger: Ledger
    clock: Clock
    stop: threading.Event
    random: random.Random
    holding: Holding = NOTHING_HELD


@dataclass(frozen=True, slots=True)
class PassResult:
    """How one pass ended. `outcome`: done, stopped, retry, config or halted."""

    kind: str
    target: str
    outcome: str
    counts: Mapping[str, int]
    error: SyncdError | None = None
    unread: Unread = WHOLE  #: what the source holds and a later poll reads

    @property
    def exit_code(self) -> int:
        """Tripped 4, halted 3, configuration 2, incomplete 1, done 0."""
        if self.counts.get("tripped"):
            return EXIT_TRIPPED
        if self.outcome == "halted":
            return EXIT_HALTED
        if self.outcome == "config":
            return EXIT_CONFIG
        if self.outcome == "retry" or any(self.counts.get(name) for name in INCOMPLETE):
            return EXIT_INCOMPLETE
        return EXIT_DONE


@dataclass(slots=True)
class Pass:
    """A pass that runs: counts so far, and how its moves are signed."""

    kind: str
    target: str
    id: int
    tools: Tools
    counts: Counter[str] = field(default_factory=Counter)
    error: SyncdError | None = None
    unread: Unread = WHOLE
    lease: Lease | None = None  #: the lease that it works under, if it needs one
    halt_told: bool = False  #: the halt that ends this pass stands in the log already
    #: what works out the hours of syncs with caps of calls; None: not asked for yet
    capped: Mapping[str, Renewal] | None = None
    failures: int = 0  #: sendings in a row to its campaign that had no answer, as it began

    def by(self) -> By:
        """The signature of a move made now."""
        now_ms = to_ms(self.tools.clock.now())
        return By(self.kind, now_ms, self.id, self.lease, self.tools.holding.holder)

    def result(self) -> PassResult:
        """The pass as it stands."""
        return PassResult(
            self.kind, self.target, self._outcome(), dict(self.counts), self.error, self.unread
        )

    def _outcome(self) -> str:
        if isinstance(self.error, Halted):
            return "halted"
        if isinstance(self.error, ConfigError):
            return "config"
        if self.error is not None:
            return "retry"
        return "stopped" if self.tools.stop.is_set() else "done"


@contextmanager
def run_pass(kind: str, target: str, tools: Tools) -> Iterator[Pass]:
    """Begin a pass, turn our errors into its outcome, and end it with one line in the log.

    A bug is not caught: it is noted and goes on up.

    Raises:
        HeldElsewhere: another instance is at work on the same; nothing was begun.
    """
    of = LEASED.get(kind)
    with tools.holding.held(of and of(target)) as lease, _run_pass(kind, target, tools) as running:
        running.lease = lease
        yield running


@contextmanager
def _run_pass(kind: str, target: str, tools: Tools) -> Iterator[Pass]:
    started_s = tools.clock.monotonic_s()
    running = Pass(
        kind, target, tools.ledger.begin_pass(kind, target, now=tools.clock.now()), tools
    )
    try:
        yield running
    except SyncdError as error:
        running.error = error
    except BaseException:
        _finish(running, "bug", started_s)
        raise
    _finish(running, running.result().outcome, started_s)


def _finish(running: Pass, outcome: str, started_s: float) -> None:
    clock = running.tools.clock
    idle = running.tools.ledger.finish_pass(
        running.id, outcome=outcome, counts=running.counts, now=clock.now()
    )
    told: dict[str, object] = {}
    known = running.halt_told and isinstance(running.error, Halted)
    if running.error is not None and not known:
        told = {"error": str(running.error), "hint": running.error.hint}
    if running.unread:
        told["unread"] = str(running.unread)
    say = _log.debug if idle else _log.info
    say(
        events.PASS_FINISHED,
        kind=running.kind,
        target=running.target,
        pass_id=running.id,
        outcome=outcome,
        duration_ms=round((clock.monotonic_s() - started_s) * 1000),
        **running.counts,
        **told,
    )


def worst_exit_code(results: list[PassResult]) -> int:
    """The exit code of several passes: the highest wins."""
    return max((result.exit_code for result in results), default=EXIT_DONE)
