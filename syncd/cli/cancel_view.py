"""How a cancel is shown: what would be cancelled, and what was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from syncd.cli import common
from syncd.cli.tables import cell, console, new_table
from syncd.core.call_job import JobState
from syncd.engine.cancel import Cancelled
from syncd.ledger.cancel import Cancellable

#: Leads that are listed one by one; of more, the counts say enough.
_LISTED_MAX = 50
_WHERE = {
    JobState.HELD: "ends here",
    JobState.STAGED: "ends here",
    JobState.SEALED: "is being sent: try again",
    JobState.ACCEPTED: "is cancelled at the vendor",
}
_ROWS = {
    "unsent": "not sent yet: ended here",
    "at_vendor": "cancelled at the vendor",
    "too_late": "too late: the vendor did not cancel it",
    "being_sent": "being sent now: try again in a minute",
    "mismatched": "not cancelled: its ID is another phone's; ask the vendor for the right call",
}


def summary(jobs: Sequence[Cancellable]) -> str:
    """`3 calls (1 staged, 2 accepted)`."""
    states = Counter(job.state.value for job in jobs)
    parts = ", ".join(f"{count:,} {state}" for state, count in states.items())
    return f"{len(jobs):,} {'call' if len(jobs) == 1 else 'calls'} ({parts})"


def print_cancellable(jobs: Sequence[Cancellable], *, dry_run: bool, as_json: bool) -> None:
    """Print what would be cancelled."""
    if as_json:
        common.print_json({"dry_run": dry_run, "jobs": [asdict(job) for job in jobs]})
        return
    if not jobs:
        common.say("there is no call to cancel: no such lead, or it has ended")
        return
    table = new_table("sync", "key", "state", "what would happen")
    for job in jobs[:_LISTED_MAX]:
        what = "nothing: its ID is another phone's" if job.mismatched else _WHERE[job.state]
        table.add_row(job.sync, cell(job.key), job.state.value, what)
    console().print(table)
    common.say(f"{summary(jobs)}; nothing was done")


def print_done(done: Cancelled, *, as_json: bool) -> None:
    """Print what was cancelled; an error is the caller's to raise."""
    counts: dict[str, int] = {name: getattr(done, name) for name in _ROWS}
    if as_json:
        error = None
        if done.error is not None:
            error = {"what": str(done.error), "hint": done.error.hint}
        common.print_json({"dry_run": False, **counts, "error": error})
        return
    table = new_table("what", "calls", right=["calls"])
    for name, meaning in _ROWS.items():
        if counts[name]:
            table.add_row(meaning, cell(counts[name]))
    console().print(table)
