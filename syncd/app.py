"""The one place that wires: a loaded configuration becomes a ledger, campaigns and syncs."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Self

from pydantic import BaseModel

from syncd.campaign.client import CampaignClient
from syncd.campaign.pace import Pace
from syncd.campaign.transport import Timeouts
from syncd.clock import Clock, SystemClock, to_ms
from syncd.config.guard_settings import day_limits_of, tripwires_of
from syncd.config.load import Loaded
from syncd.config.options import check_options
from syncd.core.call_policy import CallPolicy
from syncd.core.keys import fingerprint
from syncd.core.names import did_you_mean
from syncd.engine.holding import NOTHING_HELD, Holding, LeasedHolding, SoleHolding
from syncd.engine.parts import Campaign, Suppression, Sync
from syncd.engine.passes import Tools
from syncd.errors import ConfigError, LedgerError
from syncd.ledger import witness
from syncd.ledger.instance import Instance, hold_instance
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.sources.base import Source
from syncd.sources.registry import kind_of, names


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
            _known(name, self.settings.syncs, "sync")
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


def _shared_turn(tools: Tools, campaign: str, interval_s: float, burst: int) -> float | None:
    """A turn of the bucket that all instances share; None where there is one only."""
    if not tools.holding.several:
        return None
    return tools.ledger.leases.take_turn(
        campaign, interval_s=interval_s, burst=burst, now=tools.clock.now()
    )


def wire_campaign(name: str, loaded: Loaded, tools: Tools | None = None) -> Campaign:
    """A campaign with its client; connects at the first request."""
    campaigns = loaded.settings.campaigns
    _known(name, campaigns, "campaign")
    told = campaigns[name]
    clock = tools.clock if tools is not None else SystemClock()
    token = told.token.get_secret_value()
    client = CampaignClient(
        name,
        told.base_url,
        token,
        timeouts=Timeouts(**told.timeouts.model_dump()),
        pace=Pace(
            told.max_requests_per_second,
            clock=clock,
            shared=None if tools is None else partial(_shared_turn, tools, name),
        ),
        clock=clock,
        stop=tools.stop if tools is not None else None,
        allow_insecure=told.allow_insecure_http,
    )
    return Campaign(
        name=name,
        client=client,
        endpoint=fingerprint(told.base_url, token),
        batch_size=told.batch_size,
        max_in_flight=told.max_in_flight,
        report_every=told.report_every,
        quiet=told.quiet_time,
        day=day_limits_of(told),
        calls={
            sync: _calls(sync, loaded)
            for sync, one in loaded.settings.syncs.items()
            if one.campaign == name
        },
        resend_window=told.resend_window,
        settle=told.settle_time,
        sweep_every=told.sweep_every,
        sweep_window=told.sweep_window,
    )


def wire_sync(name: str, loaded: Loaded) -> Sync:
    """A sync with its source opened (nothing is read yet)."""
    syncs = loaded.settings.syncs
    _known(name, syncs, "sync")
    told = syncs[name]
    return Sync(
        name,
        open_source(told.source, loaded),
        told.campaign,
        told.map.to_spec(),
        _calls(name, loaded),
        tripwires_of(told.policy),
    )


def _calls(sync: str, loaded: Loaded) -> CallPolicy:
    """The call policy of a sync, with the do-not-call lists that hold for it."""
    lists = [name for name, one in loaded.settings.suppressions.items() if one.holds_for(sync)]
    return loaded.settings.syncs[sync].policy.calls(lists)


def wire_suppression(name: str, loaded: Loaded) -> Suppression:
    """A do-not-call list with its source opened (nothing is read yet)."""
    lists = loaded.settings.suppressions
    _known(name, lists, "do-not-call list")
    told = lists[name]
    return Suppression(
        name=name,
        source=open_source(told.source, loaded),
        phone=told.phone,
        key=told.key,
        default_region=told.default_region,
        syncs=tuple(sync for sync in loaded.settings.syncs if told.holds_for(sync)),
        gone_share_max=told.gone_share_max,
    )


def open_source(name: str, loaded: Loaded) -> Source:
    """The source called `name`, its options checked by its kind."""
    _known(name, loaded.settings.sources, "source")
    told = loaded.settings.sources[name]
    kind = kind_of(told.kind, where=f"sources.{name}.kind")
    options = check_options(
        name, kind.Options, told.options, file=loaded.path, origins=loaded.origins
    )
    return kind.open(name, options)


def source_options() -> dict[str, type[BaseModel]]:
    """The options of every kind of source: docs, schema and example are made from them."""
    return {kind: kind_of(kind).Options for kind in names()}


def _known(name: str, names: Mapping[str, object], kind: str) -> None:
    if name not in names:
        raise ConfigError(f'there is no {kind} "{name}"', hint=did_you_mean(name, names))
