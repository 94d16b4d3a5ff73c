"""Backfill: poll a source from its start and submit beside it, until all is answered.

Safe to stop and to start again at any point: what was staged is in the ledger, what was sent has
its key there, and what is known is not taken twice. The live cursor is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from syncd.core.call_job import JobState
from syncd.core.guards import day_limit
from syncd.engine import poll, reconcile
from syncd.engine.parts import Campaign, Sync
from syncd.engine.passes import Pass, PassResult, Tools
from syncd.engine.poll import Backfill
from syncd.engine.submit import Submitting
from syncd.errors import HeldElsewhere
from syncd.ledger.intake_page import SealOrder
from syncd.ledger.outbox import ClaimedBatch
from syncd.sources.base import Page

#: After so long what is staged goes, even if it is less than a whole batch.
_PATIENCE_S = 1.0
#: Between two looks at batches that wait for their back-off or quiet time.
_REST_S = 1.0
_ENDS = ("halted", "config", "stopped")
#: Counts of what has no end yet.
_OPEN = ("in_doubt", "not_sent", "unmatched", "waiting")


@dataclass(slots=True)
class Progress:
    """How far a backfill is; read by the one who shows it, from another thread."""

    source: float | None = 0.0  #: share of the source that was read, or None when unknown
    records: int = 0
    new: int = 0
    to_send: int = 0  #: jobs that were staged, and those that an earlier run left
    answered: int = 0
    waiting: bool = False  #: the source is read; some batches wait to be sent again


def run(
    sync: Sync,
    campaign: Campaign,
    tools: Tools,
    *,
    backfill: Backfill,
    wait: bool,
    progress: Progress,
) -> list[PassResult]:
    """Move the whole source into the campaign; one merged result for each kind of pass.

    Args:
        wait: stay until no batch is without an answer; else leave doubts to the daemon.
    """
    campaign, backfill = _as_decided(campaign, backfill)
    before = _unsent_before(campaign, tools)
    progress.to_send = before
    with _Sending(campaign, tools, progress, before) as sending:
        polled = poll.run_once(sync, tools, backfill=backfill, beside=sending)
        sending.send_all(wait=wait)
    return [polled, *_merged(sending.done)]


def _as_decided(campaign: Campaign, backfill: Backfill) -> tuple[Campaign, Backfill]:
    """A person's backfill goes beyond limits that nobody has set, and counts as approved.

    Beside a limit that was set it is no approval: that would make room under this limit too.
    """
    if backfill.decided is None:
        return campaign, backfill
    day = campaign.day.that_were_set()
    limited = day_limit(day) is not None
    decided = None if limited else backfill.decided
    return replace(campaign, day=day), replace(backfill, decided=decided)


class _Sending:
    """The submits and reconciles of a backfill, beside the reading.

    One thread stores, seals and records in turns: threads that take these apart wait for the
    interpreter's and the ledger's locks longer than they gain. Requests are in flight meanwhile.
    """

    def __init__(
        self, campaign: Campaign, tools: Tools, progress: Progress, unsent_before: int
    ) -> None:
        self._campaign = campaign
        self._tools = tools
        self._progress = progress
        self._submit: Submitting | None = None
        self._unsent_before = unsent_before
        self._left = unsent_before  # jobs that were staged and are not begun
        self._begun = 0  # of the jobs that were staged, so many are sealed, or cannot go now
        self._sent_at_s = tools.clock.monotonic_s()
        self.done: list[PassResult] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._submit is not None:
            self._submit.end()

    def order(self) -> SealOrder | None:
        """What is staged goes first, so nothing new is sealed before it."""
        if self._left >= self._campaign.batch_size:
            self._take(self._opened().send_ready(self._left, whole_batches=True))
        if self._left >= self._campaign.batch_size:
            return None
        return self._opened().order()

    def on_page(self, page: Page, running: Pass, sealed: Sequence[ClaimedBatch]) -> None:
        """Tell how far it is, and send what there is; an end of the campaign ends the poll."""
        counts, progress = running.counts, self._progress
        progress.source = page.progress
        progress.records = counts["records"]
        progress.new = counts["new"]
        before = self._unsent_before
        progress.to_send = before + counts["staged"]
        self._left = before + counts["staged"] - self._begun
        self._send(sealed)
        if not self._goes_on():
            self._tools.stop.set()

    def on_wait(self, upcoming: Future[object]) -> None:
        """Record the answers that come meanwhile."""
        if self._submit is not None:
            self._submit.record_until(upcoming)
            if not self._goes_on():
                self._tools.stop.set()

    def _send(self, sealed: Sequence[ClaimedBatch]) -> None:
        now_s = self._tools.clock.monotonic_s()
        if self._submit is not None:
            self._submit.send(sealed)
        self._take(sum(batch.size for batch in sealed))
        patient = now_s - self._sent_at_s < _PATIENCE_S
        if patient and self._left < self._campaign.batch_size:
            return
        self._sent_at_s = now_s
        self._take(self._opened().send_ready(self._left, whole_batches=patient))

    def _take(self, begun: int) -> None:
        self._begun += begun
        self._left -= begun

    def _opened(self) -> Submitting:
        if self._submit is None:
            self._submit = Submitting(self._campaign, self._tools, on_sent=self._on_sent)
        return self._submit

    def send_all(self, *, wait: bool) -> None:
        """Send what is left; with `wait`, until nothing is left that time brings to its end."""
        while not self._tools.stop.is_set():
            self._opened().send_all()
            if not self._goes_on() or not wait or not _rest(self._campaign, self._tools):
                break
            self._progress.waiting = True
            self._tools.stop.wait(_REST_S)

    def _goes_on(self) -> bool:
        """Whether anything more may be sent; after a submit that has ended, reconcile."""
        if self._submit is None or not self._submit.ended:
            return True
        ended = [self._submit.result()]
        self._submit = None
        if reconcile.has_work(self._campaign, self._tools):
            # Another instance that is at work on the campaign does the same.
            with suppress(HeldElsewhere):
                ended.append(reconcile.run_once(self._campaign, self._tools, on_sent=self._on_sent))
        self.done += ended
        return not any(result.outcome in _ENDS for result in ended)

    def _on_sent(self, jobs: Counter[str]) -> None:
        self._progress.answered += jobs["answered"]


def _unsent_before(campaign: Campaign, tools: Tools) -> int:
    """Jobs that an earlier run left: they are sent too."""
    return sum(
        states.get(JobState.STAGED, 0) + states.get(JobState.SEALED, 0)
        for (_sync, name), states in tools.ledger.counts().jobs.items()
        if name == campaign.name
    )


def _rest(campaign: Campaign, tools: Tools) -> bool:
    """Whether something is left that time alone brings to its end."""
    view = tools.ledger.campaign_view(
        campaign.name,
        sent_before=tools.clock.now() - campaign.resend_window,
        endpoint=campaign.endpoint,
    )
    return view.oldest_staged_at is not None or view.in_doubt + view.unsent > view.past_key


def _merged(results: list[PassResult]) -> list[PassResult]:
    """Passes of one kind as one: counts added, except what is still in doubt: the last says."""
    merged: dict[str, PassResult] = {}
    for result in results:
        # What was open before this pass is open no more, or it says so itself.
        merged = {kind: _without_open(before) for kind, before in merged.items()}
        before = merged.get(result.kind)
        counts = Counter(before.counts if before else {})
        counts.update(result.counts)
        merged[result.kind] = replace(result, counts=dict(counts))
    return list(merged.values())


def _without_open(result: PassResult) -> PassResult:
    settled = {name: n for name, n in result.counts.items() if name not in _OPEN}
    return replace(result, counts=settled)
