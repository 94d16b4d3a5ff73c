"""Which passes run when: one for each sync and do-not-call list, six for each campaign."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from syncd.app import App
from syncd.daemon.scheduled import ScheduledPass
from syncd.daemon.scheduler import Scheduler
from syncd.engine import poll, pull_reports, reconcile, renew, submit, suppress, sweep, withdraw
from syncd.engine.once import CAMPAIGN_PASSES
from syncd.engine.parts import Campaign
from syncd.engine.passes import PassResult
from syncd.errors import LedgerError

#: A poll that staged something calls submit at once; this is for jobs staged in other ways.
SUBMIT_EVERY = timedelta(seconds=5)
RECONCILE_EVERY = timedelta(seconds=15)
WITHDRAW_EVERY = timedelta(seconds=15)
RENEW_EVERY = timedelta(seconds=15)
#: Polls at once: more would only wait for the ledger's one writer.
POLLS_MAX = 8

OnLost = Callable[[LedgerError], None]


def schedule(app: App, on_lost: OnLost) -> Scheduler:
    """A scheduler with every pass of the configuration, not started yet.

    Raises:
        ConfigError: a source's options or a mapping is wrong.
    """
    names = app.sync_names()
    lists = app.suppression_names(names)
    campaigns = [app.campaign(name) for name in app.campaign_names(names)]
    scheduler = Scheduler(
        app.tools.clock,
        polls=min(len(names) + len(lists), POLLS_MAX),
        campaigns=len(CAMPAIGN_PASSES) * len(campaigns),
    )
    # What a kill left open is settled first, then what is staged goes out, then polls add to it.
    for campaign in campaigns:
        _add_campaign(app, campaign, scheduler, on_lost)
    # A sync is not polled before its lists were read once.
    for name in lists:
        _add_suppress(app, name, scheduler, on_lost)
    for name in names:
        _add_poll(app, name, scheduler, on_lost)
    return scheduler


def _add_campaign(app: App, campaign: Campaign, scheduler: Scheduler, on_lost: OnLost) -> None:
    intervals = {
        reconcile: RECONCILE_EVERY,
        sweep: campaign.sweep_every,
        withdraw: WITHDRAW_EVERY,
        renew: RENEW_EVERY,
        submit: SUBMIT_EVERY,
        pull_reports: campaign.report_every,
    }
    for module in CAMPAIGN_PASSES:
        scheduled = ScheduledPass(
            module.__name__.rpartition(".")[2],
            campaign.name,
            app.tools,
            run=partial(module.run_once, campaign, app.tools),
            has_work=partial(module.has_work, campaign, app.tools),
            on_lost=on_lost,
        )
        scheduler.every(scheduled.name, scheduled, intervals[module], pool="campaigns")


def _add_suppress(app: App, name: str, scheduler: Scheduler, on_lost: OnLost) -> None:
    suppression = app.suppression(name)
    waiting = app.ledger.withdrawals.unread_lists([name])

    def go_on(result: PassResult) -> None:
        for sync in suppression.syncs:
            told = app.settings.syncs[sync]
            if result.counts.get("to_cancel"):
                scheduler.soon(f"withdraw {told.campaign}")
            if waiting and told.every is not None:
                scheduler.soon(f"poll {sync}")
        if result.outcome == "done":
            waiting.clear()

    scheduled = ScheduledPass(
        "suppress",
        name,
        app.tools,
        run=partial(suppress.run_once, suppression, app.tools),
        on_lost=on_lost,
        rests=False,
        on_done=go_on,
    )
    every = app.settings.suppressions[name].every
    scheduler.every(scheduled.name, scheduled, every, pool="polls")


def _add_poll(app: App, name: str, scheduler: Scheduler, on_lost: OnLost) -> None:
    sync = app.sync(name)

    def submit_soon(result: PassResult) -> None:
        if result.counts.get("staged") or result.counts.get("released"):
            scheduler.soon(f"submit {sync.campaign}")
        if result.counts.get("to_cancel"):
            scheduler.soon(f"withdraw {sync.campaign}")

    scheduled = ScheduledPass(
        "poll",
        name,
        app.tools,
        run=partial(poll.run_once, sync, app.tools),
        on_lost=on_lost,
        rests=False,
        on_done=submit_soon,
    )
    told = app.settings.syncs[name]
    if told.every is not None:
        scheduler.every(scheduled.name, scheduled, told.every, pool="polls")
    else:
        assert told.cron is not None, "the configuration is checked: every or cron"
        scheduler.cron(scheduled.name, scheduled, told.cron, time_zone=told.time_zone, pool="polls")
