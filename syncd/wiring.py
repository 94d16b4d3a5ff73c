"""Turns a loaded configuration into the parts that passes work with: campaigns, syncs, sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from syncd.campaign.client import CampaignClient
from syncd.campaign.pace import Pace
from syncd.campaign.transport import Timeouts
from syncd.clock import SystemClock
from syncd.config.guard_settings import day_limits_of, tripwires_of
from syncd.config.load import Loaded, numbering_file
from syncd.config.options import check_options
from syncd.config.settings import SyncSettings
from syncd.core.call_policy import CallPolicy
from syncd.core.keys import fingerprint
from syncd.core.mapping import MappingSpec
from syncd.core.names import did_you_mean
from syncd.core.renewal import Renewal
from syncd.core.requeue import Recheck
from syncd.core.spec import HoursSpec
from syncd.core.sync_times import TimesAt, times_at
from syncd.core.zones.places.own_table import read_own_table
from syncd.engine.parts import Campaign, Suppression, Sync
from syncd.engine.passes import Tools
from syncd.errors import ConfigError
from syncd.ledger.requeueing import Again
from syncd.numbering.kept import load_registry
from syncd.sources.base import Source
from syncd.sources.registry import kind_of, names

_TABLE_BYTES_MAX = 16 * 1024 * 1024


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
    check_known(name, campaigns, "campaign")
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
        hours={
            sync: _hours(one) for sync, one in loaded.settings.syncs.items() if one.campaign == name
        },
        resend_window=told.resend_window,
        settle=told.settle_time,
        sweep_every=told.sweep_every,
        sweep_window=told.sweep_window,
    )


def wire_sync(name: str, loaded: Loaded) -> Sync:
    """A sync with its source opened (nothing is read yet)."""
    syncs = loaded.settings.syncs
    check_known(name, syncs, "sync")
    told = syncs[name]
    spec, times = wire_times(name, loaded)
    return Sync(
        name,
        open_source(told.source, loaded),
        told.campaign,
        spec,
        _calls(name, loaded),
        tripwires_of(told.policy),
        times,
    )


def wire_times(name: str, loaded: Loaded) -> tuple[MappingSpec, TimesAt]:
    """The mapping of a sync, and what works out its zones and hours.

    Raises:
        ConfigError: the user's own table or the numbering registry cannot be read.
    """
    told = loaded.settings.syncs[name]
    registry = load_registry(numbering_file(loaded.settings))
    table = "" if told.zones.table is None else table_text(Path(told.zones.table))
    spec = replace(
        told.map.to_spec(),
        zones=told.zones.to_spec(table, "" if registry is None else registry.digest),
        hours=_hours(told),
    )
    return spec, times_at(spec, registry)


def wire_again(name: str, loaded: Loaded, now: datetime) -> Again:
    """What looks at the open jobs of a sync again, by the settings and data of now."""
    spec, _ = wire_times(name, loaded)
    assert spec.zones is not None
    assert spec.hours is not None
    registry = load_registry(numbering_file(loaded.settings))
    campaign = loaded.settings.syncs[name].campaign
    recheck = Recheck(spec.hours, spec.zones, registry, now)
    return Again(name, campaign, recheck, Renewal(spec.hours, now))


def _hours(told: SyncSettings) -> HoursSpec:
    """The hours of a sync."""
    mapped = told.map.allowedTime is not None or told.map.allowedDays is not None
    return told.hours.to_spec(mapped=mapped)


def table_text(path: Path) -> str:
    """The text of the user's own table of zones; ConfigError when it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(_TABLE_BYTES_MAX).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"the table of zones cannot be read: {why}", where=str(path)) from None
    read_own_table(text, str(path))
    return text


def _calls(sync: str, loaded: Loaded) -> CallPolicy:
    """The call policy of a sync, with the do-not-call lists that hold for it."""
    lists = [name for name, one in loaded.settings.suppressions.items() if one.holds_for(sync)]
    return loaded.settings.syncs[sync].policy.calls(lists)


def wire_suppression(name: str, loaded: Loaded) -> Suppression:
    """A do-not-call list with its source opened (nothing is read yet)."""
    lists = loaded.settings.suppressions
    check_known(name, lists, "do-not-call list")
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
    check_known(name, loaded.settings.sources, "source")
    told = loaded.settings.sources[name]
    kind = kind_of(told.kind, where=f"sources.{name}.kind")
    options = check_options(
        name, kind.Options, told.options, file=loaded.path, origins=loaded.origins
    )
    return kind.open(name, options)


def source_options() -> dict[str, type[BaseModel]]:
    """The options of every kind of source: docs, schema and example are made from them."""
    return {kind: kind_of(kind).Options for kind in names()}


def check_known(name: str, names: Mapping[str, object], kind: str) -> None:
    if name not in names:
        raise ConfigError(f'there is no {kind} "{name}"', hint=did_you_mean(name, names))
