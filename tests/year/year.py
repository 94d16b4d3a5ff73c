"""A year of calls on virtual time: the real engine, and a sandbox whose dialer is the witness.

Leads come in all year; some may be called months later, some get fifty attempts in a hundred days.
Each campaign of the sandbox has few lines, so that calls are made from the first minute of the
permitted hours to the last. Two reckonings judge every call: the sandbox's own, by the fields that
it was sent, and that of laws.py, by where the person may live.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from random import Random

import orjson

from syncd.app import App
from syncd.clock import to_ms
from syncd.core.zones.registry import compiled
from syncd.core.zones.registry_csv import read
from syncd.engine import poll, pull_reports, reconcile, renew, submit
from syncd.numbering.kept import keep_registry
from syncd.sandbox.jobs import Attempt, Job
from syncd.sandbox.outcomes import NO_ANSWER
from tests.registries import HEADER, made_row
from tests.worlds import World, new_world
from tests.year.laws import LAWS, broken, offset_changes
from tests.year.people import BLOCK, PLACES, REGISTRY_CODE, SYNCS, TERRITORIES, Place

STEP = timedelta(hours=12)
POLLED_EVERY = 9  #: steps; each sync has its turn
REPORTS_EVERY = 4  #: steps
LINES = 2
SHOWN_MAX = 10
_COLUMNS = "id,phone,tz,region,country,attempts,retry,from,until"
_MAPPING = """\
maxAttempts = "{attempts}"
retryIntervalInMinutes = "{retry}"
startDateTime = "{from}"
finishDateTime = "{until}"
"""
_REGISTRY_ROWS = 400


@dataclass(frozen=True, slots=True)
class Lead:
    """A person who may be called, and from when to when the record allows it."""

    place: Place
    phone: str
    comes: int  #: the step at which the export has it
    row: tuple[str, ...]
    start: datetime | None
    finish: datetime | None


@dataclass(slots=True)
class Figures:
    """What came of it."""

    leads: int = 0
    zones: int = 0
    calls: int = 0
    outside: int = 0  #: by the sandbox's own reckoning
    twice: int = 0  #: jobs beside an open one, or after a person was reached
    unzoned: int = 0  #: calls of jobs that were sent without a zone
    wrong: list[str] = field(default_factory=list)  #: by the laws
    too_many: list[str] = field(default_factory=list)  #: more calls to a person than a cap allows
    odd_zones: set[str] = field(default_factory=set)  #: sent, and neither ±HH:MM nor of zone.tab
    across: int = 0  #: calls with a change of their clocks since the job was sent
    by_sync: Counter[str] = field(default_factory=Counter)
    called: set[str] = field(default_factory=set)  #: phones
    states: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every call was at a permitted hour by both reckonings."""
        return not (
            self.outside or self.twice or self.unzoned or self.wrong or self.too_many
        ) and not (self.odd_zones)

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        yield f"leads {self.leads:,}, of {self.zones} zones; called {len(self.called):,}"
        yield f"calls {self.calls:,}, after a change of clocks {self.across:,}"
        yield f"calls by sync {dict(sorted(self.by_sync.items()))}"
        yield f"call jobs {self.states}"
        yield f"outside the windows by the sandbox {self.outside}"
        yield f"outside the hours by the laws {len(self.wrong)}"
        yield f"more than a cap allows {len(self.too_many)}, called twice {self.twice}"
        yield f"sent without a zone {self.unzoned}, odd zones sent {sorted(self.odd_zones)}"
        yield from (self.wrong + self.too_many)[:SHOWN_MAX]


