"""The requests of one submit pass that are under way, each in a thread that does nothing else.

The pass's own thread alone uses the ledger (engine/sending.py has the steps of one sending).
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass
from syncd.engine.sending import Asked, Sent, ask, begin, record
from syncd.engine.tally import Tally
from syncd.ledger.outbox import ClaimedBatch


class Flights:
    """Batches whose intent is committed and whose answer is not recorded yet."""

    def __init__(self, campaign: Campaign, running: Pass, senders: ThreadPoolExecutor) -> None:
        self._campaign = campaign
        self._running = running
        self._senders = senders
        self._batches: dict[Future[Asked], ClaimedBatch] = {}

    @property
    def none(self) -> bool:
        return not self._batches

    @property
    def room(self) -> int:
        """So many more requests may be under way."""
        return max(0, self._campaign.max_in_flight - len(self._batches))

    @property
    def full(self) -> bool:
        return not self.room

    def start(self, batch: ClaimedBatch) -> bool:
        """Commit the intent, then let a thread send; False: another claimer has the batch."""
        begun = begin(batch, self._campaign, self._running)
        if begun is None:
            return False
        asking = self._senders.submit(ask, batch, begun, self._campaign, self._running)
        self._batches[asking] = batch
        return True

    def record_ended(self, tally: Tally, *, wait_for_one: bool) -> None:
        """Record what has ended; raises what the ledger or a campaign's halt raises."""
        self._record(wait(self._batches, None if wait_for_one else 0, FIRST_COMPLETED).done, tally)

    def record_until(self, other: Future[object], tally: Tally) -> None:
        """Record what ends while `other` is not done."""
        while self._batches and not other.done():
            either: list[Future[Any]] = [other, *self._batches]
            wait(either, None, FIRST_COMPLETED)
            self.record_ended(tally, wait_for_one=False)

    def record_all(self, tally: Tally) -> None:
        """Wait for all that is under way, and record it."""
        self._record(wait(self._batches).done, tally)

    def _record(self, ended: set[Future[Asked]], tally: Tally) -> None:
        tally.add(partial(self._record_one, asking) for asking in ended)

    def _record_one(self, asking: Future[Asked]) -> Sent:
        batch = self._batches.pop(asking)
        return record(batch, asking.result(), self._campaign, self._running)
