"""Sweep: the campaign's calls of the last days are compared with the ledger.

look     every call that was created in the window, where calls can be listed by date
sort     core/sweep.py: whose is a call that no job names
record   a job that lacks its ID gets it, one that waits is held back, the rest is kept as unknown

Only what is found counts, so a sweep sends nothing and ends nothing that a call does not prove.
Where calls cannot be listed by date, only the phones of jobs that nobody is sure of are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from syncd.core.doubt import CLOCK_ERROR
from syncd.core.report import JobReport
from syncd.engine.calls_made import by_phone, lacks_dates, walk_created
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass, PassResult, Tools, run_pass
from syncd.errors import Unsupported
from syncd.observe import events, logs

_log = logs.get("engine")

#: Asked for one by one where calls cannot be listed by date.
PHONES_MAX = 2_000


def has_work(campaign: Campaign, tools: Tools) -> bool:
    """Whether there is something to compare, and the last sweep of any process is old enough."""
    sweeps = tools.ledger.sweeps
    swept_to = sweeps.swept_to(campaign.name)
    if swept_to is not None and tools.clock.now() - swept_to < campaign.sweep_every:
        return False
    return sweeps.has_jobs(campaign.name)


def run_once(campaign: Campaign, tools: Tools, *, window: timedelta | None = None) -> PassResult:
    """Compare the calls of the window; what was missed while nothing ran is made up for.

    Args:
        window: look back so far; by default as the campaign says.
    """
    with run_pass("sweep", campaign.name, tools) as running:
        sweeps = tools.ledger.sweeps
        # Newer calls may not be in the reports yet, and would move the pages while they are read.
        until = tools.clock.now() - CLOCK_ERROR
        length = window or campaign.sweep_window
        start = until - length
        swept_to = sweeps.swept_to(campaign.name)
        if window is None and swept_to is not None and swept_to < start:
            start = swept_to - campaign.settle  # the reports of then may have been late
        while start < until:
            end = min(start + length, until)
            _sweep(campaign, running, start, end)
            sweeps.set_swept_to(campaign.name, end, by=running.by())
            start = end
    return running.result()


def _sweep(campaign: Campaign, running: Pass, start: datetime, end: datetime) -> None:
    news: Counter[str] = Counter()
    try:
        calls = _calls(campaign, running, start, end, news)
        news += running.tools.ledger.sweeps.sort_out(
            campaign.name, calls, campaign.calls, by=running.by()
        )
    finally:
        running.counts += news
        _tell(campaign, news)


def _tell(campaign: Campaign, news: Counter[str]) -> None:
    if not news.total():
        return
    _log.warning(
        events.CALLS_NOTICED,
        campaign=campaign.name,
        adopted=news["adopted"],
        held_back=news["held_back"],
        found=news["found"],
        unknown_calls=news["unknown_calls"],
        second_calls=news["second_calls"],
    )


def _calls(
    campaign: Campaign, running: Pass, start: datetime, end: datetime, news: Counter[str]
) -> list[JobReport]:
    """The calls to phones of leads that no job names; those to others are kept on the way."""
    ours: dict[str, JobReport] = {}

    def keep(rows: Sequence[JobReport]) -> None:
        strangers, mine = running.tools.ledger.sweeps.keep_strangers(
            campaign.name, rows, by=running.by()
        )
        news["unknown_calls"] += strangers
        ours.update({call.call_job_id: call for call in mine})

    if campaign.reports_by_date is not False:
        try:
            walk_created(campaign.client, start, end, keep=keep, stop=running.tools.stop)
        except Unsupported:
            lacks_dates(campaign)
        else:
            return list(ours.values())
    phones = running.tools.ledger.sweeps.unsure_phones(campaign.name, limit=PHONES_MAX)
    found = by_phone(campaign.client, phones)
    keep([call for call in found if call.created_at is None or start <= call.created_at <= end])
    return list(ours.values())
