"""How commands show what the guards hold, and what a person did about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from syncd.cli import common
from syncd.errors import EXIT_TRIPPED
from syncd.ledger.approvals import Approved, TripRow


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
        rows.append(
            (trip.guard, f"{trip.found:,.10g}, allowed are {trip.allowed:,.10g} (since {since})")
        )
    return rows


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
