"""The verbs of jobs that go on by themselves: from slice to slice, and when a cap has room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from syncd.clock import to_ms
from syncd.core.guards import Limit
from syncd.core.renewal import Renewal
from syncd.ledger import next_slices, renewing, sealing
from syncd.ledger.moves import By
from syncd.ledger.outbox import ClaimedBatch
from syncd.ledger.renewing import Hours
from syncd.ledger.requeueing import Requeueing
from syncd.ledger.schema import call_jobs
from syncd.ledger.schema_windows import is_cut, is_due
from syncd.ledger.store import Store


class Slices:
    """Each verb is one transaction."""

    def __init__(self, store: Store, ledger_id: str) -> None:
        self._store = store
        self._ledger_id = ledger_id
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

    def seal_batch(
        self,
        campaign: str,
        *,
        phones_max: int,
        limit: Limit | None,
        capped: Mapping[str, Renewal],
        now: datetime,
        by: By,
    ) -> ClaimedBatch | None:
        """Tx B, where syncs have caps: staged to sealed, or to held until a cap has room."""
        return sealing.seal_batch(
            self._store,
            self._ledger_id,
            campaign,
            phones_max=phones_max,
            limit=limit,
            capped=capped,
            now=now,
            by=by,
        )
