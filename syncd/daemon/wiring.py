"""Which passes run when: a poll for each sync, and three passes for each campaign."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from syncd.app import App
from syncd.daemon.scheduled import ScheduledPass
from syncd.daemon.scheduler import Scheduler
from syncd.engine import poll, pull_reports, reconcile, submit
from syncd.engine.parts import Campaign
from syncd.engine.passes import PassResult
from syncd.errors import LedgerError

#: A poll that staged something calls submit at once; this is for jobs staged in other ways.
SUBMIT_EVERY = timedelta(seconds=5)
RECONCILE_EVERY = timedelta(seconds=15)
#: Polls at once: more would only wait for the ledger's one writer.
POLLS_MAX = 8
_PASSES_A_CAMPAIGN = 3

OnLost = Callable[[LedgerError], None]


def schedule(app: App, on_lost: OnLost) -> Scheduler:
    """A scheduler with every pass of the configuration, not started yet.

    Raises:
        ConfigError: a source's options or a mapping is wrong.
    """
    names = app.sync_names()
    campaigns = [app.campaign(name) for name in app.campaign_names(names)]
    scheduler = Scheduler(
        app.tools.clock,
        polls=min(len(names), POLLS_MAX),
        campaigns=_PASSES_A_CAMPAIGN * len(campaigns),
    )
    # What a kill left open is settled first, then what is staged goes out, then polls add to it.
    for campaign in campaigns:
        _add_campaign(app, campaign, scheduler, on_lost)
    for name in names:
        _add_poll(app, name, scheduler, on_lost)
    return scheduler


def _add_campaign(app: App, campaign: Campaign, scheduler: Scheduler, on_lost: OnLost) -> None:
    for kind, module, interval in (
        ("reconcile", reconcile, RECONCILE_EVERY),
        ("submit", submit, SUBMIT_EVERY),
        ("pull_reports", pull_reports, campaign.report_every),
    ):
        scheduled = ScheduledPass(
            kind,
            campaign.name,
            app.tools,
            run=partial(module.run_once, campaign, app.tools),
            has_work=partial(module.has_work, campaign, app.tools),
            on_lost=on_lost,
        )
        scheduler.every(scheduled.name, scheduled, interval, pool="campaigns")


def _add_poll(app: App, name: str, scheduler: Scheduler, on_lost: OnLost) -> None:
    sync = app.sync(name)

    def submit_soon(result: PassResult) -> None:
        if result.counts.get("staged") or result.counts.get("released"):
            scheduler.soon(f"submit {sync.campaign}")

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
