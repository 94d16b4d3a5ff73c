"""A person's word that jobs which ended without a call go again; works beside a running daemon.

look     which jobs are meant, and which of them may go; nothing is written
stage    as a new generation, so under another key; held instead when a tripwire says so

The next submit sends what is staged, as far as the limits of the day have room.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from syncd.clock import Clock, to_ms
from syncd.core.guards import DAY, Limit, Tripwires
from syncd.core.retry import EndedJob
from syncd.engine.guarding import beyond, limit_of, tell_tripped
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.ledger.retries import RetryFilter
from syncd.observe import events, logs

_log = logs.get("engine")

ACTOR = "cli:retry"
#: Jobs that are shown one by one.
SHOWN_MAX = 50


@dataclass(slots=True)
class Found:
    """What of one sync is meant, and what would become of it."""

    asked: RetryFilter
    again: int = 0  #: may go
    skipped: Counter[str] = field(default_factory=Counter)  #: by why not
    first: list[EndedJob] = field(default_factory=list)  #: of those that may go
    before: int = 0  #: of the sync went again in the last 24 hours
    limit: Limit | None = None  #: the tripwire that they are beyond, with those before

    @property
    def together(self) -> int:
        """What the tripwires count: many small retries start no more than one large one."""
        return self.before + self.again

    @property
    def jobs(self) -> int:
        return self.again + self.skipped.total()


def look(
    asked: RetryFilter, tripwires: Tripwires, ledger: Ledger, clock: Clock, *, most: int | None
) -> Found:
    """What a retry would do with `most` of the oldest jobs that may go, or all."""
    found = Found(asked)
    for one in ledger.retries.look(asked, now=clock.now()):
        if one.why_not is not None:
            found.skipped[one.why_not] += 1
        elif most is None or found.again < most:
            found.again += 1
            if len(found.first) < SHOWN_MAX:
                found.first.append(one.job)
    found.before = ledger.retries.retried_since(asked.sync, clock.now() - DAY)
    if found.again and found.together > tripwires.surely_allowed and tripwires.armed:
        trip = beyond(limit_of(asked.sync, tripwires, ledger.guards), found.together)
        found.limit = None if trip is None else trip.limit
    return found


def run(found: Found, who: str, ledger: Ledger, clock: Clock) -> int:
    """Let them go, no more than were found; how many went.

    May be repeated after a kill: what went is gone from the filter.
    """
    by = By(ACTOR, to_ms(clock.now()))
    asked, limit = found.asked, found.limit
    if limit is not None and found.again:
        ledger.retries.note_trip(asked, limit, found.together, by=by)
        tell_tripped(asked.sync, asked.campaign, limit, limit.of(found.together), found.again)
    done, after_id = 0, 0
    while done < found.again:
        step = ledger.retries.again(
            asked, after_id=after_id, most=found.again - done, limit=limit, who=who, by=by
        )
        done += step.again
        if step.last_id is None:
            break
        after_id = step.last_id
    _log.info(
        events.JOBS_RETRIED,
        sync=asked.sync,
        campaign=asked.campaign,
        who=who,
        jobs=done,
        held=limit is not None,
    )
    return done
