"""A small world for the engine: a sandbox, an export, a ledger and a clock that a test moves.

The app is the real one and speaks HTTP to the sandbox. Our clock and the vendor's move together,
by `pass_time`, unless a test moves only one of them.
"""

from __future__ import annotations

import csv
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.campaign import transport
from syncd.clock import ManualClock, to_ms
from syncd.config.load import load
from syncd.engine import backfill, poll, pull_reports, reconcile, submit
from syncd.engine.passes import Pass, PassResult
from syncd.engine.poll import Backfill
from syncd.ledger import migrate
from syncd.ledger.store import open_store
from syncd.sandbox.refusals import RefusalError
from syncd.sandbox.testing import RunningSandbox
from syncd.sources.base import Page
from tests.running import phone_of, stern_sandbox

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: More than the quiet time, the longest back-off and a lease together.
LONG_S = 20 * 60.0
ROUNDS_MAX = 30

CAMPAIGN = """
[campaigns.{name}]
base_url = "{base_url}"
token = "{token}"
batch_size = {batch_size}
max_in_flight = {max_in_flight}
max_requests_per_second = 10000.0
report_every = "1m"
quiet_time = "2m"
timeouts = {{ connect_s = 2.0, read_s = {read_s} }}
"""
SYNC = """
[sources.{name}]
kind = "csv"
path = "{name}.csv"
renamed = true

[syncs.{name}]
source = "{name}"
campaign = "{campaign}"
every = "1h"

[syncs.{name}.map]
key = "id"
phone = "phone"
{mapping}
"""
#: Behind a mapping: a record without a zone of its own is held, whatever its number says.
BY_COLUMN = '\n\n[syncs.leads.zones]\nchain = ["column"]'
MAPPING = 'gmtZone = "+00:00"\npayload = { name = "{name}" }'


@dataclass(frozen=True, slots=True)
class Sending:
    """One addPhones request as it left us, or would have."""

    key: str
    body: bytes
    at: datetime


