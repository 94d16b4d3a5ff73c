"""The material of `syncd status`, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from syncd.app import App
from syncd.cli import (
    common,
    guards_view,
    instances_view,
    lists_view,
    outdated_view,
    outlook_view,
    versions,
)
from syncd.cli.guards_view import DayStatus
from syncd.cli.instances_view import InstanceStatus, LeaseStatus
from syncd.cli.lists_view import ListStatus
from syncd.cli.tables import console, fact_table, new_table, time_of
from syncd.config.guard_settings import day_limits_of
from syncd.config.values import format_duration
from syncd.core.call_job import JobState
from syncd.core.hours.outlook import Outlook, WindowsSeen
from syncd.engine.guarding import day_of
from syncd.ledger.approvals import TripRow
from syncd.ledger.passes import PassRow
from syncd.ledger.store import shown_url


@dataclass(frozen=True, slots=True)
class PassStatus:
    """The newest pass of a kind. `outcome` None: it runs, or it was killed."""

    kind: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """One sync: its call jobs by state, its unsettled rejections by reason, its last poll."""

    campaign: str | None  #: None: the configuration does not name the sync any more
    schedule: str | None
    jobs: Mapping[str, int]
    rejections: Mapping[str, int]
    held_by_guards: int  #: call jobs that wait for a person's approval
    trips: list[TripRow]  #: why they wait
    last_poll: PassStatus | None
    outdated: int  #: open call jobs that would be sent otherwise today: `syncd requeue`


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """One campaign: whether it takes calls, and what is open. Batches, not call jobs."""

    halted: str | None
    halted_at: datetime | None
    held: bool  #: halted until a person releases it
    next_send_at: datetime | None
    failures: int  #: sendings in a row without an answer
    open_until: datetime | None  #: the breaker: nothing is sent before then
    in_doubt: int
    unsent: int
    unmatched: int
    mismatched: int  #: call jobs, not batches: their reports name another phone
    unknown_calls: int  #: calls of the campaign that no lead has
    swept_to: datetime | None  #: its calls until then were compared with the ledger
    oldest_staged_at: datetime | None
    day: DayStatus | None  #: None: no limit of a day is on
    outlook: Outlook  #: when its call jobs can be called
    last_passes: list[PassStatus]


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `syncd status` tells. Leases exist on PostgreSQL only."""

    ledger: str
    recover: str | None  #: why nothing is sent before `syncd recover`
    versions: Mapping[str, str]
    no_registry: int  #: call jobs of Russian numbers that wait for the numbering registry
    syncs: Mapping[str, SyncStatus]
    campaigns: Mapping[str, CampaignStatus]
    suppressions: Mapping[str, ListStatus]
    instances: list[InstanceStatus]
    leases: list[LeaseStatus]


def gather(app: App, *, outlook: bool = True) -> Status:
    """Ask the ledger; without `outlook` it counts no call jobs by their hours."""
    passes = app.ledger.last_passes()
    seen = outlook_view.gather(app, count=outlook)
    registry, numbering = versions.registry_of(app.settings)
    return Status(
        ledger=shown_url(app.settings.ledger.url),
        recover=app.ledger.recovery_needed() or app.ledger.witness.why_restored(),
        versions={**versions.versions(), "numbering": numbering},
        no_registry=0 if registry else sum(one.no_registry for one in seen.values()),
        syncs=_syncs(app, passes),
        campaigns={
            name: _campaign(app, name, passes, seen[name]) for name in app.settings.campaigns
        },
        suppressions=lists_view.gather(app),
        instances=instances_view.instances(app),
        leases=instances_view.leases(app),
    )


def _syncs(app: App, passes: list[PassRow]) -> dict[str, SyncStatus]:
    counts = app.ledger.counts()
    names = [*app.settings.syncs, *(sync for sync, _ in counts.jobs), *counts.rejections]
    polls = {row.target: _pass(row) for row in passes if row.kind == "poll"}
    # Of a sync that is not configured any more, no poll will judge what a killed one left.
    held = app.ledger.guards.held(also_judging=True)
    held = {**held, **dict.fromkeys(app.settings.syncs, 0), **app.ledger.guards.held()}
    trips = app.ledger.guards.open_trips()
    syncs: dict[str, SyncStatus] = {}
    for name in dict.fromkeys(names):
        known = app.settings.syncs.get(name)
        jobs = {state.value: 0 for state in JobState}
        for (sync, _), by_state in counts.jobs.items():
            if sync == name:
                jobs.update({state: jobs[state] + n for state, n in by_state.items()})
        syncs[name] = SyncStatus(
            campaign=None if known is None else known.campaign,
            schedule=None
            if known is None
            else known.cron or (format_duration(known.every) if known.every else None),
            jobs=jobs,
            rejections=counts.rejections.get(name, {}),
            held_by_guards=held.get(name, 0),
            trips=[trip for trip in trips if trip.sync == name],
            last_poll=polls.get(name),
            outdated=0 if known is None else outdated_view.outdated(app, name),
        )
    return syncs


