"""Purge: payloads and raw reports of calls that ended long ago leave the ledger, step by step."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime

from syncd.clock import Clock, to_ms
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By

ACTOR = "cli:purge"


def run(ledger: Ledger, clock: Clock, *, before: datetime, stop: threading.Event) -> Counter[str]:
    """How many rows were changed or removed, by table; a stop ends it between two transactions."""
    done: Counter[str] = Counter()
    after_id: int | None = 0
    while after_id is not None and not stop.is_set():
        step = ledger.privacy.purge_jobs(before=before, after_id=after_id)
        done.update(step.rows)
        after_id = step.after_id
    has_more = True
    while has_more and not stop.is_set():
        by = By(ACTOR, to_ms(clock.now()))
        step = ledger.privacy.purge_rest(before=before, by=by)
        done.update(step.rows)
        has_more = step.after_id is not None
    return done
