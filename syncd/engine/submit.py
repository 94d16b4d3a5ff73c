"""Submit: staged call jobs become batches, and each batch is sent once.

    seal     the oldest staged jobs get a body and a key that never change
    begin    the intent is committed before the first byte leaves
    ask      several requests at a time, each in a thread that does nothing else
    record   what came of it

The pass's own thread alone uses the ledger (engine/sending.py has the last three steps). A stop is
looked at between two batches: what is in flight ends and is recorded.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

from syncd.engine.guarding import seal_next
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass, PassResult, Tools, run_pass
from syncd.engine.readiness import check_ready
from syncd.engine.sending import Asked, Sent, ask, begin, overtaken, record
from syncd.engine.tally import OnSent, Tally
from syncd.ledger.outbox import ClaimedBatch


def has_work(campaign: Campaign, tools: Tools) -> bool:
    """Whether anything is staged for the campaign."""
    return tools.ledger.campaign_view(campaign.name).oldest_staged_at is not None


def run_once(campaign: Campaign, tools: Tools, *, on_sent: OnSent | None = None) -> PassResult:
    """Seal and send until nothing is staged, a stop is asked for, or the campaign fails."""
    with run_pass("submit", campaign.name, tools) as running:
        check_ready(campaign, running)
        with ThreadPoolExecutor(campaign.max_in_flight, f"send-{campaign.name}") as senders:
            _send_all(campaign, running, _Flights(campaign, running, senders), on_sent)
    return running.result()


def _send_all(campaign: Campaign, running: Pass, flights: _Flights, on_sent: OnSent | None) -> None:
    tools = running.tools
    tally = Tally(running, on_sent)
    try:
        while not tools.stop.is_set() and not tally.needs_rest:
            batch = seal_next(campaign, running)
            if batch is not None:
                running.counts["sealed"] += batch.size
                if not flights.start(batch):
                    tally.note(overtaken(batch))
            elif flights.none:
                break
            # A list that is refused stages most of its jobs again: they go in this pass too.
            full = flights.full or tally.one_at_a_time
            flights.record_ended(tally, wait_for_one=full or batch is None)
    finally:
        flights.record_all(tally)


class _Flights:
    """The requests of one pass that are under way."""

    def __init__(self, campaign: Campaign, running: Pass, senders: ThreadPoolExecutor) -> None:
        self._campaign = campaign
        self._running = running
        self._senders = senders
        self._batches: dict[Future[Asked], ClaimedBatch] = {}

    @property
    def none(self) -> bool:
        return not self._batches

    @property
    def full(self) -> bool:
        return len(self._batches) >= self._campaign.max_in_flight

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

    def record_all(self, tally: Tally) -> None:
        """Wait for all that is under way, and record it."""
        self._record(wait(self._batches).done, tally)

    def _record(self, ended: set[Future[Asked]], tally: Tally) -> None:
        tally.add(partial(self._record_one, asking) for asking in ended)

    def _record_one(self, asking: Future[Asked]) -> Sent:
        batch = self._batches.pop(asking)
        return record(batch, asking.result(), self._campaign, self._running)
