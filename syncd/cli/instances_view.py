"""Who works on the ledger, as `syncd status` tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from syncd.app import App
from syncd.cli.tables import new_table, time_of
from syncd.ledger.instance import is_held


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """A process that runs passes on this ledger. Not `alive`: it ended without a word."""

    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    alive: bool


@dataclass(frozen=True, slots=True)
class LeaseStatus:
    """Which instance works on a sync or a campaign, and until when nobody else may."""

    lease: str  #: "sync:NAME" or "campaign:NAME"
    host: str | None
    pid: int | None
    epoch: int
    since: datetime
    until: datetime
    busy: bool  #: a pass is at work


def instances(app: App) -> list[InstanceStatus]:
    """The processes that run passes, or ran until lately."""
    ledger, told = app.ledger, app.settings.ledger
    life_s = told.lease.total_seconds()
    held = is_held(told.url)  # on SQLite the kernel knows
    return [
        InstanceStatus(
            host=row.host,
            pid=row.pid,
            version=row.version,
            started_at=row.started_at,
            seen_at=row.seen_at,
            alive=held if ledger.file is not None else row.silent_s < life_s,
        )
        for row in ledger.leases.instances(now=app.tools.clock.now())
    ]


def leases(app: App) -> list[LeaseStatus]:
    """Who works on which sync and campaign; on PostgreSQL only."""
    return [
        LeaseStatus(
            lease=row.name,
            host=row.host,
            pid=row.pid,
            epoch=row.epoch,
            since=row.taken_at,
            until=row.until,
            busy=row.busy,
        )
        for row in app.ledger.leases.held(now=app.tools.clock.now())
        if row.left_s > 0
    ]


def print_instances(
    found: Sequence[InstanceStatus], held: Sequence[LeaseStatus], out: Console
) -> None:
    """Print who is at work, and on what."""
    if not found:
        return
    table = new_table("instance", "PID", "since (UTC)", "heard of (UTC)", "works on")
    for one in found:
        mine = [row.lease for row in held if (row.host, row.pid) == (one.host, one.pid)]
        seen = time_of(one.seen_at) if one.alive else f"{time_of(one.seen_at)}, then no more"
        table.add_row(
            one.host, str(one.pid), time_of(one.started_at), seen, ", ".join(mine) or "any"
        )
    out.print()
    out.print(table)
