"""How it is told when call jobs can be called, and what of zones and hours a person should know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, timedelta
from itertools import groupby
from typing import Any

from rich.console import Console

from syncd.app import App
from syncd.cli import common
from syncd.cli.job_hours_view import zone_name
from syncd.cli.tables import fact_table
from syncd.clock import to_operator
from syncd.core.hours.fit import Fit
from syncd.core.hours.outlook import Outlook, WindowsSeen

_HOUR = timedelta(hours=1)
_WORDS = {
    "now": "now",
    "within_hour": "within an hour",
    "today": "later today",
    "tomorrow": "tomorrow",
    "later": "later",
}
#: Where Russian mobiles were seen, and nothing tells where they are.
NO_REGISTRY = "the numbering registry was not brought in"
REGISTRY_HINT = (
    "`syncd numbering import` tells the zone of 99 in 100 of them (docs/how-to/zones.md)"
)


def gather(app: App, *, count: bool = True) -> dict[str, WindowsSeen]:
    """What the windows of the open call jobs tell, by campaign; one look at the ledger."""
    here = to_operator(app.tools.clock.now())
    seen = {name: WindowsSeen(here) for name in app.settings.campaigns}
    for row in app.ledger.job_hours.by_window() if count else ():
        if row.campaign in seen:
            seen[row.campaign].add(row.fields, row.basis or "{}", row.jobs, held=row.held)
    return seen


def data(outlook: Outlook) -> dict[str, Any]:
    """The JSON of an outlook; each hour with its beginning."""
    told = asdict(outlook)
    hour = told.pop("hour")
    hours = (
        {"from": (hour + at * _HOUR).astimezone(UTC), "jobs": jobs}
        for at, jobs in enumerate(told.pop("by_hour"))
    )
    return {**told, "by_hour": list(hours)}


def facts(outlook: Outlook) -> Iterator[tuple[str, object]]:
    """Names and values for a table; what is nothing is left out."""
    if not outlook.jobs:
        return
    counts = ((words, getattr(outlook, name)) for name, words in _WORDS.items())
    told = ", ".join(f"{jobs:,} {words}" for words, jobs in counts if jobs)
    yield "can be called", told or None
    if any(outlook.by_hour):
        yield "by hour", f"{_hours(outlook)} ({zone_name(outlook.hour)})"
    yield "past their end", outlook.over or None
    yield "campaign's hours", outlook.unknown or None


def print_outlook(outlook: Outlook, out: Console) -> None:
    """A table of it, where there is anything to call."""
    if outlook.jobs:
        out.print()
        out.print(fact_table(facts(outlook)))


def _hours(outlook: Outlook) -> str:
    """`08: 1,000 · 09-17: 3,020`: hours in a row with the same number together."""
    first = outlook.hour.hour
    parts, at = [], 0
    for jobs, run in groupby(outlook.by_hour):
        length = len(list(run))
        begin, end = (first + at) % 24, (first + at + length - 1) % 24
        at += length
        if jobs:
            hours = f"{begin:02d}" if length == 1 else f"{begin:02d}-{end:02d}"
            parts.append(f"{hours}: {jobs:,}")
    return " · ".join(parts)


def say_no_registry(jobs: int) -> None:
    """Say loudly that Russian numbers are called two hours a day for want of the registry."""
    if jobs:
        common.say(
            f"warning: {jobs:,} Russian numbers may be in any of eleven time zones: {NO_REGISTRY}\n"
            f"hint: {REGISTRY_HINT}"
        )


def undecreed_text(country: str, year: int) -> str:
    """What is not known of a country's holidays."""
    return (
        f"hours are worked out past {year}, the last year whose moved holidays in {country} are"
        " decreed and known"
    )


def undecreed_hint(sync: str) -> str:
    """What to do about it."""
    return (
        "when the decree is out, a newer `holidays` package has it; until then name dates in"
        f" closed and working of [syncs.{sync}.hours]"
    )


def say_undecreed(sync: str, found: Mapping[str, int]) -> None:
    """Say of which countries the coming holidays are not known for sure."""
    for country, year in found.items():
        common.say(f"warning: {undecreed_text(country, year)}")
    if found:
        common.say(f"hint: {undecreed_hint(sync)}")


def say_fit(fit: Fit, campaign: str) -> None:
    """Say that calls do not fit into the minutes that are left for them."""
    common.say(
        f"warning: {fit.jobs:,} calls that end until {fit.until:%Y-%m-%d %H:%M} UTC take"
        f" {fit.minutes_needed:,} minutes on all lines, and {fit.minutes_left:,} permitted minutes"
        " are left"
    )
    common.say(
        f"hint: more lines, or a later finishDateTime; [campaigns.{campaign}] has lines,"
        " expected_minutes and expected_attempts"
    )
