"""What every pass does: an ID in the ledger, one outcome, one exit code."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.clock import ManualClock
from syncd.engine.passes import PassResult, Tools, run_pass, worst_exit_code
from syncd.errors import (
    ConfigError,
    Halted,
    InDoubt,
    LedgerError,
    SourceDown,
    SyncdError,
    Transient,
    Unsupported,
)
from syncd.ledger import migrate
from syncd.ledger.ledger import Ledger
from syncd.ledger.store import open_store


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    """An empty ledger and a clock that stands still."""
    url = f"sqlite:///{tmp_path}/syncd.db"
    store = open_store(url, create=True)
    migrate.upgrade(store)
    store.close()
    ledger = Ledger.open(url)
    clock = ManualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    yield Tools(ledger, clock, threading.Event(), random.Random(1))
    ledger.close()


@pytest.mark.parametrize(
    ("error", "outcome", "exit_code"),
    [
        (Transient("x"), "retry", 1),
        (SourceDown("x"), "retry", 1),
        (InDoubt("x"), "retry", 1),
        (Unsupported("x"), "retry", 1),
        (ConfigError("x"), "config", 2),
        (LedgerError("x"), "config", 2),
        (Halted("x"), "halted", 3),
    ],
)
def test_an_error_becomes_an_outcome(
    tools: Tools, error: SyncdError, outcome: str, exit_code: int
) -> None:
    """Our errors end the pass and no more; the ledger keeps how it ended, with its counts."""
    with run_pass("poll", "leads", tools) as running:
        running.counts["new"] += 3
        raise error
    told = running.result()
    assert (told.outcome, told.exit_code, told.error) == (outcome, exit_code, error)
    (row,) = tools.ledger.last_passes()
    assert (row.kind, row.target, row.outcome, row.counts) == ("poll", "leads", outcome, {"new": 3})


@pytest.mark.parametrize("bug", [AssertionError, KeyError, KeyboardInterrupt, SystemExit])
def test_a_bug_is_noted_and_goes_on_up(tools: Tools, bug: type[BaseException]) -> None:
    """What is no error of ours ends the pass as a bug."""
    with pytest.raises(bug), run_pass("submit", "welcome", tools):
        raise bug
    assert tools.ledger.last_passes()[0].outcome == "bug"


def test_a_stop_is_an_outcome(tools: Tools) -> None:
    """A pass that was told to stop says so; an error says more than a stop."""
    tools.stop.set()
    with run_pass("poll", "leads", tools) as running:
        pass
    assert running.result().outcome == "stopped"
    with run_pass("poll", "leads", tools) as running:
        message = "x"
        raise Transient(message)
    assert running.result().outcome == "retry"


@pytest.mark.parametrize(
    ("count", "exit_code"),
    [
        ("refused", 1),
        ("parked", 1),
        ("rejected", 1),
        ("in_doubt", 1),
        ("not_sent", 1),
        ("waiting", 1),
        ("new", 0),
        ("duplicate", 0),
        ("closed", 0),
    ],
)
def test_what_is_incomplete_has_its_exit_code(count: str, exit_code: int) -> None:
    """Done is 0; done with something refused, parked, rejected or without an end is 1."""
    assert PassResult("x", "y", "done", {count: 1}).exit_code == exit_code
    assert PassResult("x", "y", "done", {count: 0}).exit_code == 0


def test_the_worst_exit_code_wins() -> None:
    """Of several passes; none is 0."""
    results = [PassResult("x", "y", outcome, {}) for outcome in ("done", "retry", "halted")]
    assert worst_exit_code(results) == 3
    assert worst_exit_code(results[:2]) == 1
    assert worst_exit_code([]) == 0


def test_a_move_is_signed_with_the_pass_and_the_present(tools: Tools) -> None:
    """By: the kind, the time and the pass."""
    with run_pass("poll", "leads", tools) as running:
        by = running.by()
    assert (by.actor, by.pass_id, by.at_ms) == ("poll", running.id, 1772442000000)
