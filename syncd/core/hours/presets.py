"""Presets: the hours, caps and holidays of a law or a code, by name.

It owns the tables in `syncd/data/presets/`: one row for each rule of a jurisdiction and scope, with
its sources. A row that was not checked against its rule says so. It must never choose a preset for
a country and scope that has none: that is an outcome of its own, and the caller holds the call.
None of it is legal advice.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, reduce
from importlib import resources
from operator import and_
from typing import Any, Final, Literal, TypeVar, get_args

from syncd.core.hours.caps import Caps
from syncd.core.hours.dates import Policy, Weeks, weeks_of
from syncd.core.hours.holiday_dates import Place
from syncd.core.hours.us_states import state_named, states_of_number
from syncd.core.hours.week import Week, parse

_T = TypeVar("_T")
Scope = Literal["telemarketing", "debt", "service"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
DEFAULT: Final = "decent"
NO_ADVICE: Final = (
    "Presets are no legal advice: read the sources, and ask a lawyer of the country you call."
)
#: Their numbers have countries of their own, the federal rules hold there too.
_US_TERRITORIES: Final = frozenset({"AS", "GU", "MP", "PR", "UM", "VI"})


@dataclass(frozen=True, slots=True)
class Preset:
    """One rule, or several at once.

    version: the day on which the row was last looked at.
    country, region: ISO codes, "" where the rule has none.
    weeks: the hours of each kind of day; `policy` says in one word what holidays do to them.
    places: whose holidays count; none when the rule looks at no calendar.
    guard_min: minutes taken off the end of every interval.
    strictest: made of all rows of its country.
    verified: the accounts of the rule that were read agree on its hours. Otherwise they differ,
        there is only one at second hand, or the hours are a custom.
    """

    id: str
    version: date
    title: str
    country: str
    region: str
    scopes: tuple[str, ...]
    weeks: Weeks
    policy: Policy
    places: tuple[Place, ...]
    caps: Caps
    guard_min: int
    verified: bool
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    strictest: bool = False

    @property
    def week(self) -> Week:
        """The hours of a week without holidays."""
        return self.weeks.ordinary

    @property
    def eves(self) -> bool:
        """Whether the day before a holiday has hours of its own."""
        return self.weeks.eve != self.week

    @property
    def jurisdiction(self) -> str:
        """`US-FL`, `DE`, or `any`."""
        return "-".join(filter(None, (self.country, self.region))) or "any"


@dataclass(frozen=True, slots=True)
class NoPreset:
    """The tables have no row for this country and scope; `country` is "" when it is not known."""

    country: str
    scope: str

    def __str__(self) -> str:
        where = self.country or "an unknown country"
        return f"no preset for {self.scope} in {where}"


def named(name: str) -> Preset | None:
    """The preset of this name."""
    return presets().get(name)


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset by its name: the default first, then by name."""
    rows: dict[str, Preset] = {}
    together: dict[str, dict[str, Any]] = {}
    for name, row in _rows():
        if "intersection" in row:
            together[name] = row
        else:
            rows[name] = _read(name, row)
    for name, row in together.items():
        made = intersection([one for one in rows.values() if one.country == row["intersection"]])
        rows[name] = replace(
            made,
            id=name,
            version=row["version"],
            title=row["title"],
            scopes=tuple(row["scopes"]),
            strictest=True,
            notes=(*row["notes"], *made.notes),
        )
    return dict(sorted(rows.items(), key=lambda item: (item[0] != DEFAULT, item[0])))


