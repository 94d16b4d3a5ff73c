"""How a plan is shown: a bar while it is made, counts, reasons with examples, the first jobs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from rich import progress as bar
from rich.console import Console

from syncd.cli import common, guards_view, outlook_view
from syncd.cli.pass_table import say_unread
from syncd.cli.tables import cell, console, new_table
from syncd.engine.guarding import Day
from syncd.engine.plan import Plan
from syncd.ledger.guards import Trip
from syncd.sources.base import Page

_ALWAYS = ("records", "new", "staged")
_ROWS = {
    "records": "records read",
    "filtered": "left out by the filter",
    "rejected": "rejected: no lead",
    "known": "known already",
    "changed": "changed since",
    "changed_calls": "  of these with an effect on calls, as the policy says",
    "repeated": "the same key again",
    "released": "held until now, no longer",
    "new": "new leads",
    "suppressed": "  of these on a do-not-call list",
    "held": "  of these held",
    "duplicate": "  of these with a phone that the campaign has",
    "staged": "  of these would be called",
}


@contextmanager
def shown(*, quiet: bool) -> Iterator[Callable[[Page, Plan], None]]:
    """A bar on stderr while pages come, on a terminal only."""
    bars = bar.Progress(
        bar.TextColumn("plan"),
        bar.BarColumn(bar_width=None),
        bar.TextColumn("{task.fields[records]:,} records · {task.fields[new]:,} new"),
        bar.TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quiet or not sys.stderr.isatty(),
        transient=True,
    )
    with bars:
        task = bars.add_task("plan", total=1.0, records=0, new=0)

        def on_page(page: Page, plan: Plan) -> None:
            bars.update(
                task,
                total=None if page.progress is None else 1.0,
                completed=page.progress or 0.0,
                records=plan.counts["records"],
                new=plan.counts["new"],
            )

        yield on_page


def as_data(plan: Plan) -> dict[str, Any]:
    """The documented JSON shape of a plan; each `job` is the exact JSON that would be sent."""
    return {
        "sync": plan.sync,
        "campaign": plan.campaign,
        "from_start": plan.from_start,
        "mapping_changed": plan.mapping_changed,
        "counts": {name: plan.counts[name] for name in _ROWS},
        "rejected": {
            name: {"count": reason.count, "examples": reason.examples}
            for name, reason in sorted(plan.rejected.items())
        },
        "held": dict(plan.held),
        "first_jobs": [
            {
                "key": job.key,
                "origin": job.origin,
                "line": job.line,
                "job": orjson.Fragment(job.body),
            }
            for job in plan.first_jobs
        ],
        "trip": None if plan.trip is None else _trip(plan.trip),
        "day": guards_view.day_data(plan.day),
        "beyond_day": plan.beyond_day,
        "outlook": outlook_view.data(plan.windows.outlook),
        "no_registry": plan.windows.no_registry,
        "undecreed": plan.undecreed,
        "fit": plan.fit,
        "unread": plan.unread,
        "error": None if plan.error is None else {"what": str(plan.error), "hint": plan.error.hint},
    }


def _trip(trip: Trip) -> dict[str, Any]:
    """In the words of `status`."""
    limit = trip.limit
    found = limit.of(trip.jobs)
    return {"guard": limit.guard, "unit": limit.unit, "allowed": limit.allowed, "found": found}


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print it; an error of the source is the caller's to raise."""
    if as_json:
        common.print_json(as_data(plan))
        return
    if plan.error is not None and not plan.counts["records"]:
        return
    start = "the start of the source" if plan.from_start else "where the last poll ended"
    table = new_table("what", "count", right=["count"])
    for name, meaning in _ROWS.items():
        if plan.counts[name] or name in _ALWAYS:
            table.add_row(meaning, cell(plan.counts[name]))
    out = console()
    out.print(f"plan {plan.sync} for campaign {plan.campaign}, from {start}")
    out.print(table)
    if plan.mapping_changed:
        common.say("the mapping has changed: the next poll looks at every record again")
    if not plan.from_start and not plan.counts["records"]:
        common.say("nothing new since the last poll; --all looks at the whole source")
    if plan.trip is not None:
        _say_trip(plan.trip, plan)
    if plan.beyond_day and plan.day is not None:
        _say_day(plan.day, plan)
    _say_of_hours(plan)
    say_unread(f"plan {plan.sync}", plan.unread)
    _print_reasons(plan)
    outlook_view.print_outlook(plan.windows.outlook, out)
    for job in plan.first_jobs:
        out.print(f"\n{cell(job.key)} from {cell(job.origin)} line {job.line}:", soft_wrap=True)
        out.print(job.body.decode(), soft_wrap=True)


def _say_of_hours(plan: Plan) -> None:
    outlook_view.say_no_registry(plan.windows.no_registry)
    outlook_view.say_undecreed(plan.sync, plan.undecreed)
    if plan.fit is not None:
        outlook_view.say_fit(plan.fit, plan.campaign)


def _say_trip(trip: Trip, plan: Plan) -> None:
    held = f"call jobs {trip.jobs:,}, allowed {trip.limit.jobs:,}"
    common.say(f"a poll would trip {trip.limit.guard} ({held}): all of it would be held")
    hint = f"`syncd approve {plan.sync}` lets it go then; a backfill by a person is not held"
    common.say(f"hint: if the leads are right, {hint}")


def _say_day(day: Day, plan: Plan) -> None:
    guard = day.limit.guard
    common.say(f"{guard} has room for {day.room:,} today: {plan.beyond_day:,} would be held")
    hint = f"`syncd approve {plan.sync}` lets them go then"
    if plan.default_day:
        hint += '; a backfill by a person is not held, and you can set another limit, or "off"'
    common.say(f"hint: if so many are right, {hint}")


def _print_reasons(plan: Plan) -> None:
    if not plan.rejected and not plan.held:
        return
    table = new_table("why", "count", "line", "column", "value (masked)", right=["count", "line"])
    for name, reason in sorted(plan.rejected.items(), key=lambda item: -item[1].count):
        head = (f"rejected: {name}", cell(reason.count))
        for example in reason.examples:
            table.add_row(*head, str(example.line), cell(example.column), cell(example.masked))
            head = ("", "")
    for name, count in plan.held.items():
        table.add_row(f"held: {name}", cell(count), "", "", "")
    out = console()
    out.print()
    out.print(table)
