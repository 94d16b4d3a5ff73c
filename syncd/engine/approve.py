"""A person's word about what the guards hold; works beside a running daemon.

What is let go is staged, and the next submit sends it, whatever the limit of the day: what a person
approved does not count. What is dropped ends, and nobody of it is called.
"""

from __future__ import annotations

from syncd.clock import Clock, to_ms
from syncd.ledger.approvals import Approved, Word
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.observe import events, logs

_log = logs.get("engine")

ACTOR = "cli:approve"
#: Jobs of one transaction: a daemon beside us waits no longer than that.
_AT_ONCE = 5_000


def run(sync: str, word: Word, ledger: Ledger, clock: Clock, *, limit: int | None) -> Approved:
    """Let the oldest held jobs of a sync go, or drop them: `limit` of them, or all.

    May be repeated after a kill: what went is gone, the rest is still held.
    """
    # One time for all steps: together they are one approval.
    by = By(ACTOR, to_ms(clock.now()))
    done = Approved()
    while limit is None or done.jobs < limit:
        most = _AT_ONCE if limit is None else min(_AT_ONCE, limit - done.jobs)
        step = ledger.guards.approve(sync, word, most=most, by=by)
        done = Approved(
            done.released + step.released,
            done.duplicate + step.duplicate,
            done.dropped + step.dropped,
        )
        if step.jobs < most:
            break
    _log.info(
        events.GUARD_APPROVED,
        sync=sync,
        who=word.who,
        released=done.released,
        duplicate=done.duplicate,
        dropped=done.dropped,
    )
    return done
