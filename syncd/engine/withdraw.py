"""Withdraw: calls that must not be made any more are cancelled at the vendor, with proof.

    settle   what was never sent has ended here; what ended by itself needs no asking
    ask      accepted jobs are cancelled by ID; when it was asked is committed before the request
    record   what the vendor answered, and what the reports then say of the calls

Each pass asks in a bounded number of requests; what gets no answer is asked again, the older the
rarer. A call whose new content waits goes on only when the reports say that nobody was called.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from syncd.core.withdrawal import CANCELLED, NOT_CANCELLED, UNKNOWN_ID
from syncd.engine.asking import IDS_MAX, in_parts
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass, PassResult, Tools, run_pass
from syncd.errors import NotFound
from syncd.ledger.withdrawals import CancelDue
from syncd.observe.steps import named

#: One ID that the campaign does not know fails a whole request: halving has its price.
REQUESTS_MAX = 40
#: Between two requests for one job: a share of how long it has been wanted, in these limits.
AGAIN_MIN, AGAIN_MAX = timedelta(seconds=15), timedelta(hours=1)
_AGAIN_SHARE = 0.25
#: An ID that is not known may only be late; after so long it will not come.
UNKNOWN_PATIENCE = timedelta(minutes=30)


def has_work(campaign: Campaign, tools: Tools) -> bool:
    """Whether a call is to be cancelled, or the end of one to be noted."""
    now = tools.clock.now()
    return tools.ledger.withdrawals.has_work(campaign.name, now=now)


def run_once(campaign: Campaign, tools: Tools) -> PassResult:
    """Cancel what is due, in a bounded number of requests."""
    with run_pass("withdraw", campaign.name, tools) as running:
        _settle(campaign, running)
        _Asking(campaign, running).run()
        _settle(campaign, running)
    return running.result()


def _settle(campaign: Campaign, running: Pass) -> None:
    verbs = running.tools.ledger.withdrawals
    running.counts.update(verbs.settle(campaign.name, campaign.calls, by=running.by()))


class _Asking:
    """The requests of one pass."""

    def __init__(self, campaign: Campaign, running: Pass) -> None:
        self._campaign = campaign
        self._running = running
        self._verbs = running.tools.ledger.withdrawals
        self._requests = REQUESTS_MAX

    def run(self) -> None:
        tools = self._running.tools
        limit = IDS_MAX * REQUESTS_MAX
        due = self._verbs.due(self._campaign.name, now=tools.clock.now(), limit=limit)
        in_parts(due, self._ask, self._unknown, goes_on=self._goes_on)

    def _goes_on(self) -> bool:
        return self._requests > 0 and not self._running.tools.stop.is_set()

    def _ask(self, part: Sequence[CancelDue]) -> None:
        now = self._running.tools.clock.now()
        by = self._running.by()
        next_at = _next_at(now, min(job.wanted_at for job in part))
        self._verbs.mark_asked([job.job_id for job in part], next_at=next_at, by=by)
        self._requests -= 1
        cancel = named("withdrawal.cancel", self._campaign.client.cancel)
        told = set(cancel(ids=[job.call_job_id for job in part]))
        answers = {
            job.job_id: CANCELLED if job.call_job_id in told else NOT_CANCELLED for job in part
        }
        self._verbs.record_cancels(answers, by=self._running.by())
        for answer in answers.values():
            self._running.counts[answer] += 1
        self._pull([job.call_job_id for job in part])

    def _pull(self, ids: Sequence[str]) -> None:
        """The reports end the jobs that the vendor cancelled, and say whether a call was made."""
        self._requests -= 1
        try:
            reports = named("withdrawal.ask", self._campaign.client.job_reports)(ids=ids)
        except NotFound:
            return
        ledger = self._running.tools.ledger
        counts = ledger.store_reports(self._campaign.name, reports, by=self._running.by())
        self._running.counts.update(reports=counts.stored, closed=counts.closed)

    def _unknown(self, job: CancelDue) -> None:
        now = self._running.tools.clock.now()
        if now - job.wanted_at >= UNKNOWN_PATIENCE:
            self._verbs.record_cancels({job.job_id: UNKNOWN_ID}, by=self._running.by())
            self._running.counts[UNKNOWN_ID] += 1


def _next_at(now: datetime, wanted_at: datetime) -> datetime:
    return now + min(AGAIN_MAX, max(AGAIN_MIN, (now - wanted_at) * _AGAIN_SHARE))