class Hurried(threading.Event):
    """A stop that nobody waits for: time passes at once instead."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        assert self.waits < 5_000, "it waits for ever"
        self._world.pass_time((timeout or 0.0) * 60)
        return self.is_set()


@dataclass(slots=True)
class World:
    """A folder with a configuration, a ledger and exports, beside a sandbox."""

    path: Path
    box: RunningSandbox
    clock: ManualClock
    ledger_url: str
    values: dict[str, Any]
    campaigns: dict[str, str] = field(default_factory=dict)  #: name to token
    syncs: dict[str, dict[str, Any]] = field(default_factory=dict)
    sendings: list[Sending] = field(default_factory=list)

    def configure(self, **values: object) -> None:
        """Write the configuration, with these values changed from now on."""
        self.values |= values
        parts = [f'[ledger]\nurl = "{self.ledger_url}"\n']
        for name, token in self.campaigns.items():
            parts.append(CAMPAIGN.format(**{**self.values, "name": name, "token": token}))
        for name, told in self.syncs.items():
            parts.append(SYNC.format(**{**self.values, **told, "name": name}))
        config = self.path / "syncd.toml"
        config.touch(mode=0o600)
        config.write_text("".join(parts), encoding="utf-8")

    def open(
        self,
        *,
        alone: bool = False,
        recovers: bool = False,
        stop: threading.Event | None = None,
    ) -> App:
        """The app on this ledger; several may be opened one after another, as after kills."""
        loaded = load(self.path / "syncd.toml", {})
        return App.open(loaded, alone=alone, recovers=recovers, clock=self.clock, stop=stop)

    def write(
        self,
        rows: Sequence[Sequence[object]],
        *,
        columns: str = "id,phone,name",
        name: str = "leads",
    ) -> None:
        """An export, put in place by a rename, newer than every one before."""
        part = self.path / f"{name}.csv.part"
        with part.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([columns.split(","), *rows])
        part.replace(self.path / f"{name}.csv")

    def write_leads(self, count: int, *, first: int = 0, name: str = "leads") -> None:
        """Leads with the numbers from `first` on, each with its own phone and payload."""
        rows = [(n, phone_of(n), f"Lead {n}") for n in range(first, first + count)]
        self.write(rows, name=name)

    def pass_time(self, seconds: float) -> None:
        """The same time passes for us and for the vendor."""
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))
        if seconds > 0:
            self.box.advance(seconds)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """A look into the SQLite ledger."""
        with closing(sqlite3.connect(self.path / "syncd.db")) as ledger:
            return ledger.execute(query).fetchall()

    def execute(self, statement: str) -> None:
        """What another process, or a fault, does to the SQLite ledger."""
        with closing(sqlite3.connect(self.path / "syncd.db")) as ledger:
            ledger.execute(statement)
            ledger.commit()

    def states(self) -> dict[str, int]:
        """How many call jobs are in each state."""
        return dict(self.sql("SELECT state, count(*) FROM call_jobs GROUP BY 1"))

    def called(self) -> Counter[str]:
        """How many jobs the vendor has of each phone; call-backs aside."""
        return Counter(job.phone.lstrip("+") for job in self.box.jobs() if job.redial is None)

    def assert_each_once(self, leads: int) -> None:
        """The ground truth: each lead has one job at the vendor, and the ledger has its ID."""
        assert self.called() == {phone_of(n).lstrip("+"): 1 for n in range(leads)}
        pairs = self.sql("SELECT phone, call_job_id FROM call_jobs WHERE call_job_id NOT NULL")
        truth = {(int(job.phone), str(job.id)) for job in self.box.jobs() if job.redial is None}
        assert set(pairs) == truth

    def assert_one_body_a_key(self) -> None:
        """Whatever was sent twice under one key was sent byte for byte."""
        bodies: dict[str, bytes] = {}
        for sending in self.sendings:
            assert bodies.setdefault(sending.key, sending.body) == sending.body


def poll_all(app: App) -> list[PassResult]:
    """One poll of each sync."""
    return [poll.run_once(app.sync(name), app.tools) for name in app.sync_names()]


def work(app: App, name: str = "welcome") -> dict[str, PassResult]:
    """One pass of each kind at a campaign."""
    campaign = app.campaign(name)
    passes = (reconcile, submit, pull_reports)
    return {one.kind: one for one in (each.run_once(campaign, app.tools) for each in passes)}


def settle(world: World, app: App, name: str = "welcome") -> None:
    """Time passes and passes run until nothing waits any more."""
    campaign = app.campaign(name)
    for _ in range(ROUNDS_MAX):
        submit.run_once(campaign, app.tools)
        reconcile.run_once(campaign, app.tools)
        if not (submit.has_work(campaign, app.tools) or reconcile.has_work(campaign, app.tools)):
            return
        world.pass_time(LONG_S)
    message = f"still at work: {world.states()}"
    raise AssertionError(message)


def run_backfill(
    app: App, *, wait: bool = True, sync: str = "leads", **limits: Any
) -> dict[str, PassResult]:
    """A backfill; its results by kind."""
    wired = app.sync(sync)
    results = backfill.run(
        wired,
        app.campaign(wired.campaign),
        app.tools,
        backfill=Backfill(**limits),
        wait=wait,
        progress=backfill.Progress(),
    )
    return {result.kind: result for result in results}


def refuse(
    world: World, patch: pytest.MonkeyPatch, type_: str, *, where: str = "", **fields: Any
) -> None:
    """The vendor answers 400 to every batch with the text `where` (by default: with the phone)."""
    add_phones = world.box.book.add_phones
    mark = (where or fields.get("phone", "")).encode()

    def stern(token: str, body: bytes, key: str | None) -> Any:
        if mark in body:
            raise RefusalError(type_, "no", **fields)
        return add_phones(token, body, key)

    patch.setattr(world.box.book, "add_phones", stern)


@contextmanager
def new_world(
    path: Path,
    *,
    ledger_url: str | None = None,
    mapping: str = MAPPING,
    sandbox: Mapping[str, Any] | None = None,
    **values: object,
) -> Iterator[World]:
    """A world with one sync, "leads", one campaign, "welcome", and an empty ledger."""
    told = {"start_ms": to_ms(START), **(sandbox or {})}
    with stern_sandbox(**told) as box, _spy() as sendings:
        url = ledger_url or f"sqlite:///{path}/syncd.db"
        given = {"batch_size": 10, "max_in_flight": 2, "read_s": 5.0}
        world = World(path, box, ManualClock(START), url, {**given, "base_url": box.base_url})
        world.campaigns["welcome"] = box.token
        world.syncs["leads"] = {"campaign": "welcome", "mapping": mapping}
        world.configure(**values)
        store = open_store(url, create=True)
        migrate.upgrade(store)
        store.close()
        sendings.append((world.clock, world.sendings))
        yield world


@contextmanager
def _spy() -> Iterator[list[tuple[ManualClock, list[Sending]]]]:
    """Note each addPhones request at the last line of ours that sees it whole."""
    exchange = transport.Transport.exchange
    listeners: list[tuple[ManualClock, list[Sending]]] = []

    def noted(self: transport.Transport, out: transport.Outgoing, *more: Any) -> Any:
        for clock, sendings in listeners:
            if out.path.endswith("/addPhones"):
                sendings.append(Sending(out.headers["Idempotence-Key"], out.body, clock.now()))
        return exchange(self, out, *more)

    transport.Transport.exchange = noted  # type: ignore[method-assign]
    try:
        yield listeners
    finally:
        transport.Transport.exchange = exchange  # type: ignore[method-assign]


class Between:
    """Does something after each page of a poll."""

    def __init__(self, on_page: Callable[[Page, Pass], None]) -> None:
        self._on_page = on_page

    def order(self) -> None:
        """Nothing is sealed at once."""

    def on_page(self, page: Page, running: Pass, _sealed: object) -> None:
        self._on_page(page, running)

    def on_wait(self, _upcoming: object) -> None:
        """Nothing is in flight."""
