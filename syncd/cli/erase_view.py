"""How an erasure is shown: what would go, and the evidence of what went. Nobody is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from syncd.cli import common, compacting
from syncd.cli.tables import console, fact_table
from syncd.clock import from_ms
from syncd.engine.erase import AtVendor
from syncd.ledger.erase import Erasure
from syncd.ledger.persons import Person


def summary(who: Person) -> str:
    """`1 lead with 2 calls (1 staged, 1 closed)`."""
    states = Counter(job.state.value for job in who.jobs)
    parts = ", ".join(f"{count:,} {state}" for state, count in states.items())
    leads, calls = len(who.leads), len(who.jobs)
    told = f"{leads:,} {'lead' if leads == 1 else 'leads'}"
    return f"{told} with {calls:,} {'call' if calls == 1 else 'calls'} ({parts or 'none'})"


def print_planned(who: Person, digests: Mapping[str, str], *, as_json: bool) -> None:
    """Print what would be erased."""
    if as_json:
        common.print_json(
            {
                "dry_run": True,
                "leads": len(who.leads),
                "jobs": len(who.jobs),
                "open_calls": len(who.open_calls),
                "tombstones": _listed(digests),
            }
        )
        return
    facts = [("would erase", summary(who)), ("calls to cancel", len(who.open_calls))]
    console().print(fact_table([*facts, *_told(digests)]))
    common.say("nothing was done")


def print_done(done: Erasure, told: AtVendor, *, compacted: bool | None, as_json: bool) -> None:
    """Print the evidence; where bytes may be left in the file, say so."""
    record: dict[str, Any] = {
        "dry_run": False,
        "erased_at": from_ms(done.erased_at_ms),
        "ledger_id": done.ledger_id,
        "rows": dict(done.rows),
        "tombstones": _listed(done.tombstones),
        "vendor": asdict(told),
        "digest": done.digest,
        "compacted": compacted,
    }
    if as_json:
        common.print_json(record)
    else:
        rows = ", ".join(f"{name} {count:,}" for name, count in done.rows.items())
        facts: list[tuple[str, object]] = [
            ("erased at", f"{from_ms(done.erased_at_ms):%Y-%m-%d %H:%M:%S} UTC"),
            ("ledger", done.ledger_id),
            ("rows", rows),
            ("at the vendor", ", ".join(f"{name} {n}" for name, n in asdict(told).items())),
        ]
        console().print(fact_table([*facts, *_told(done.tombstones), ("evidence", done.digest)]))
    compacting.tell(compacted=compacted)


def _listed(digests: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"kind": kind, "digest": digest} for digest, kind in digests.items()]


def _told(digests: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("tombstone", f"{kind} {digest}") for digest, kind in digests.items()]
