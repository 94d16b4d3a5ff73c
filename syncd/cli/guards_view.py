"""How commands show what the guards hold, and what a person did about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from syncd.cli import common
from syncd.engine.guarding import Day
from syncd.errors import EXIT_TRIPPED
from syncd.ledger.approvals import Approved, TripRow

_UNIT_WORDS = {
    "jobs": "call jobs",
    "minutes": "expected minutes",
    "money": "in the currency of price_per_minute",
}


@dataclass(frozen=True, slots=True)
class DayStatus:
    """What a campaign was sent in the last 24 hours, and its lowest limit; in `unit`."""

    guard: str
    unit: str
    allowed: float
    sent: float
    approved: float  #: by a person, so on top of what is allowed


def exit_code_with_held(code: int, held: Mapping[str, int], syncs: Sequence[str]) -> int:
    """4 while a guard holds jobs of one of these syncs, however the passes ended; says so."""
    waiting = {name: held[name] for name in syncs if name in held}
    for name, jobs in waiting.items():
        common.say(f"{name}: {jobs:,} call jobs are held by a guard; nothing of them is sent")
        common.say(f"hint: `syncd status` says why, `syncd approve {name}` lets them go")
    return max(code, EXIT_TRIPPED) if waiting else code


def facts(sync: str, held: int, trips: Sequence[TripRow]) -> list[tuple[str, object]]:
    """Rows of `syncd status` about one sync; none when nothing is held."""
    if not held:
        return []
    rows: list[tuple[str, object]] = [
        ("HELD BY A GUARD", f"{held:,} call jobs; `syncd approve {sync}` lets them go")
    ]
    for trip in trips:
        since = f"{trip.tripped_at:%Y-%m-%d %H:%M:%S}"
        found = f"{trip.found:,.10g} {_UNIT_WORDS[trip.unit]}"
        rows.append((trip.guard, f"{found}, allowed are {trip.allowed:,.10g} (since {since})"))
    return rows


def day_data(day: Day | None) -> DayStatus | None:
    """The day of a campaign as programs see it."""
    if day is None:
        return None
    limit = day.limit
    return DayStatus(
        limit.guard, limit.unit, limit.allowed, limit.of(day.sent), limit.of(day.approved)
    )


def day_text(day: DayStatus | None) -> str | None:
    """The day of a campaign as a row of `syncd status`; None: it has no limit."""
    if day is None:
        return None
    approved = f" and {day.approved:,.10g} approved" if day.approved else ""
    words = _UNIT_WORDS[day.unit]
    return f"{day.sent:,.10g} {words} of {day.allowed:,.10g}{approved} ({day.guard})"


def print_held(sync: str, held: int, trips: Sequence[TripRow], *, as_json: bool) -> None:
    """What an approval would be about; nothing is done."""
    if as_json:
        told = {"dry_run": True, "sync": sync, "held": held}
        common.print_json({**told, "trips": [asdict(trip) for trip in trips]})
        return
    from syncd.cli.tables import console, fact_table

    if not held:
        common.say(f"{sync}: no guard holds a call job")
        return
    console().print(fact_table([("sync", sync), *facts(sync, held, trips)]))


def print_approved(sync: str, done: Approved, left: int, who: str, *, as_json: bool) -> None:
    """What was done."""
    if as_json:
        told = {"dry_run": False, "sync": sync, "by": who}
        common.print_json({**told, **asdict(done), "left": left})
        return
    from syncd.cli.tables import console, fact_table

    rows: list[tuple[str, object]] = [("sync", sync), ("by", who)]
    if done.dropped:
        rows.append(("dropped", f"{done.dropped:,} call jobs: nobody of them is called"))
    else:
        rows.append(("released", f"{done.released:,} call jobs: the next submit sends them"))
    if done.duplicate:
        rows.append(("duplicate", f"{done.duplicate:,}: their phone has a call meanwhile"))
    rows.append(("still held", f"{left:,}"))
    console().print(fact_table(rows))
