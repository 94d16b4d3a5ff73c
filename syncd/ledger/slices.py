"""The verbs of jobs that go on by themselves: from slice to slice, and when a cap has room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from syncd.clock import to_ms
from syncd.ledger import next_slices, renewing
from syncd.ledger.moves import By
from syncd.ledger.renewing import Hours
from syncd.ledger.requeueing import Requeueing
from syncd.ledger.schema import call_jobs
from syncd.ledger.schema_windows import is_cut, is_due
from syncd.ledger.store import Store


class Slices:
    """Each verb is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.requeueing = Requeueing(store)  #: what would be sent otherwise today

    def has_work(self, campaign: str, syncs: Sequence[str], *, now: datetime) -> bool:
        """Whether a job of these syncs ended in its slice, or a held one is due."""
        mine = (call_jobs.c.campaign == campaign) & call_jobs.c.sync.in_(syncs)
        cut = select(call_jobs.c.id).where(mine, is_cut).limit(1)
        due = select(call_jobs.c.id).where(mine, is_due, call_jobs.c.due_at <= to_ms(now)).limit(1)
        with self._store.read() as connection:
            return any(connection.execute(query).first() is not None for query in (cut, due))

    def push_next(self, campaign: str, hours: Hours, *, now: datetime, by: By) -> Counter[str]:
        """Ended in a slice: "" to staged (held, duplicate or cancelled), with what is left."""
        return next_slices.push_next(self._store, campaign, hours, now=now, by=by)

    def renew(self, campaign: str, hours: Hours, *, now: datetime, by: By) -> Counter[str]:
        """Held, and due: to staged with its next window, or held on (duplicate, cancelled)."""
        return renewing.renew(self._store, campaign, hours, now=now, by=by)
