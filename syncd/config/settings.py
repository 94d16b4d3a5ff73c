"""What syncd can be told: frozen models, one per section; unknown keys are refused.

The descriptions are the documentation: config.example.toml, the reference page and the JSON Schema
are made from them. Checks that need two sections (a sync names a source) are in `crosscheck.py`.
Reading files and the environment is `load.py`; these models never look outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from syncd.config import guard_settings as guards
from syncd.config.call_settings import CallSettings, SuppressionSettings
from syncd.config.hour_settings import HourSettings
from syncd.config.mapping import Map
from syncd.config.values import BaseUrl, Every, LedgerUrl, Name, Section, Token
from syncd.config.zone_settings import ZoneSettings
from syncd.core.sweep import SWEEP_EVERY, SWEEP_WINDOW

BATCH_SIZE_MAX = 10_000
IN_FLIGHT_MAX = 64
REQUESTS_PER_SECOND_MAX = 10_000.0
#: Slower, and a resend could wait for its turn past the life of its key.
REQUESTS_PER_SECOND_MIN = 0.01
TIMEOUT_S_MAX = 600.0

#: The layers of one `load`, highest first: pydantic-settings merges them (see `Settings`).
LAYERS: ContextVar[tuple[PydanticBaseSettingsSource, ...]] = ContextVar("LAYERS", default=())

_TimeoutS = Annotated[float, Field(gt=0, le=TIMEOUT_S_MAX, allow_inf_nan=False)]


class LogSettings(Section):
    """What syncd writes to stderr while it works."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important lines that are written."
    )
    format: Literal["auto", "console", "json"] = Field(
        default="auto",
        description='"console" is for people; "auto" is console on a terminal, else json.',
    )


class LedgerSettings(Section):
    """The store of leads, call jobs, batches and reports: what was called, and what came of it."""

    url: LedgerUrl = Field(
        default="sqlite:///syncd.db",
        repr=False,
        description="An SQLite file, or a PostgreSQL database: postgresql://user@host/database",
    )
    lease: Every = Field(
        default=timedelta(seconds=60),
        description="With several instances on one PostgreSQL ledger: one that was not heard of for"
        " so long is taken for dead, and others take over its syncs and campaigns.",
    )


class NumberingSettings(Section):
    """The Russian numbering registry: see `syncd numbering import`."""

    path: str | None = Field(
        default=None,
        description="The file in which the compiled registry is kept. Left out, it is numbering.bin"
        " beside an SQLite ledger; with a PostgreSQL ledger it has to be given.",
        examples=["/var/lib/syncd/numbering.bin"],
        json_schema_extra={"syncd_path": True},
    )


class TimeoutSettings(Section):
    """How long a request may take, in seconds."""

    connect_s: _TimeoutS = Field(default=5.0, description="To open a connection.")
    write_s: _TimeoutS = Field(default=30.0, description="Between two pieces of the request.")
    read_s: _TimeoutS = Field(default=30.0, description="Between two pieces of the answer.")
    pool_s: _TimeoutS = Field(default=30.0, description="To get a free connection of the pool.")
    total_s: _TimeoutS = Field(default=60.0, description="For the whole request with its answer.")


class CampaignSettings(Section):
    """One campaign of the vendor: one token at one host."""

    allow_insecure_http: bool = Field(
        default=False,
        description="Permit http:// to a host other than this machine; the token is then readable"
        " on the way.",
    )
    base_url: BaseUrl = Field(
        default="https://app.aimylogic.com",
        description="The vendor's host, such as https://app.aimylogic.com, https://app.jaicp.com,"
        " https://platform.tovie.ai, or your own installation.",
    )
    token: Token = Field(
        description="The campaign's token: whoever has it can place calls. Better kept out of this"
        " file: see token_file, the environment and the secret files.",
        examples=["123.456.bAYx…"],
    )
    token_file: str | None = Field(
        default=None,
        description="A file that holds the token, readable by its owner only (chmod 600). Give"
        " either token or token_file.",
        examples=["welcome.token"],
        json_schema_extra={"syncd_path": True},
    )
    batch_size: int = Field(
        default=500, ge=1, le=BATCH_SIZE_MAX, description="The most call jobs in one request."
    )
    max_in_flight: int = Field(
        default=4, ge=1, le=IN_FLIGHT_MAX, description="The most requests under way at once."
    )
    max_requests_per_second: float = Field(
        default=10.0,
        ge=REQUESTS_PER_SECOND_MIN,
        le=REQUESTS_PER_SECOND_MAX,
        allow_inf_nan=False,
        description="The most requests begun in a second.",
    )
    report_every: Every = Field(
        default=timedelta(minutes=1),
        description="How often outcomes are asked for; each open job is asked for less often as it"
        " ages.",
    )
    quiet_time: Every = Field(
        default=timedelta(minutes=2),
        description="After a sending without an answer, wait so long before sending the same batch"
        " with the same key again: the first request may still be at work.",
    )
    max_jobs_per_day: guards.MaxJobsPerDay = guards.MAX_JOBS_PER_DAY
    max_minutes_per_day: guards.MaxMinutesPerDay = guards.MAX_MINUTES_PER_DAY
    max_spend_per_day: guards.MaxSpendPerDay = "off"
    price_per_minute: guards.PricePerMinute = None
    expected_minutes: guards.ExpectedMinutes = 1.0
    expected_attempts: guards.ExpectedAttempts = 1.0
    lines: guards.Lines = None
    resend_window: Every = Field(
        default=timedelta(hours=20),
        le=timedelta(hours=23),
        description="So long after its first sending a batch without an answer may be sent again"
        " with its key; the vendor forgets keys after 24 hours. Past it, the batch is only looked"
        " up in the reports. Make it shorter where keys are known to live shorter.",
    )
    settle_time: Every = Field(
        default=timedelta(hours=2),
        description="A batch that may not be sent again counts as never carried out only when so"
        " long after its last sending two whole looks into the reports do not show its calls."
        " Make it longer where requests or reports may come later: the looks then reach as far.",
    )
    sweep_every: Every = Field(
        default=SWEEP_EVERY,
        description="How often the calls of the campaign are compared with the ledger: one that the"
        " ledger does not know is given to the lead that lacks it, or reported.",
    )
    sweep_window: Every = Field(
        default=SWEEP_WINDOW,
        description="How far back that comparison looks. What was created while syncd did not run"
        " is looked at as well.",
    )
    timeouts: TimeoutSettings = Field(
        default_factory=TimeoutSettings, description=str(TimeoutSettings.__doc__)
    )


