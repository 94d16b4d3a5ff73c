"""Reconcile: batches without an answer, and answers that are shorter than their request.

Inside the key's life a doubtful batch is sent again byte for byte with its key: the vendor gives
the first answer and makes no new call. Past it, nothing is sent any more: the batch is looked up in
the campaign's reports (engine/look_up.py). So is, while the campaign is held or has ended, what
could be sent again: what is wholly there needs no sending.
"""

from __future__ import annotations

from dataclasses import replace

from syncd.core.doubt import OpenBatch, Step, decide
from syncd.core.report import phone_of
from syncd.engine.asking import ask_by_ids
from syncd.engine.find_calls import find_calls
from syncd.engine.look_up import look_up
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass, PassResult, Tools, run_pass
from syncd.engine.readiness import check_ready
from syncd.engine.sending import send_batch
from syncd.engine.tally import OnSent, Tally
from syncd.errors import Halted, Transient
from syncd.ledger.outbox import ClaimedBatch
from syncd.observe import events, logs
from syncd.observe.steps import named

_log = logs.get("engine")

#: Why a batch ends whose every sending failed before its first byte.
NEVER_LEFT = "never_left"


def has_work(campaign: Campaign, tools: Tools) -> bool:
    """Whether anything of the campaign waits for an answer or for its IDs to be matched."""
    view = tools.ledger.campaign_view(campaign.name)
    if view.in_doubt or view.unsent or view.unmatched:
        return True
    return tools.ledger.found_calls.next_to_find(campaign.name) is not None


def run_once(
    campaign: Campaign,
    tools: Tools,
    *,
    on_sent: OnSent | None = None,
) -> PassResult:
    """Match short answers, then look at each open batch that is due, once.

    The result counts as `waiting` the call jobs in doubt that were not due.
    """
    with run_pass("reconcile", campaign.name, tools) as running:
        trouble = _match_short_answers(campaign, running)
        halted = _halted(campaign, running)
        _settle(campaign, running, Tally(running, on_sent), sends=halted is None)
        find_calls(campaign, running)
        if halted is not None:
            raise halted
        if trouble is not None:
            raise trouble
    result = running.result()
    waiting = tools.ledger.campaign_view(campaign.name).open_jobs - running.counts["in_doubt"]
    return replace(result, counts={**result.counts, "waiting": waiting}) if waiting else result


def _match_short_answers(campaign: Campaign, running: Pass) -> Transient | None:
    """Law 4: whose ID is it? The report of the ID names the phone.

    Returns what kept reports from us: it must not keep doubtful batches from being sent again.
    """
    ledger = running.tools.ledger
    ask = named("batch.ask_whose", campaign.client.job_reports)
    for unmatched in ledger.unmatched_batches(campaign.name):
        ids = set(unmatched.ids)
        try:
            reports = ask_by_ids(ask, sorted(ids)).found
        except Transient as error:
            running.counts["unmatched"] += len(ids)
            return error
        told = {
            report.call_job_id: phone
            for report in reports
            if (phone := phone_of(report)) is not None
        }
        phones = {phone: id_ for id_, phone in told.items()}
        every_id = ids <= told.keys()
        if not every_id and not unmatched.phones <= phones.keys():
            settled_at = unmatched.answered_at + campaign.settle
            if running.tools.clock.now() < settled_at:
                # A report may lag behind: asked again in the next pass. Matching some would make
                # duplicates of jobs that the vendor took.
                running.counts["unmatched"] += len(ids)
                continue
        ended = ledger.match_answer(
            campaign.name, unmatched.batch_id, phones, every_id=every_id, by=running.by()
        )
        running.counts.update(matched=ended.accepted, duplicate=ended.duplicate)
        if ended.parked:
            running.counts["parked"] += ended.parked
    return None


def _halted(campaign: Campaign, running: Pass) -> Halted | None:
    """Why nothing may be sent, where doubts can be looked up all the same; raises other reasons."""
    try:
        check_ready(campaign, running)
    except Halted as error:
        if not error.answers:
            raise
        return error
    return None


def _settle(campaign: Campaign, running: Pass, tally: Tally, *, sends: bool) -> None:
    tools = running.tools
    after_id = 0
    while not tools.stop.is_set() and not tally.needs_rest:
        batch = tools.ledger.claim_open_batch(
            campaign.name,
            after_id=after_id,
            now=tools.clock.now(),
            holder=tools.holding.holder,
        )
        if batch is None:
            return
        after_id = batch.id
        step = _decide(batch, campaign, running)
        if step is Step.SEND and sends:
            _send(batch, campaign, running, tally)
        elif step is Step.SEND and batch.doubtful:
            look_up(batch, campaign, running, may_go_again=True)
        elif step is Step.SEND:
            tools.ledger.let_go(batch, next_at=None)
        elif step is Step.WAIT:
            assert batch.last_sent_at is not None
            running.counts["in_doubt"] += batch.size
            tools.ledger.let_go(batch, next_at=batch.last_sent_at + campaign.quiet)
        elif batch.doubtful:
            look_up(batch, campaign, running)
        else:
            _stage_again(batch, running)


def _send(batch: ClaimedBatch, campaign: Campaign, running: Pass, tally: Tally) -> None:
    again = batch.sends > 0
    if again:
        _log.info(events.BATCH_RESENT, campaign=campaign.name, batch_id=batch.id, jobs=batch.size)
    running.counts["resent" if again else "sent"] += batch.size
    tally.note(send_batch(batch, campaign, running))


def _stage_again(batch: ClaimedBatch, running: Pass) -> None:
    """No sending of it ever left us, so its jobs are free to go under another key."""
    if running.tools.ledger.record_refusal(batch, why=NEVER_LEFT, by=running.by()):
        running.counts["restaged"] += batch.size


def _decide(batch: ClaimedBatch, campaign: Campaign, running: Pass) -> Step:
    return decide(
        OpenBatch(
            first_sent_at=batch.first_sent_at,
            last_sent_at=batch.last_sent_at,
            ambiguous=batch.doubtful,
            clock_doubted=batch.clock_doubted,
            refused_in_doubt=batch.refused_in_doubt,
            closes_at=batch.closes_at,
            withdrawn=batch.withdrawn,
            same_endpoint=batch.endpoint in (None, campaign.endpoint),
        ),
        now=running.tools.clock.now(),
        quiet=campaign.quiet,
        resend_window=campaign.resend_window,
    )
