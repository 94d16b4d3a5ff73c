"""What the passes work with: a campaign and a sync, wired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from syncd.campaign.client import CampaignClient
from syncd.core.call_policy import DEFAULT, CallPolicy
from syncd.core.doubt import QUIET, RESEND_WINDOW
from syncd.core.guards import NO_DAY_LIMITS, NO_TRIPWIRES, DayLimits, Tripwires
from syncd.core.hours.rules import may_cap
from syncd.core.look_up import SETTLE
from syncd.core.mapping import MappingSpec
from syncd.core.spec import HoursSpec
from syncd.core.sweep import SWEEP_EVERY, SWEEP_WINDOW
from syncd.core.sync_times import TimesAt
from syncd.sources.base import Source


@dataclass(slots=True)
class Campaign:
    """One token at one host, and how fast it may be used."""

    name: str
    client: CampaignClient
    endpoint: str  #: fingerprint of base URL and token
    batch_size: int
    max_in_flight: int
    report_every: timedelta
    quiet: timedelta = QUIET
    resend_window: timedelta = RESEND_WINDOW
    day: DayLimits = NO_DAY_LIMITS
    calls: Mapping[str, CallPolicy] = field(default_factory=dict)  #: of its syncs
    hours: Mapping[str, HoursSpec] = field(default_factory=dict)  #: of its syncs
    settle: timedelta = SETTLE
    sweep_every: timedelta = SWEEP_EVERY
    sweep_window: timedelta = SWEEP_WINDOW
    #: None until tried; False where the installation lacks reports by date
    reports_by_date: bool | None = field(default=None)

    @property
    def capped(self) -> Mapping[str, HoursSpec]:
        """The syncs that may have caps of calls to one person."""
        return {sync: spec for sync, spec in self.hours.items() if may_cap(spec)}


@dataclass(frozen=True, slots=True)
class Sync:
    """A source, how its records become call jobs, and the campaign that they go to."""

    name: str
    source: Source
    campaign: str
    mapping: MappingSpec
    calls: CallPolicy = DEFAULT
    tripwires: Tripwires = NO_TRIPWIRES
    times: TimesAt | None = None  #: zones and hours at a moment; None: what is mapped is sent


@dataclass(frozen=True, slots=True)
class Suppression:
    """A do-not-call list: where it is read, what its columns hold, and for whom it holds."""

    name: str
    source: Source
    phone: tuple[str, ...]
    key: tuple[str, ...]
    default_region: str | None
    syncs: tuple[str, ...]
    gone_share_max: float
