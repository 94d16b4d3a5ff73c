"""Requeue: open jobs that would be sent otherwise today are queued again, by a person's word.

look     windows of open jobs are worked out again; numbers are looked up again
queue    what was not sent gets its new window; what was is cancelled, and waits for that

The cost of a look goes with the windows, and with the open jobs whose own number told the zone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from syncd.clock import Clock, to_ms
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.ledger.requeueing import AT_ONCE, Again
from syncd.ledger.sql import chunks
from syncd.observe import events, logs

_log = logs.get("engine")

ACTOR = "cli:requeue"


@dataclass(slots=True)
class Affected:
    """The open jobs of a sync that would be sent otherwise today."""

    again: Again
    open_jobs: int = 0  #: that have a window
    hours: int = 0  #: their zones are the same
    jobs: list[int] = field(default_factory=list)  #: all of them, by ID


def look(again: Again, ledger: Ledger, *, since: datetime | None = None) -> Affected:
    """Find them; writes nothing.

    Args:
        since: the data of numbers changed then: what was queued later is not looked up again by
            its number. None: all of it is.
    """
    found = Affected(again)
    recheck = again.recheck
    windows = ledger.slices.requeueing.open_windows(again)
    found.open_jobs = sum(one.jobs for one in windows.values())
    differ = {
        id_ for id_, one in windows.items() if recheck.differs(one.queued, one.phone, one.until)
    }
    ask = {
        id_
        for id_, one in windows.items()
        if since is None or one.queued.made_at < since or not recheck.by_number(one.queued.basis)
    }
    if not differ | ask:
        return found
    for row in ledger.slices.requeueing.open_jobs_of(again, differ | ask):
        window = row["window_id"]
        basis = windows[window].queued.basis if window in windows else ""
        if window in differ:
            found.hours += 1
            found.jobs.append(row["id"])
        elif basis and recheck.basis(basis, row["phone"]) != basis:
            found.jobs.append(row["id"])
    return found


def run(found: Affected, who: str, ledger: Ledger, clock: Clock) -> Counter[str]:
    """Queue them again; may be repeated after a kill: what was queued again differs no more."""
    counts: Counter[str] = Counter()
    for some in chunks(sorted(found.jobs), AT_ONCE):
        by = By(ACTOR, to_ms(clock.now()))
        counts += ledger.slices.requeueing.queue_again(found.again, some, by=by)
    _log.info(
        events.JOBS_REQUEUED,
        sync=found.again.sync,
        campaign=found.again.campaign,
        who=who,
        in_place=counts["in_place"],
        to_cancel=counts["to_cancel"],
        held=counts["held"],
        too_soon=counts["too_soon"],
        unchanged=counts["unchanged"],
    )
    return counts
