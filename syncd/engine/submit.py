"""Submit: staged call jobs become batches, and each batch is sent once.

    seal   the oldest staged jobs get a body and a key that never change
    send   mark_sent ▶ send ▶ record, several batches in flight (engine/sending.py)

One thread seals; a few threads send. A stop is looked at between two batches: what is in flight
ends and is recorded.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from syncd.engine.feed import NOTHING_MORE, Feed
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass, PassResult, Tools, run_pass
from syncd.engine.readiness import check_ready
from syncd.engine.sending import Sent, send_batch
from syncd.engine.tally import OnSent, Tally


def has_work(campaign: Campaign, tools: Tools) -> bool:
    """Whether anything is staged for the campaign."""
    return tools.ledger.campaign_view(campaign.name).oldest_staged_at is not None


def run_once(
    campaign: Campaign,
    tools: Tools,
    *,
    feed: Feed = NOTHING_MORE,
    on_sent: OnSent | None = None,
) -> PassResult:
    """Seal and send until nothing is staged, a stop is asked for, or the campaign fails."""
    with run_pass("submit", campaign.name, tools) as running:
        check_ready(campaign, running)
        with ThreadPoolExecutor(campaign.max_in_flight, f"send-{campaign.name}") as senders:
            _send_all(campaign, running, senders, feed, Tally(running, on_sent))
    return running.result()


def _send_all(
    campaign: Campaign,
    running: Pass,
    senders: ThreadPoolExecutor,
    feed: Feed,
    tally: Tally,
) -> None:
    tools = running.tools
    in_flight: set[Future[Sent]] = set()
    try:
        while not tools.stop.is_set() and not tally.needs_rest:
            ending = feed.ended.is_set()
            batch = tools.ledger.seal_batch(
                campaign.name,
                phones_max=campaign.batch_size,
                now=tools.clock.now(),
                by=running.by(),
            )
            if batch is not None:
                running.counts["sealed"] += batch.size
                in_flight.add(senders.submit(send_batch, batch, campaign, running))
            elif not ending:
                feed.wait()
            elif not in_flight:
                break
            # A list that is refused stages most of its jobs again: they go in this pass too.
            full = len(in_flight) >= campaign.max_in_flight
            must_wait_for_one = full or (batch is None and ending)
            _count_ended(in_flight, tally, wait_for_one=must_wait_for_one)
    finally:
        tally.add(wait(in_flight).done)


def _count_ended(in_flight: set[Future[Sent]], tally: Tally, *, wait_for_one: bool) -> None:
    """Take out and count what has ended."""
    done = wait(in_flight, None if wait_for_one else 0, FIRST_COMPLETED).done
    in_flight -= done
    tally.add(done)
