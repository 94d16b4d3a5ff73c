"""The one place that wires: a loaded configuration becomes a ledger, campaigns and syncs."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import timedelta
from types import TracebackType
from typing import Self

from syncd.clock import Clock, SystemClock, to_ms
from syncd.config.load import Loaded
from syncd.engine.holding import NOTHING_HELD, Holding, LeasedHolding, SoleHolding
from syncd.engine.parts import Campaign, Suppression, Sync
from syncd.engine.passes import Tools
from syncd.errors import LedgerError
from syncd.ledger import witness
from syncd.ledger.instance import Instance, hold_instance
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.ledger.requeueing import Again
from syncd.wiring import check_known, wire_again, wire_campaign, wire_suppression, wire_sync


class App:
    """Everything that a command or the daemon works with. Close it when done."""

    def __init__(
        self,
        loaded: Loaded,
        ledger: Ledger,
        *,
        clock: Clock | None = None,
        stop: threading.Event | None = None,
        seed: int | None = None,
        holding: Holding | None = None,
    ) -> None:
        self.loaded = loaded
        self.settings = loaded.settings
        self.tools = Tools(
            ledger=ledger,
            clock=clock or SystemClock(),
            stop=stop or threading.Event(),
            random=random.Random(seed),  # noqa: S311 - jitter, no secret
            holding=holding or NOTHING_HELD,
        )
        self._campaigns: dict[str, Campaign] = {}
        self._instance: Instance | None = None

    @classmethod
    def open(
        cls,
        loaded: Loaded,
        *,
        alone: bool = False,
        recovers: bool = False,
        clock: Clock | None = None,
        stop: threading.Event | None = None,
    ) -> Self:
        """Open the ledger and wire the rest around it.

        Args:
            alone: this process runs passes: on SQLite no other may do so meanwhile, on PostgreSQL
                it takes leases.
            recovers: this is the command that a restored ledger waits for.
            stop: set it to end passes between two steps.

        Raises:
            LedgerError: no ledger, an older or newer one, or (alone) one that is held, or that was
                restored from a backup.
        """
        url = loaded.settings.ledger.url
        with ExitStack() as undo:
            # First the ledger: where there is none, nothing may be left beside it.
            ledger = Ledger.open(url)
            undo.callback(ledger.close)
            instance = hold_instance(url) if alone else None
            if instance is not None:
                undo.callback(instance.release)
            clock, stop = clock or SystemClock(), stop or threading.Event()
            if alone and not recovers:
                _refuse_restored(ledger, clock)
            holding = NOTHING_HELD
            if instance is not None:
                holding = _holding(instance, ledger, loaded.settings.ledger.lease, clock, stop)
                undo.callback(holding.close)
            app = cls(loaded, ledger, clock=clock, stop=stop, holding=holding)
            app._instance = instance
            undo.pop_all()
        return app

    @property
    def ledger(self) -> Ledger:
        return self.tools.ledger

    def campaign(self, name: str) -> Campaign:
        """The campaign called `name`, wired once; raises ConfigError for an unknown name."""
        known = self._campaigns.get(name)
        if known is None:
            known = self._campaigns[name] = wire_campaign(name, self.loaded, self.tools)
        return known

    def sync(self, name: str) -> Sync:
        """The sync called `name` with its source opened; raises ConfigError for an unknown name."""
        return wire_sync(name, self.loaded)

    def again(self, name: str) -> Again:
        """What looks at the open jobs of the sync called `name` again; opens no source."""
        check_known(name, self.settings.syncs, "sync")
        return wire_again(name, self.loaded, self.tools.clock.now())

    def suppression(self, name: str) -> Suppression:
        """The do-not-call list called `name`; raises ConfigError for an unknown name."""
        return wire_suppression(name, self.loaded)

    def suppression_names(self, syncs: Iterable[str]) -> list[str]:
        """The do-not-call lists that hold for one of these syncs."""
        wanted = list(syncs)
        lists = self.settings.suppressions
        return [name for name, one in lists.items() if any(map(one.holds_for, wanted))]

    def sync_names(self, wanted: Iterable[str] = ()) -> list[str]:
        """These syncs, or all of them; raises ConfigError for an unknown name."""
        chosen = list(wanted)
        for name in chosen:
            check_known(name, self.settings.syncs, "sync")
        return chosen or list(self.settings.syncs)

    def campaign_names(self, syncs: Iterable[str]) -> list[str]:
        """The campaigns that these syncs feed, each once."""
        return list(dict.fromkeys(self.settings.syncs[name].campaign for name in syncs))

    def close(self) -> None:
        """Close connections and let go of the ledger."""
        for campaign in self._campaigns.values():
            campaign.client.close()
        self.tools.holding.close()
        self.ledger.close()
        if self._instance is not None:
            self._instance.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _refuse_restored(ledger: Ledger, clock: Clock) -> None:
    """Raise LedgerError when a backup was put back, and keep that in the ledger itself.

    A ledger that only lacks its witness is not marked: the file may be brought after it.
    """
    why = ledger.witness.why_restored()
    if why is None:
        return
    if why != witness.ALONE and ledger.recovery_needed() is None:
        ledger.require_recovery(why, by=By("ledger", to_ms(clock.now())))
    raise LedgerError(
        why,
        where=str(ledger.file),
        hint="`syncd recover` finds the calls that it lacks, and then all goes on. A ledger that is"
        f" moved takes {ledger.witness.name} along",
    )


def _holding(
    instance: Instance, ledger: Ledger, life: timedelta, clock: Clock, stop: threading.Event
) -> Holding:
    if instance.is_sole_owner:
        ledger.free_claims()
        return SoleHolding(ledger, clock)
    holding = LeasedHolding(ledger, clock, stop, life=life)
    holding.start()
    return holding