def run(begin: datetime, days: int, count: int, *, seed: int = 1) -> Figures:
    """`count` leads from `begin` (aware, UTC) on, for so many days."""
    leads = _drawn(begin, days, count, Random(seed))
    with tempfile.TemporaryDirectory() as folder, _world(Path(folder), begin) as world:
        app = world.open()
        for step in range(timedelta(days=days) // STEP):
            for sync in SYNCS:
                rows = [one.row for one in leads if (one.comes, one.place.sync) == (step, sync)]
                if rows:
                    world.write(rows, columns=_COLUMNS, name=sync)
                    poll.run_once(app.sync(sync), app.tools)
                _work(app, sync, reports=step % REPORTS_EVERY == 0)
            world.pass_time(STEP.total_seconds())
        app.close()
        return _judged(world, leads)


def _work(app: App, campaign: str, *, reports: bool) -> None:
    wired = app.campaign(campaign)
    if renew.has_work(wired, app.tools):
        renew.run_once(wired, app.tools)
    while submit.has_work(wired, app.tools):
        before = submit.run_once(wired, app.tools)
        if not before.counts.get("accepted"):
            break
    if reconcile.has_work(wired, app.tools):
        reconcile.run_once(wired, app.tools)
    if reports:
        pull_reports.run_once(wired, app.tools)


@contextmanager
def _world(folder: Path, begin: datetime) -> Iterator[World]:
    """A sync and a campaign for each of SYNCS, and a registry."""
    tokens = tuple(f"1000.{2000 + at}.{name}OfTheYear" for at, name in enumerate(SYNCS))
    box = {"start_ms": to_ms(begin), "tokens": tokens, "lines": LINES}
    with new_world(folder, sandbox=box, batch_size=200, read_s=30.0) as world:
        world.clock.set(begin)
        world.campaigns = dict(zip(SYNCS, tokens, strict=True))
        world.syncs = {
            name: {"campaign": name, "mapping": f"{_MAPPING}\n{told}"}
            for name, told in SYNCS.items()
        }
        world.configure()
        names = list(TERRITORIES)
        rows = (
            made_row(REGISTRY_CODE, at * BLOCK, (at + 1) * BLOCK - 1, names[at % len(names)])
            for at in range(_REGISTRY_ROWS)
        )
        table = compiled(read([HEADER, *rows], "made.csv").blocks, {})
        keep_registry(folder / "numbering.bin", table.dump())
        yield world


def _drawn(begin: datetime, days: int, count: int, chance: Random) -> list[Lead]:
    """The leads, spread over the places and the steps."""
    last = (timedelta(days=days) - timedelta(days=min(10, days // 4))) // STEP
    return [_lead(number, begin, last, days, chance) for number in range(count)]


def _lead(number: int, begin: datetime, last: int, days: int, chance: Random) -> Lead:
    place = PLACES[number % len(PLACES)]
    turn = list(SYNCS).index(place.sync)
    comes = chance.choice([at for at in range(last) if at % POLLED_EVERY == turn] or [0])
    now = begin + comes * STEP
    start = finish = None
    if chance.random() < 0.2:
        start = now + timedelta(minutes=chance.randrange(1, max(2, days * 700)))
    if chance.random() < 0.25:
        finish = (start or now) + timedelta(minutes=chance.randrange(600, 90 * 1440))
    often = chance.random() < 0.3
    row = (
        *(str(number), f"+{(phone := place.phone(number // len(PLACES)))}"),
        *(place.tz, place.region, place.country),
        str(chance.choice((10, 50))) if often else "",
        str(chance.choice((30, 97, 400, 1440, 2880, 2880))) if often else "",
        *(at.isoformat() if at else "" for at in (start, finish)),
    )
    return Lead(place, phone, comes, row, start, finish)


def _judged(world: World, leads: Sequence[Lead]) -> Figures:
    verdict = world.box.verdict()
    by_call = {(one.place.sync, one.phone): one for one in leads}
    assert len(by_call) == len(leads), "two leads of one sync share a phone"
    made = Figures(
        leads=len(leads),
        zones=len({zone for lead in leads for zone in lead.place.zones}),
        calls=verdict["calls"],
        outside=verdict["calls_outside_windows"],
        unzoned=verdict["calls_zone_unknown"],
        odd_zones=_odd_zones(world),
        states=world.states(),
    )
    names = {token: name for name, token in world.campaigns.items()}
    for token, campaign in world.box.book.campaigns.items():
        for call in campaign.dialled:
            lead = by_call[names[token], call.job.phone.lstrip("+")]
            made.by_sync[lead.place.sync] += 1
            made.called.add(lead.phone)
            made.across += offset_changes(lead.place.zones, _at(call.job.created_ms), started(call))
            made.wrong += judge(lead, started(call))
        jobs: dict[str, list[Job]] = {}
        for job in campaign.created:
            if job.redial is None:
                jobs.setdefault(job.phone.lstrip("+"), []).append(job)
        for phone, all_ in jobs.items():
            calls = [started(call) for job in all_ for call in job.attempts]
            made.too_many += _over_caps(by_call[names[token], phone], calls)
            made.twice += sum(not _goes_on(*two) for two in pairwise(all_))
    return made


def _goes_on(job: Job, later: Job) -> bool:
    """Whether a later job of a person may be: the one before ended, and nobody was reached."""
    if job.finished_ms is None or job.finished_ms > later.created_ms:
        return False
    return all(call.outcome.status == NO_ANSWER for call in job.attempts)


def judge(lead: Lead, at: datetime) -> list[str]:
    """What speaks against a call at `at`, by the laws and by the record's own start and finish."""
    found = broken(LAWS[lead.place.law], lead.place.zones, at)
    if (lead.start and at < lead.start) or (lead.finish and at >= lead.finish):
        found.append(f"from {lead.start} to {lead.finish}")
    return [f"{lead.place.sync}, {lead.place.law}, {at:%F %R}: {why}" for why in found]


def _over_caps(lead: Lead, calls: Sequence[datetime]) -> Iterator[str]:
    for days, most in LAWS[lead.place.law].caps.items():
        for first, one_more in zip(calls, calls[most:], strict=False):
            if one_more - first < timedelta(days=days):
                yield f"{lead.place.law}: {most + 1} calls within {days} days, from {first}"


def started(call: Attempt) -> datetime:
    """When it was dialled."""
    return _at(call.started_ms)


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _odd_zones(world: World) -> set[str]:
    """Zones that were sent and should not be."""
    table = files("tzdata").joinpath("zoneinfo/zone.tab").read_text("utf-8")
    ids = {line.split("\t")[2] for line in table.splitlines() if not line.startswith("#")}
    sent = {job.get("gmtZone", "") for one in world.sendings for job in orjson.loads(one.body)}
    return {zone for zone in sent if zone not in ids and not _is_offset(zone)}


def _is_offset(zone: str) -> bool:
    digits = zone[1:3] + zone[4:]
    return len(zone) == len("+00:00") and zone[0] in "+-" and zone[3] == ":" and digits.isdecimal()