class SourceSettings(Section):
    """Where records come from: a kind and the options of that kind."""

    kind: Name = Field(description="The kind of source.", examples=["csv"])
    options: dict[str, Any] = Field(
        default_factory=dict,
        repr=False,
        description="Every other key of the table; checked by the kind.",
    )

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: Any) -> Any:
        """Every key but `kind` is an option, also one that is called "options"."""
        if not isinstance(value, dict):
            return value
        head = {"kind": value["kind"]} if "kind" in value else {}
        return {**head, "options": {k: v for k, v in value.items() if k != "kind"}}


class PolicySettings(CallSettings):
    """What to do in cases where a choice is yours."""

    max_new_per_poll: guards.MaxNew = guards.MAX_NEW_PER_POLL
    max_growth: guards.MaxGrowth = guards.MAX_GROWTH
    growth_floor: guards.GrowthFloor = guards.GROWTH_FLOOR


class SyncSettings(Section):
    """A source, a mapping, a campaign and a schedule."""

    source: str = Field(description="The name of a source above.", examples=["crm"])
    campaign: str = Field(description="The name of a campaign above.", examples=["welcome"])
    every: Every | None = Field(
        default=None,
        description="How often the source is looked at. Give either every or cron.",
        examples=["5m"],
    )
    cron: str | None = Field(
        default=None,
        description="When the source is looked at: minute, hour, day, month, weekday.",
        examples=["*/10 9-18 * * mon-fri"],
    )
    time_zone: str = Field(
        default="UTC", description="The zone that cron is meant in.", examples=["Europe/Berlin"]
    )
    map: Map = Field(description="How a record becomes a call job.")
    zones: ZoneSettings = Field(default_factory=ZoneSettings, description=str(ZoneSettings.__doc__))
    hours: HourSettings = Field(default_factory=HourSettings, description=str(HourSettings.__doc__))
    policy: PolicySettings = Field(
        default_factory=PolicySettings, description=str(PolicySettings.__doc__)
    )


class Settings(BaseSettings):
    """The whole configuration. Values come only from the layers of `load`, or from arguments."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, case_sensitive=True
    )

    log: LogSettings = Field(default_factory=LogSettings, description=str(LogSettings.__doc__))
    ledger: LedgerSettings = Field(
        default_factory=LedgerSettings, description=str(LedgerSettings.__doc__)
    )
    numbering: NumberingSettings = Field(
        default_factory=NumberingSettings, description=str(NumberingSettings.__doc__)
    )
    campaigns: dict[Name, CampaignSettings] = Field(
        default_factory=dict, description=str(CampaignSettings.__doc__), examples=["welcome"]
    )
    sources: dict[Name, SourceSettings] = Field(
        default_factory=dict, description=str(SourceSettings.__doc__), examples=["crm"]
    )
    syncs: dict[Name, SyncSettings] = Field(
        default_factory=dict, description=str(SyncSettings.__doc__), examples=["crm-leads"]
    )
    suppressions: dict[Name, SuppressionSettings] = Field(
        default_factory=dict, description=str(SuppressionSettings.__doc__), examples=["robinson"]
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the hook's signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` read: pydantic's own environment source can't name where values are."""
        return (init_settings, *LAYERS.get())


def build(layers: Sequence[PydanticBaseSettingsSource]) -> Settings:
    """Merge the layers, highest first, and validate; raises pydantic's ValidationError."""
    mark = LAYERS.set(tuple(layers))
    try:
        return Settings()
    finally:
        LAYERS.reset(mark)
