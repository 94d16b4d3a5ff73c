"""The daemon in this process: one campaign's trouble is not another's, and how it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger

from syncd.app import App
from syncd.config.load import load
from syncd.daemon import lifecycle, wiring
from syncd.daemon.lifecycle import Ending
from syncd.daemon.scheduler import Scheduler
from syncd.engine import poll, submit
from syncd.engine.passes import PassResult
from syncd.errors import ConfigError, LedgerError
from syncd.ledger import outbox
from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import RunningSandbox
from tests.running import (
    PATIENCE_S,
    Folder,
    assert_each_once,
    batches_sent,
    eventually,
)

LEADS = 120
SECOND = """
[campaigns.broken]
base_url = "{base_url}"
token = "1.2.tokenThatTheSandboxDoesNotKnow"

[syncs.others]
source = "crm"
campaign = "broken"
every = "1s"
map = {{ key = "id", phone = "phone", gmtZone = "+00:00" }}
"""


@dataclass
class Signalled:
    """A signal that came, or None."""

    received: int | None = None


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second attempt comes soon."""
    monkeypatch.setattr(wiring, "SUBMIT_EVERY", timedelta(seconds=0.5))
    monkeypatch.setattr(wiring, "RECONCILE_EVERY", timedelta(seconds=0.5))


@pytest.fixture
def schedulers(monkeypatch: pytest.MonkeyPatch) -> list[Scheduler]:
    """Every scheduler that a daemon makes."""
    made: list[Scheduler] = []

    def kept(*args: Any) -> Scheduler:
        made.append(wiring.schedule(*args))
        return made[-1]

    monkeypatch.setattr(lifecycle, "schedule", kept)
    return made


@contextmanager
def opened(folder: Folder) -> Iterator[App]:
    """The app of this folder."""
    with App.open(load(folder.path / "syncd.toml", {}), alone=True) as app:
        yield app


@contextmanager
def daemon(
    app: App, signals: Signalled | None = None, *, drain_s: float | None = None
) -> Iterator[Future[Ending]]:
    """The daemon in a thread; stopped at the end of the block."""
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(lifecycle.run, app, signals or Signalled(), drain_s=drain_s)
        try:
            yield ending
        finally:
            app.tools.stop.set()
            ending.exception(PATIENCE_S)


def test_a_halted_campaign_leaves_the_others_alone(box: RunningSandbox, folder: Folder) -> None:
    """With an unknown token one campaign is halted; the other gets its leads and outcomes."""
    config = folder.path / "syncd.toml"
    text = config.read_text(encoding="utf-8") + SECOND.format(base_url=box.base_url)
    config.write_text(text, encoding="utf-8")
    with opened(folder) as app, daemon(app) as ending:
        eventually(lambda: folder.answered() == LEADS, "the leads of the good campaign")
        eventually(lambda: app.ledger.campaign_state("broken").halted_reason, "the halt")
        box.advance(2 * 86_400)
        eventually(lambda: folder.states()["closed"] == LEADS, "the outcomes")
        assert not ending.done()
    assert folder.states()["staged"] == LEADS, "the halted campaign keeps its leads for later"
    assert ending.result() == Ending(0, drained=True)


def test_answers_that_are_lost_are_settled_by_the_daemon(
    box: RunningSandbox, folder: Folder
) -> None:
    """Batches whose answers were lost are sent again byte for byte: each lead once."""
    box.faults.add(Fault("answer_lost", path="addPhones", count=2))
    with opened(folder) as app, daemon(app):
        eventually(lambda: folder.answered() == LEADS, "every answer")
    assert_each_once(box, folder, LEADS)


