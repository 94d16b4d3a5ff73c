"""Submit: staged call jobs become batches, and each batch is sent once.

    seal     the oldest staged jobs get a body and a key that never change
    begin    the intent is committed before the first byte leaves
    ask      several requests at a time, each in a thread that does nothing else
    record   what came of it

The pass's own thread alone uses the ledger (engine/flights.py keeps what is under way,
engine/sending.py has the last three steps). A stop is
looked at between two batches: what is in flight ends and is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from syncd.core.guards import day_limit
from syncd.engine.flights import Flights
from syncd.engine.guarding import seal_next
from syncd.engine.parts import Campaign
from syncd.engine.passes import PassResult, Tools, run_pass
from syncd.engine.readiness import check_ready
from syncd.engine.sending import overtaken
from syncd.engine.tally import OnSent, Tally
from syncd.ledger.intake_page import SealOrder
from syncd.ledger.outbox import ClaimedBatch


def has_work(campaign: Campaign, tools: Tools) -> bool:
    """Whether anything is staged for the campaign."""
    return tools.ledger.campaign_view(campaign.name).oldest_staged_at is not None


def run_once(campaign: Campaign, tools: Tools, *, on_sent: OnSent | None = None) -> PassResult:
    """Seal and send until nothing is staged, a stop is asked for, or the campaign fails."""
    submitting = Submitting(campaign, tools, on_sent=on_sent)
    submitting.send_all()
    return submitting.result()


class Submitting:
    """A submit pass that goes on step by step, beside other work of its thread.

    A step that fails, or finds that the campaign has to be left alone, ends the pass.
    """

    def __init__(self, campaign: Campaign, tools: Tools, *, on_sent: OnSent | None = None) -> None:
        """Begin the pass; it may have ended at once, when the campaign takes nothing now."""
        self._campaign = campaign
        self._tools = tools
        self._open = ExitStack()  # what ends with the pass, and last the pass itself
        self._running = self._open.enter_context(run_pass("submit", campaign.name, tools))
        self._step(lambda: self._take_off(on_sent))

    def _take_off(self, on_sent: OnSent | None) -> bool:
        check_ready(self._campaign, self._running)
        name = f"send-{self._campaign.name}"
        senders = ThreadPoolExecutor(self._campaign.max_in_flight, name)
        self._open.enter_context(senders)
        self._flights = Flights(self._campaign, self._running, senders)
        self._tally = Tally(self._running, on_sent)
        self._open.callback(lambda: self._flights.record_all(self._tally))
        return True

    @property
    def ended(self) -> bool:
        """Whether the pass is over, and `result` is its last word."""
        return self._ended

    def result(self) -> PassResult:
        """The pass as it stands."""
        return self._running.result()

    def send_all(self) -> None:
        """Send until nothing is staged, and end the pass."""
        if not self._ended:
            self._step(self._send_all)

    def order(self) -> SealOrder | None:
        """The batches that could be sent at once, for a page that is stored next; None: none."""
        if not self._ended:
            self._step(self._record_ended)
        if self._ended or not self._may_go_on or self._full or self._tally.one_at_a_time:
            return None
        if self._campaign.capped:
            return None  # who was called before is asked for as staged jobs are sealed
        limit = day_limit(self._campaign.day)
        return SealOrder(self._campaign.batch_size, self._flights.room, limit)

    def send(self, sealed: Sequence[ClaimedBatch]) -> None:
        """Send the batches that came of the order; nothing was begun since."""

        def step() -> bool:
            for batch in sealed:
                self._start(batch)
            return self._may_go_on

        if sealed:
            self._step(step)

    def send_ready(self, staged: int, *, whole_batches: bool) -> int:
        """Send of `staged` jobs what may be in flight now, and wait for nothing.

        Args:
            whole_batches: leave what is less than a batch: more is to come.

        Returns:
            How many of them are staged no more, or cannot be sent now.
        """
        begun = 0

        def step() -> bool:
            nonlocal begun
            begun = self._send_ready(staged, self._campaign.batch_size if whole_batches else 1)
            return self._may_go_on

        if not self._ended:
            self._step(step)
        return begun

    def record_until(self, other: Future[object]) -> None:
        """Record the answers that come while `other` is not done."""

        def step() -> bool:
            self._flights.record_until(other, self._tally)
            return self._may_go_on

        if not self._ended:
            self._step(step)

    def end(self) -> None:
        """Wait for what is in flight, record it, and end the pass."""
        if not self._ended:
            self._step(lambda: False)

    def _step(self, take: Callable[[], bool]) -> None:
        """One step of the open pass: when it raises, or says that it was the last, the pass ends.

        What of ours is raised becomes the outcome of the pass.
        """
        self._ended = True
        with self._open as ending:
            if take():
                self._open = ending.pop_all()
                self._ended = False

    @property
    def _may_go_on(self) -> bool:
        return not (self._tools.stop.is_set() or self._tally.needs_rest)

    @property
    def _full(self) -> bool:
        """A batch that is a try goes alone: it has its answer before another goes."""
        return self._flights.full or (self._tally.one_at_a_time and not self._flights.none)

    def _record_ended(self) -> bool:
        self._flights.record_ended(self._tally, wait_for_one=False)
        return self._may_go_on

    def _send_all(self) -> bool:
        while self._may_go_on:
            batch = self._start_next()
            if batch is None and self._flights.none:
                break
            # A batch that is refused stages most of its jobs again: they go in this pass too.
            self._flights.record_ended(self._tally, wait_for_one=self._full or batch is None)
        return False

    def _send_ready(self, staged: int, least: int) -> int:
        begun = 0
        self._flights.record_ended(self._tally, wait_for_one=False)
        while staged - begun >= least and self._may_go_on and not self._full:
            batch = self._start_next()
            if batch is None:
                return staged  # they are held, or others have sealed them
            begun += batch.size
            self._flights.record_ended(self._tally, wait_for_one=False)
        return begun

    def _start_next(self) -> ClaimedBatch | None:
        """Seal the next batch and start its request; None: nothing is staged."""
        batch = seal_next(self._campaign, self._running)
        if batch is not None:
            self._start(batch)
        return batch

    def _start(self, batch: ClaimedBatch) -> None:
        self._running.counts["sealed"] += batch.size
        if not self._flights.start(batch):
            self._tally.note(overtaken(batch))
