"""The section `[syncs.NAME.hours]`: when a person may be called, in that person's own time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from syncd.config.values import Every, Section, refusal
from syncd.core.hours.presets import presets
from syncd.core.hours.week import parse
from syncd.core.names import did_you_mean
from syncd.core.refusal import BadValue
from syncd.core.spec import DEFAULT_PRESET, HoursSpec

AUTO = "auto"  #: by the country of the number
_WEEK_HINT = 'write it as mon-fri = ["10:00-13:00", "14:00-20:00"]'
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
OFF = "off"  #: the campaign's own hours


def _as_tuple(value: Any) -> Any:
    one = (value,) if isinstance(value, (str, date)) else value
    return tuple(one) if isinstance(one, list) else one


def _as_date(value: Any) -> Any:
    """A date as TOML has it, or the same in quotes, as the examples have it."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    return value


def _check_preset(name: str) -> str:
    known = (AUTO, OFF, *presets())
    if name not in known:
        raise refusal("is no preset", did_you_mean(name, known))
    return name


def _check_presets(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) > 1 and {AUTO, OFF} & set(names):
        raise refusal('has "auto" or "off" beside others', "give it alone")
    return names


def _check_week(week: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    try:
        minutes = parse(week).minutes
    except BadValue as bad:
        raise refusal(bad.why, _WEEK_HINT) from None
    if week and not minutes:
        raise refusal("permits no minute", _WEEK_HINT)
    return week


_Preset = Annotated[str, AfterValidator(_check_preset)]
_Presets = Annotated[
    tuple[_Preset, ...], BeforeValidator(_as_tuple), AfterValidator(_check_presets)
]
_Day = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
_Date = Annotated[date, BeforeValidator(_as_date)]
_Dates = Annotated[tuple[_Date, ...], BeforeValidator(_as_tuple)]


class HourSettings(Section):
    """When people may be called, in their own local time."""

    preset: _Presets | None = Field(
        default=None,
        description="Permitted hours by law or code of conduct: see `syncd windows list`. Several"
        ' are intersected; "auto" takes those of the number\'s country, and in the USA state, for'
        ' the scope; "off" leaves the hours to the campaign. Your own week, and hours that are'
        f' mapped, make them narrower. Where none of the three is given, "{DEFAULT_PRESET}" holds:'
        " 9 to 21 every day.",
        examples=["us-tcpa"],
    )
    scope: Literal["telemarketing", "debt", "service"] = Field(
        default="telemarketing", description='What the calls are for. Only preset = "auto" asks.'
    )
    guard: Every | None = Field(
        default=None,
        le=timedelta(hours=1),
        description="So much is taken off the end of each interval of hours, as a call takes a"
        " while. Not given: the preset's own.",
        examples=["1m"],
    )
    holidays: Literal["closed", "weekend", "none"] | None = Field(
        default=None,
        description='On public holidays nobody is called ("closed"), the weekend\'s hours hold'
        ' ("weekend"), or they are like other days. Not given: as the preset says.',
        examples=["closed"],
    )
    closed: _Dates = Field(
        default=(),
        description="Dates on which nobody is called.",
        examples=[["2026-12-31"]],
    )
    working: _Dates = Field(
        default=(),
        description="Dates that are no holidays, whatever the calendar says.",
        examples=[["2027-02-20"]],
    )
    on_ambiguous: Literal["hold", "likely", "campaign"] = Field(
        default="hold",
        description="What follows when the zones that a number may be in have no permitted hour in"
        ' common: "hold" holds the call job, "likely" leaves out the least likely zones, and'
        ' "campaign" sends neither zone nor hours. Under a law or a code it is always held.',
    )
    week: Annotated[dict[str, _Day], AfterValidator(_check_week)] = Field(
        default_factory=dict,
        description="Your own hours, by weekday; a day that is not named is closed.",
        examples=[{"mon-fri": ["10:00-13:00", "14:00-20:00"]}],
    )

    def to_spec(self, *, mapped: bool = False) -> HoursSpec:
        """The hours as the core takes them; `mapped`: records have hours of their own."""
        presets = self.preset
        if presets is None:
            presets = () if self.week or mapped else (DEFAULT_PRESET,)
        return HoursSpec(
            presets=() if presets == (OFF,) else presets,
            scope=self.scope,
            guard_min=None if self.guard is None else int(self.guard.total_seconds()) // 60,
            holidays=self.holidays,
            closed=tuple(day.isoformat() for day in self.closed),
            working=tuple(day.isoformat() for day in self.working),
            on_ambiguous=self.on_ambiguous,
            week=dict(self.week),
        )
