"""How `syncd status` tells of the do-not-call lists: how many are on each, and how fresh it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncd.app import App
from syncd.config.values import format_duration

#: A list that was not read whole for so many times its `every` is stale.
STALE_AFTER = 3


@dataclass(frozen=True, slots=True)
class ListStatus:
    """One do-not-call list as the ledger has it. `read_at`: when it was last read whole."""

    listed: int
    gone: int  #: entries that left the list
    read_at: datetime | None  #: None: never, and no sync that it holds for is polled
    every: str
    stale: bool


def gather(app: App) -> Mapping[str, ListStatus]:
    """Ask the ledger about each list of the configuration."""
    now, found = app.tools.clock.now(), dict[str, ListStatus]()
    for name, told in app.settings.suppressions.items():
        counts = app.ledger.withdrawals.list_counts(name)
        stale = counts.read_at is None or now - counts.read_at > STALE_AFTER * told.every
        every = format_duration(told.every)
        found[name] = ListStatus(counts.listed, counts.gone, counts.read_at, every, stale)
    return found


def facts(name: str, told: ListStatus) -> list[tuple[str, object]]:
    """Rows of `syncd status` about one list."""
    left = f"; {told.gone:,} left it" if told.gone else ""
    read = "never" if told.read_at is None else f"{told.read_at:%Y-%m-%d %H:%M:%S}"
    return [
        ("do-not-call list", name),
        ("on it", f"{told.listed:,}{left}"),
        ("read whole", f"{read}; every {told.every}"),
        ("STALE", _stale(told) if told.stale else None),
    ]


def _stale(told: ListStatus) -> str:
    if told.read_at is None:
        return "its syncs are not polled before it was read once; see `syncd check`"
    return "what came onto it since is still called; is `syncd run` at work? see `syncd check`"
