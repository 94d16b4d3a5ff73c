"""The hours in force for a record: presets, the sync's own week, and dates that are not ordinary.

It owns how these meet: always by intersection. Which preset holds may depend on the number's
country; the rest is the same for all records of a sync.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from syncd.core.getters import Row
from syncd.core.hours.caps import Caps
from syncd.core.hours.dates import Dates, Policy, Weeks, weeks_of
from syncd.core.hours.holiday_dates import Place, holiday_dates
from syncd.core.hours.presets import (
    SCOPES,
    NoPreset,
    Preset,
    Scope,
    auto_of_all,
    intersection,
    named,
)
from syncd.core.hours.week import WHOLE_WEEK, Week, parse
from syncd.core.refusal import BadValue
from syncd.core.spec import DEFAULT_PRESET, HoursSpec

#: Where a number may be.
Places = tuple[Place, ...]

AUTO: Final = "auto"  #: the preset of the number's country
NO_CAPS: Final = Caps()
NOWHERE: Final[Places] = ()
HORIZON_DAYS: Final = 54 * 7 + 1

_DAY: Final = timedelta(days=1)
_SCOPES: Final[Mapping[str, Scope]] = {scope: scope for scope in SCOPES}
_POLICIES: Final[Mapping[str, Policy]] = {
    "none": "none",
    "closed": "closed",
    "weekend": "weekend",
}


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """The hours in force; made once and shared, and compared by identity.

    names: presets with their versions, and "own" for the sync's own week.
    legal: a law or a binding code asks for them; they are never given up.
    by_date: some date of the horizon differs from its weekday, so calls are pushed in slices.
    capped: whether any cap is set.
    missing: why there are no hours, where the country has no preset; "" else.
    places: for whom it was made, where that matters; () else.
    """

    names: tuple[str, ...]
    weeks: Weeks
    dates: Dates
    guard_min: int = 0
    caps: Caps = NO_CAPS
    legal: bool = False
    by_date: bool = False
    missing: str = ""
    places: Places = ()
    capped: bool = field(init=False)

    def __post_init__(self) -> None:
        """Whether any cap is set is asked for each record, so it is reckoned once."""
        object.__setattr__(self, "capped", self.caps != NO_CAPS)

    def with_week(self, week: Week) -> Weeks:
        """The hours by kind of day, inside a record's own week."""
        return self.weeks if week.mask == WHOLE_WEEK else self.weeks & weeks_of(week)


class Rules:
    """The rule of each place that a record may be of, for one sync and one moment."""

    def __init__(
        self, spec: HoursSpec, places_of: Callable[[Row, str], Places], now: datetime
    ) -> None:
        """Make the rule that holds for all, where there is one.

        Args:
            places_of: where a record and its phone may be; asked where it matters.

        Raises:
            BadValue: an own week that cannot be read, or a preset that is not there.
        """
        self._spec = spec
        self._places_of = places_of
        self._first = now.date() - _DAY
        self._last = self._first + timedelta(days=HORIZON_DAYS)
        self._own = parse(spec.week) if spec.week else None
        self._kept: dict[Places, Rule] = {}
        self._one: Rule | None = None
        self._off = not (spec.presets or spec.week or spec.closed or spec.holidays)
        if not (self._off or self._by_place):
            self._one = self._made(NOWHERE)

    def of(self, row: Row, phone: str) -> Rule | None:
        """The rule of a record; None leaves the hours to the campaign. Raises nothing."""
        if self._off or self._one is not None:
            return self._one
        return self.of_places(self._places_of(row, phone))

    def of_places(self, places: Places) -> Rule | None:
        """The rule of a record that may be there; for `NOWHERE` the one that holds for all."""
        if self._off or self._one is not None:
            return self._one
        if places not in self._kept:
            self._kept[places] = self._made(places)
        return self._kept[places]

    @property
    def by_place(self) -> bool:
        """Whether records of different places have different rules."""
        return self._one is None and not self._off

    @property
    def _by_place(self) -> bool:
        """Whether the number's country matters: for "auto", or for holidays of no preset."""
        names = self._spec.presets
        if AUTO in names:
            return True
        asks = self._spec.holidays in ("closed", "weekend")
        return asks and not any(_preset(name).places for name in names)

    def _made(self, places: Places) -> Rule:
        told = self._spec
        preset = self._preset(places)
        if isinstance(preset, NoPreset):
            weeks = weeks_of(Week(0))
            return Rule((), weeks, Dates(), legal=True, missing=str(preset), places=places)
        policy = _POLICIES.get(told.holidays or "")
        weeks = weeks_of(Week(WHOLE_WEEK)) if preset is None else preset.weeks
        if policy is not None:
            weeks = weeks_of(weeks.ordinary, policy)
        if self._own is not None:
            own_policy = policy or ("none" if preset is None else preset.policy)
            weeks = weeks & weeks_of(self._own, own_policy)
        dates = self._dates(preset, places)
        names = () if preset is None else (f"{preset.id} {preset.version}",)
        return Rule(
            names=names if self._own is None else (*names, "own"),
            weeks=weeks,
            dates=dates,
            guard_min=self._guard(preset),
            caps=NO_CAPS if preset is None else preset.caps,
            legal=preset is not None and preset.id != DEFAULT_PRESET,
            by_date=weeks.differ(dates, self._first, self._last),
            places=places,
        )

    def _preset(self, places: Places) -> Preset | NoPreset | None:
        names = self._spec.presets
        if names == (AUTO,):
            return auto_of_all(places, _SCOPES[self._spec.scope])
        return intersection([_preset(name) for name in names]) if names else None

    def _guard(self, preset: Preset | None) -> int:
        if self._spec.guard_min is not None:
            return self._spec.guard_min
        return 0 if preset is None else preset.guard_min

    def _dates(self, preset: Preset | None, around: Places) -> Dates:
        places = () if preset is None else preset.places
        if self._spec.holidays == "none":
            places = ()
        elif self._spec.holidays is not None and not places:
            places = tuple({(country, ""): None for country, _ in around if country})
        years = range(self._first.year, self._last.year + 1)
        try:
            found = holiday_dates(places, years)
        except BadValue:  # a country whose holidays nobody has: its own dates still count
            found = Dates()
        closed, working = self._spec.closed, self._spec.working
        return found.with_own(
            closed=map(date.fromisoformat, closed), opened=map(date.fromisoformat, working)
        )


def may_cap(spec: HoursSpec) -> bool:
    """Whether some record of the sync may have a rule with caps."""
    return any(name == AUTO or any(_preset(name).caps.each()) for name in spec.presets)


def _preset(name: str) -> Preset:
    found = named(name)
    if found is None:
        raise BadValue(f'there is no preset "{name}"')
    return found
