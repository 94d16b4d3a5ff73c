"""Backfill: poll a source from its start and submit at the same time, until all is answered.

Safe to stop and to start again at any point: what was staged is in the ledger, what was sent has
its key there, and what is known is not taken twice. The live cursor is left alone.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from syncd.core.call_job import JobState
from syncd.engine import poll, reconcile, submit
from syncd.engine.feed import Feed
from syncd.engine.parts import Campaign, Sync
from syncd.engine.passes import Pass, PassResult, Tools
from syncd.engine.poll import Backfill
from syncd.sources.base import Page

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
    feed = Feed()
    done: list[PassResult] = []
    before = _unsent_before(campaign, tools)
    progress.to_send = before

    def on_page(page: Page, running: Pass) -> None:
        progress.source = page.progress
        progress.records = running.counts["records"]
        counts = running.counts
        progress.new = counts["new"]
        progress.to_send = before + counts["new"] - counts["held"] - counts["duplicate"]
        feed.staged.set()

    def take_in() -> PassResult:
        try:
            return poll.run_once(sync, tools, backfill=backfill, on_page=on_page)
        finally:
            feed.end()

    with ThreadPoolExecutor(1, "poll") as reader:
        reading = reader.submit(take_in)
        try:
            done += _work(campaign, tools, feed, wait=wait, progress=progress)
        except BaseException:
            tools.stop.set()  # the reader would else read on to the end of the source
            raise
        if any(result.outcome in _ENDS for result in done):
            tools.stop.set()
        polled = reading.result()
    return [polled, *_merged(done)]


def _work(
    campaign: Campaign, tools: Tools, feed: Feed, *, wait: bool, progress: Progress
) -> list[PassResult]:
    done: list[PassResult] = []

    def on_sent(jobs: Counter[str]) -> None:
        progress.answered += jobs["answered"]

    while not tools.stop.is_set():
        ended = feed.ended.is_set()
        done.append(submit.run_once(campaign, tools, feed=feed, on_sent=on_sent))
        if reconcile.has_work(campaign, tools):
            done.append(reconcile.run_once(campaign, tools, on_sent=on_sent))
        if any(result.outcome in _ENDS for result in done):
            break
        rest = _rest(campaign, tools)
        if ended and (not rest or not wait):
            break
        progress.waiting = ended
        if rest or not feed.ended.is_set():
            tools.stop.wait(_REST_S)
    return done


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
