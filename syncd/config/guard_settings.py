"""The keys of the guards against human mistakes, and the limits that they stand for."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import Field

from syncd.core.guards import MAX_JOBS, MAX_MINUTES, MAX_SPEND, DayLimits, Tripwires

#: More than a day or two of an ordinary customer, far less than a wrong filter brings.
MAX_NEW_PER_POLL = 10_000
MAX_GROWTH = 20.0
GROWTH_FLOOR = 500
#: Many small polls start no more in a day than one poll may.
MAX_JOBS_PER_DAY = 10_000
#: So many leads with three attempts of a minute each.
MAX_MINUTES_PER_DAY = 30_000.0

_N = TypeVar("_N", int, float)
_OFF = '"off" switches it off.'

MaxNew = Annotated[
    Annotated[int, Field(ge=1)] | Literal["off"],
    Field(
        description="A poll that would start more call jobs than this starts none: they are held"
        f" until `syncd approve`. {_OFF}"
    ),
]
MaxGrowth = Annotated[
    Annotated[float, Field(gt=1, allow_inf_nan=False)] | Literal["off"],
    Field(
        description="The same for a poll that would start more than so many times what is usual:"
        " the median of the last 10 polls that started some, once there were 5. " + _OFF
    ),
]
GrowthFloor = Annotated[
    int, Field(ge=0, description="Up to so many call jobs, max_growth holds nothing.")
]
MaxJobsPerDay = Annotated[
    Annotated[int, Field(ge=1)] | Literal["off"],
    Field(
        description="The most call jobs that are sent to the campaign in 24 hours; more are held"
        " until `syncd approve`. What a person starts with `syncd backfill` comes on top, unless"
        f" you have set the limit yourself. {_OFF}"
    ),
]
MaxMinutesPerDay = Annotated[
    Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["off"],
    Field(
        description="The same for the minutes that they are expected to take: leads, times"
        f" expected_attempts and expected_minutes. {_OFF}"
    ),
]
MaxSpendPerDay = Annotated[
    Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["off"],
    Field(
        description="The same for what they are expected to cost: those minutes times"
        ' price_per_minute, and in its currency. Needs a price. Any amount, or "off".'
    ),
]
PricePerMinute = Annotated[
    Annotated[float, Field(gt=0, allow_inf_nan=False)] | None,
    Field(
        description="What a minute of a call costs, in your currency; for max_spend_per_day.",
        examples=[0.05],
    ),
]
ExpectedMinutes = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False, description="How long an attempt takes on average."),
]
ExpectedAttempts = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False, description="How many attempts a lead takes on average."),
]
Lines = Annotated[
    Annotated[int, Field(ge=1)] | None,
    Field(
        description="How many calls the campaign makes at once. `plan` then warns of calls that do"
        " not fit into the permitted minutes before they end.",
        examples=[10],
    ),
]


class _PollKeys(Protocol):
    @property
    def max_new_per_poll(self) -> int | Literal["off"]: ...
    @property
    def max_growth(self) -> float | Literal["off"]: ...
    @property
    def growth_floor(self) -> int: ...


class _DayKeys(Protocol):
    @property
    def max_jobs_per_day(self) -> int | Literal["off"]: ...
    @property
    def max_minutes_per_day(self) -> float | Literal["off"]: ...
    @property
    def max_spend_per_day(self) -> float | Literal["off"]: ...
    @property
    def price_per_minute(self) -> float | None: ...
    @property
    def expected_minutes(self) -> float: ...
    @property
    def expected_attempts(self) -> float: ...
    @property
    def model_fields_set(self) -> set[str]: ...


def tripwires_of(policy: _PollKeys) -> Tripwires:
    """The tripwires that a sync's policy sets."""
    return Tripwires(
        max_new=_on(policy.max_new_per_poll),
        max_growth=_on(policy.max_growth),
        growth_floor=policy.growth_floor,
    )


def day_limits_of(campaign: _DayKeys) -> DayLimits:
    """The limits of a day that a campaign's table sets."""
    minutes = campaign.expected_minutes * campaign.expected_attempts
    price = campaign.price_per_minute
    return DayLimits(
        max_jobs=_on(campaign.max_jobs_per_day),
        max_minutes=_on(campaign.max_minutes_per_day),
        max_spend=_on(campaign.max_spend_per_day),
        job_minutes=minutes,
        job_price=None if price is None else price * minutes,
        defaults=frozenset({MAX_JOBS, MAX_MINUTES, MAX_SPEND} - campaign.model_fields_set),
    )


def _on(value: _N | Literal["off"]) -> _N | None:
    return None if value == "off" else value
