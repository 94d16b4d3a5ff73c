"""Backfill: poll a source from its start and submit in turns, until all is answered.

Safe to stop and to start again at any point: what was staged is in the ledger, what was sent has
its key there, and what is known is not taken twice. The live cursor is left alone.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace

from syncd.core.call_job import JobState
from syncd.engine import poll, reconcile, submit
from syncd.engine.parts import Campaign, Sync
from syncd.engine.passes import Pass, PassResult, Tools
from syncd.engine.poll import Backfill
from syncd.errors import HeldElsewhere
from syncd.sources.base import Page

#: So many full rounds of requests are staged before they are sent, or it took so long to stage.
_TURN_ROUNDS = 2
_TURN_S = 1.0
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
    to_send: int = 0  #: new leads that are neither held nor duplicates
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
    turns = _Turns(campaign, tools, progress)
    before = _unsent_before(campaign, tools)
    progress.to_send = before

    def on_page(page: Page, running: Pass) -> None:
        counts = running.counts
        progress.source = page.progress
        progress.records = counts["records"]
        progress.new = counts["new"]
        progress.to_send = before + counts["new"] - counts["held"] - counts["duplicate"]
        turns.take_if_due(counts["staged"])

    polled = poll.run_once(sync, tools, backfill=backfill, on_page=on_page)
    turns.take_all(wait=wait)
    return [polled, *_merged(turns.done)]


class _Turns:
    """The submits and reconciles of a backfill; between them it reads on.

    One thread reads, maps, stores and seals in turns: threads that take these apart wait for the
    interpreter's and the ledger's locks longer than they gain.
    """

    def __init__(self, campaign: Campaign, tools: Tools, progress: Progress) -> None:
        self._campaign = campaign
        self._tools = tools
        self._progress = progress
        self._turn_jobs = _TURN_ROUNDS * campaign.max_in_flight * campaign.batch_size
        self._staged = 0  # when the last turn was taken
        self._taken_at_s = tools.clock.monotonic_s()
        self.done: list[PassResult] = []

    def take_if_due(self, staged: int) -> None:
        """Send when enough was staged, or some time ago. An end of the campaign ends the poll."""
        now_s = self._tools.clock.monotonic_s()
        if staged - self._staged >= self._turn_jobs or now_s - self._taken_at_s >= _TURN_S:
            self._staged, self._taken_at_s = staged, now_s
            if not self._take():
                self._tools.stop.set()

    def take_all(self, *, wait: bool) -> None:
        """Send what is left; with `wait`, until nothing is left that time brings to its end."""
        while not self._tools.stop.is_set():
            if not self._take() or not wait or not _rest(self._campaign, self._tools):
                break
            self._progress.waiting = True
            self._tools.stop.wait(_REST_S)

    def _take(self) -> bool:
        """One submit, and one reconcile if there is something; whether it may go on."""
        taken = [submit.run_once(self._campaign, self._tools, on_sent=self._on_sent)]
        if reconcile.has_work(self._campaign, self._tools):
            # Another instance that is at work on the campaign does the same.
            with suppress(HeldElsewhere):
                taken.append(reconcile.run_once(self._campaign, self._tools, on_sent=self._on_sent))
        self.done += taken
        return not any(result.outcome in _ENDS for result in taken)

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