def test_a_failing_database_stops_everything(
    box: RunningSandbox, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that cannot write its ledger ends the daemon with 2; nothing was sent."""

    def full(*_args: object, **_named: object) -> None:
        raise LedgerError("the ledger's database failed: database or disk is full")

    monkeypatch.setattr("syncd.ledger.outbox.mark_sent", full)
    with opened(folder) as app, daemon(app) as ending:
        assert ending.result(PATIENCE_S) == Ending(2, drained=True)
    assert batches_sent(box) == 0


def test_l5_a_ledger_lost_after_the_intent_sends_nothing(
    box: RunningSandbox, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file goes away between the committed intent and the first byte: no byte, exit 2."""
    real = outbox.mark_sent

    def then_lost(*args: Any, **named: Any) -> bool:
        marked = real(*args, **named)
        folder.ledger.unlink(missing_ok=True)
        return marked

    monkeypatch.setattr(outbox, "mark_sent", then_lost)
    with opened(folder) as app, daemon(app) as ending:
        assert ending.result(PATIENCE_S) == Ending(2, drained=True)
    assert batches_sent(box) == 0


def test_a_bug_in_one_pass_does_not_end_the_daemon(
    box: RunningSandbox, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that raises what nobody expected is left; after that the leads go out."""
    real, raised = submit.run_once, threading.Event()

    def buggy(*args: object, **named: object) -> PassResult:
        if raised.is_set():
            return real(*args, **named)  # type: ignore[arg-type]
        raised.set()
        raise ZeroDivisionError

    monkeypatch.setattr(submit, "run_once", buggy)
    with opened(folder) as app, daemon(app) as ending:
        eventually(lambda: folder.answered() == LEADS, "the leads")
        assert raised.is_set()
        assert not ending.done()
    assert_each_once(box, folder, LEADS)


@pytest.mark.parametrize(("received", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_g4_a_pass_that_hangs_does_not_hold_the_end(
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    schedulers: list[Scheduler],
    received: int,
    code: int,
) -> None:
    """After the drain's time the daemon says that it was cut short, as a kill would."""
    begun, go_on = threading.Event(), threading.Event()
    real = poll.run_once

    def hangs(*args: object, **named: object) -> PassResult:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(poll, "run_once", hangs)
    with opened(folder) as app, daemon(app, Signalled(received), drain_s=0.05) as ending:
        assert begun.wait(PATIENCE_S)
        app.tools.stop.set()
        assert ending.result(PATIENCE_S) == Ending(code, drained=False)
        go_on.set()
        assert schedulers[0].drain(PATIENCE_S), "here nobody leaves by os._exit"


def test_the_drain_outlasts_the_longest_request(folder: Folder) -> None:
    """The request under way may take its whole time, and its answer a moment more."""
    with opened(folder) as app:
        assert lifecycle.drain_limit_s(app) == 70.0


def test_a_wrong_source_is_told_before_anything_starts(
    folder: Folder, schedulers: list[Scheduler]
) -> None:
    """An unknown option ends the daemon before its first pass."""
    config = folder.path / "syncd.toml"
    text = config.read_text(encoding="utf-8").replace("renamed = true", "renamd = true")
    config.write_text(text, encoding="utf-8")
    with opened(folder) as app, pytest.raises(ConfigError):
        lifecycle.run(app, Signalled())
    assert schedulers == []


def schedule_by_cron(folder: Folder, expression: str) -> None:
    """Give the folder's sync a cron expression in the place of its interval."""
    config = folder.path / "syncd.toml"
    text = config.read_text(encoding="utf-8").replace(
        'campaign = "welcome"\nevery = "1s"',
        f'campaign = "welcome"\ncron = "{expression}"\ntime_zone = "Europe/Berlin"',
    )
    assert expression in text
    config.write_text(text, encoding="utf-8")


def test_cron_waits_for_its_hour(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync with a cron expression is not polled at the start; its campaign's passes run."""
    schedule_by_cron(folder, "0 0 29 2 *")
    looked = threading.Semaphore(0)
    monkeypatch.setattr(submit, "has_work", lambda *_args: looked.release())
    with opened(folder) as app, daemon(app) as ending:
        assert looked.acquire(timeout=PATIENCE_S)
        assert looked.acquire(timeout=PATIENCE_S)
        assert not ending.done()
        assert app.ledger.last_passes() == []
    assert ending.result() == Ending(0, drained=True)
    assert folder.states() == {}


def test_a_sync_with_cron_is_polled_at_its_times(
    box: RunningSandbox, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time that comes is a poll: the first leads go out, and at a later time a later lead."""
    schedule_by_cron(folder, "* * * * *")
    asked: list[tuple[str, str]] = []

    def each_second(expression: str, timezone: ZoneInfo | str) -> CronTrigger:
        asked.append((expression, str(timezone)))
        return CronTrigger(second="*", timezone=timezone)

    # As if a minute were a second: nobody waits for a whole one.
    monkeypatch.setattr(CronTrigger, "from_crontab", each_second)
    with opened(folder) as app, daemon(app) as ending:
        eventually(lambda: folder.answered() == LEADS, "the leads of the first time")
        folder.write_leads(LEADS + 1)
        eventually(lambda: folder.answered() == LEADS + 1, "the lead of a later time")
        assert not ending.done()
    assert asked[-1] == ("* * * * *", "Europe/Berlin")
    assert ending.result() == Ending(0, drained=True)
    assert_each_once(box, folder, LEADS + 1)