def auto(country: str, region: str, scope: Scope) -> Preset | NoPreset:
    """The preset of a country and scope; of a US state, its own or else the federal one.

    Args:
        country: ISO 3166-1, any case; "" when it is not known.
        region: a US state by code or name, or ""; of no use for other countries yet. A state that
            is not known may be any of them: the rule that keeps all.
    """
    country = country.upper()
    if country in _US_TERRITORIES:
        country, region = "US", country
    elif country == "US" and region not in _US_TERRITORIES:
        region = state_named(region)
    rows = [one for one in presets().values() if one.country == country and scope in one.scopes]
    if not rows:
        return NoPreset(country, scope)
    strict = next((one for one in rows if one.strictest), None)
    if strict is not None and not region:
        return strict
    singles = {one.region: one for one in rows if not one.strictest}
    return singles.get(region, singles[""])


def auto_of_all(places: Iterable[Place], scope: Scope) -> Preset | NoPreset:
    """The preset that keeps those of all (country, region) that a number may be in.

    `NoPreset` as soon as one of them has none: hours that are right for most are no rule.
    """
    found: dict[str, Preset] = {}
    for country, region in places:
        one = auto(country, region, scope)
        if isinstance(one, NoPreset):
            return one
        found[one.id] = one
    return intersection(list(found.values())) if found else NoPreset("", scope)


def places_of(country: str, region: str, digits: str) -> tuple[Place, ...]:
    """Where a number may be, for `auto_of_all`: its country; in the US also its states.

    Args:
        country: as for `auto`: that of the number, or of the record.
        region: what the record says of a region, or "". In the US a state goes before the area
            code, since people keep their numbers when they move.
        digits: E.164 without `+`.
    """
    if country.upper() != "US":
        return ((country, region),)
    if region.strip():
        # A state that cannot be read may be any: the number's would only be a guess.
        return (("US", state_named(region)),)
    return tuple(("US", one) for one in states_of_number(digits) or ("",))


def intersection(several: Sequence[Preset]) -> Preset:
    """A preset that keeps all of these; one alone is itself.

    Hours that all have, the smaller caps, the longest guard, the holidays of each. A scope or a
    place that they do not share is left out.
    """
    first = several[0]
    if len(several) == 1:
        return first
    policies = {one.policy for one in several}
    return Preset(
        id=" + ".join(one.id for one in several),
        version=max(one.version for one in several),
        title=" + ".join(one.title for one in several),
        country=_shared(one.country for one in several),
        region=_shared(one.region for one in several),
        scopes=tuple(scope for scope in SCOPES if all(scope in one.scopes for one in several)),
        weeks=reduce(and_, (one.weeks for one in several)),
        policy="closed" if "closed" in policies else "weekend" if "weekend" in policies else "none",
        places=_all(one.places for one in several),
        caps=reduce(and_, (one.caps for one in several)),
        guard_min=max(one.guard_min for one in several),
        verified=all(one.verified for one in several),
        sources=_all(one.sources for one in several),
        notes=_all(one.notes for one in several),
    )


def _rows() -> Iterable[tuple[str, dict[str, Any]]]:
    folder = resources.files("syncd").joinpath("data", "presets")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield from tomllib.loads(file.read_text(encoding="utf-8")).items()


def _read(name: str, row: dict[str, Any]) -> Preset:
    policy, eves = row["holidays"], row.get("eves", False)
    country, region = row.get("country", ""), row.get("region", "")
    regions = row.get("holiday_regions", [region])
    return Preset(
        id=name,
        version=row["version"],
        title=row["title"],
        country=country,
        region=region,
        scopes=tuple(row["scopes"]),
        weeks=weeks_of(parse(row["hours"]), policy, eves=eves),
        policy=policy,
        places=() if policy == "none" else tuple((country, one) for one in regions),
        caps=Caps(**row.get("caps", {})),
        guard_min=row["guard_min"],
        verified=row["verified"],
        sources=tuple(row["sources"]),
        notes=tuple(row.get("notes", ())),
    )


def _shared(values: Iterable[str]) -> str:
    """The value that all have, or ""."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def _all(parts: Iterable[Iterable[_T]]) -> tuple[_T, ...]:
    """All values of all parts, each once, in order."""
    return tuple(dict.fromkeys(value for part in parts for value in part))