def _campaign(app: App, name: str, passes: list[PassRow], seen: WindowsSeen) -> CampaignStatus:
    state = app.ledger.campaign_state(name)
    view = app.ledger.campaign_view(name)
    limits = day_limits_of(app.settings.campaigns[name])
    day = day_of(name, limits, app.ledger.guards, now=app.tools.clock.now())
    return CampaignStatus(
        halted=state.halted_reason,
        halted_at=state.halted_at,
        held=state.held,
        next_send_at=state.next_send_at,
        failures=state.failures,
        open_until=state.open_until,
        in_doubt=view.in_doubt,
        unsent=view.unsent,
        unmatched=view.unmatched,
        mismatched=app.ledger.mismatched(name),
        unknown_calls=app.ledger.sweeps.unknown_count(name),
        swept_to=app.ledger.sweeps.swept_to(name),
        oldest_staged_at=view.oldest_staged_at,
        day=guards_view.day_data(day),
        outlook=seen.outlook,
        last_passes=[_pass(row) for row in passes if row.kind != "poll" and row.target == name],
    )


def _pass(row: PassRow) -> PassStatus:
    counts = {name: n for name, n in row.counts.items() if n}
    return PassStatus(row.kind, row.started_at, row.finished_at, row.outcome, counts)


def print_status(status: Status, *, as_json: bool) -> None:
    """Print it."""
    if as_json:
        told = asdict(status)
        for name, campaign in status.campaigns.items():
            told["campaigns"][name]["outlook"] = outlook_view.data(campaign.outlook)
        common.print_json(told)
        return
    out = console()
    versions = ", ".join(f"{name} {text}" for name, text in status.versions.items())
    recover = None if status.recover is None else f"{status.recover}; syncd recover"
    facts = [("ledger", status.ledger), ("NOTHING IS SENT", recover), ("versions", versions)]
    out.print(fact_table(facts))
    outlook_view.say_no_registry(status.no_registry)
    instances_view.print_instances(status.instances, status.leases, out)
    for name, sync in status.syncs.items():
        out.print()
        out.print(fact_table(_sync_facts(name, sync)))
    for name, campaign in status.campaigns.items():
        out.print()
        out.print(fact_table(_campaign_facts(name, campaign)))
    for name, listed in status.suppressions.items():
        out.print()
        out.print(fact_table(lists_view.facts(name, listed)))
    passes = [(name, row) for name, one in status.campaigns.items() for row in one.last_passes]
    polls = [(name, one.last_poll) for name, one in status.syncs.items() if one.last_poll]
    if passes or polls:
        out.print()
        table = new_table("last pass", "of", "began (UTC)", "outcome", "counts")
        for name, row in [*polls, *passes]:
            counts = ", ".join(f"{what} {n:,}" for what, n in row.counts.items())
            outcome = row.outcome or "running or killed"
            table.add_row(row.kind, name, time_of(row.started_at), outcome, counts or "nothing new")
        out.print(table)


def _sync_facts(name: str, sync: SyncStatus) -> list[tuple[str, object]]:
    jobs = ", ".join(f"{state} {n:,}" for state, n in sync.jobs.items() if n)
    gone = ", ".join(f"{reason} {n:,}" for reason, n in sync.rejections.items())
    return [
        ("sync", name if sync.campaign else f"{name} (not in the configuration)"),
        ("campaign", sync.campaign),
        ("schedule", sync.schedule),
        ("call jobs", jobs or "none"),
        *guards_view.facts(name, sync.held_by_guards, sync.trips),
        ("OUTDATED", outdated_view.told(name, sync.outdated)),
        ("rejections", gone or None),
    ]


def _campaign_facts(name: str, campaign: CampaignStatus) -> list[tuple[str, object]]:
    return [
        ("campaign", name),
        ("HELD" if campaign.held else "HALTED", _halt(name, campaign)),
        ("asked to wait", time_of(campaign.next_send_at)),
        ("no answer", f"{campaign.failures:,} times in a row" if campaign.failures else None),
        ("left alone until", time_of(campaign.open_until)),
        ("in doubt", f"{campaign.in_doubt:,} batches" if campaign.in_doubt else None),
        ("unsent", f"{campaign.unsent:,} batches" if campaign.unsent else None),
        ("unmatched", f"{campaign.unmatched:,} batches" if campaign.unmatched else None),
        ("mismatched", f"{campaign.mismatched:,} call jobs" if campaign.mismatched else None),
        ("unknown calls", _unknown(name, campaign.unknown_calls)),
        ("in 24 hours", guards_view.day_text(campaign.day)),
        ("staged since", time_of(campaign.oldest_staged_at)),
        *outlook_view.facts(campaign.outlook),
    ]


def _unknown(name: str, calls: int) -> str | None:
    return f"{calls:,} (syncd campaign unknown {name})" if calls else None


def _halt(name: str, campaign: CampaignStatus) -> str | None:
    if campaign.halted is None:
        return None
    end = f"; syncd campaign release {name}" if campaign.held else ""
    return f"{campaign.halted} (since {time_of(campaign.halted_at)}{end})"
