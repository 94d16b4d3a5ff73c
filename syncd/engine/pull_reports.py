"""Pull reports: what became of the calls comes back into the ledger.

by date    everything that finished since the last walk, where the installation can tell
by ID      open jobs whose time has come; the older, the rarer
attempts   of each report that counts more of them than we have
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from syncd.core.report import AttemptReport, JobReport
from syncd.core.report_times import INTERVAL_MAX, next_report_at
from syncd.engine.asking import IDS_MAX, ask_by_ids
from syncd.engine.calls_made import lacks_dates
from syncd.engine.date_walk import walk_finished
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass, PassResult, Tools, run_pass
from syncd.errors import Unsupported
from syncd.observe import events, logs
from syncd.observe.steps import named

_log = logs.get("engine")

#: Batches looked at in one read of what is due.
BATCHES_MAX = 50
#: Of reports that name another phone, the log tells so many jobs.
JOBS_TOLD = 20
#: The vendor's clock and ours, or the age of a ledger, differ by less than this.
CLOCKS_APART = timedelta(days=400)
#: After the last call that ended, call-backs are still looked for so long.
CALL_BACK_WAIT = timedelta(days=2)


def has_work(campaign: Campaign, tools: Tools) -> bool:
    """Whether a call is open, attempts are to be asked for, or a call-back may still come."""
    ledger = tools.ledger
    if ledger.first_open_at(campaign.name) is not None:
        return True
    if ledger.attempts_due(campaign.name, limit=1):
        return True
    last = ledger.walked_to(campaign.name)
    return last is not None and tools.clock.now() - last < CALL_BACK_WAIT


def run_once(campaign: Campaign, tools: Tools) -> PassResult:
    """Bring the reports of open jobs up to date."""
    with run_pass("pull_reports", campaign.name, tools) as running:
        if campaign.reports_by_date is not False:
            _by_date(campaign, running)
        _by_ids(campaign, running)
        _attempts(campaign, running)
    return running.result()


def _by_date(campaign: Campaign, running: Pass) -> None:
    ledger = running.tools.ledger
    now = running.tools.clock.now()
    walked = ledger.walked_to(campaign.name)
    since = walked if _plausible(walked, now) else ledger.first_open_at(campaign.name)
    if since is None:
        return

    def keep(reports: Sequence[JobReport]) -> None:
        _store(reports, campaign, running)

    try:
        newest = walk_finished(campaign.client, since=since, keep=keep, stop=running.tools.stop)
    except Unsupported:
        lacks_dates(campaign)
        return
    campaign.reports_by_date = True
    if newest is not None and newest > since and not running.tools.stop.is_set():
        ledger.set_walked_to(campaign.name, newest if _plausible(newest, now) else now)


def _plausible(at: datetime | None, now: datetime) -> bool:
    """Whether a report may have ended then: one absurd time must not hide all later reports."""
    return at is not None and abs(at - now) < CLOCKS_APART


def _by_ids(campaign: Campaign, running: Pass) -> None:
    tools = running.tools
    ask = named("reports.ask_by_id", campaign.client.job_reports)
    # Where reports come by date, asking by ID is only the net below: late and lost rows.
    every = INTERVAL_MAX if campaign.reports_by_date else campaign.report_every

    def keep(reports: Sequence[JobReport]) -> None:
        _store(reports, campaign, running)

    while not tools.stop.is_set():
        due = tools.ledger.batches_due(campaign.name, now=tools.clock.now(), limit=BATCHES_MAX)
        for batch in due:
            ids = tools.ledger.open_call_job_ids(batch.id)
            asked = ask_by_ids(ask, ids, on_part=keep)
            running.counts["unknown_ids"] += len(asked.unknown)
            now = tools.clock.now()
            tools.ledger.batch_asked(
                batch.id, next_report_at=next_report_at(now, sent_at=batch.sent_at, every=every)
            )
            if tools.stop.is_set():
                break
        if len(due) < BATCHES_MAX:
            return


def _attempts(campaign: Campaign, running: Pass) -> None:
    tools = running.tools
    ask = named("attempts.ask", campaign.client.attempt_reports)
    while not tools.stop.is_set():
        due = tools.ledger.attempts_due(campaign.name, limit=IDS_MAX)
        if not due:
            return
        told: list[AttemptReport] = ask_by_ids(ask, due).found
        counts = tools.ledger.store_attempts(campaign.name, due, told, by=running.by())
        running.counts["attempts"] += counts.stored
        _tell_mismatched(counts.mismatched, campaign, running)


def _store(reports: Sequence[JobReport], campaign: Campaign, running: Pass) -> None:
    counts = running.tools.ledger.store_reports(campaign.name, reports, by=running.by())
    running.counts.update(reports=counts.stored, closed=counts.closed, foreign=counts.foreign)
    _tell_mismatched(counts.mismatched, campaign, running)


def _tell_mismatched(jobs: Sequence[int], campaign: Campaign, running: Pass) -> None:
    """IDs that stand with the wrong jobs: a person has to ask the vendor which call is whose."""
    if not jobs:
        return
    running.counts["mismatched"] += len(jobs)
    # The vendor's own IDs are not told: they are its words, and might be phones.
    _log.warning(
        events.REPORT_MISMATCHED,
        campaign=campaign.name,
        jobs=len(jobs),
        job_ids=list(jobs[:JOBS_TOLD]),
    )
