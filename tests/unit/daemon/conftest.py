"""An empty ledger, a clock that a test moves, and the lines that the daemon logs."""

from __future__ import annotations

import io
import json
import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.clock import ManualClock
from syncd.engine.passes import Tools
from syncd.ledger import migrate
from syncd.ledger.ledger import Ledger
from syncd.ledger.store import open_store
from syncd.observe import logs
from syncd.observe.redact import Redactor

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def clock() -> ManualClock:
    """It stands still."""
    return ManualClock(START)


@pytest.fixture
def tools(tmp_path: Path, clock: ManualClock) -> Iterator[Tools]:
    """What a pass is given, around an empty ledger."""
    url = f"sqlite:///{tmp_path}/syncd.db"
    store = open_store(url, create=True)
    migrate.upgrade(store)
    store.close()
    ledger = Ledger.open(url)
    yield Tools(ledger, clock, threading.Event(), random.Random(1))
    ledger.close()


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Every log line so far, at debug."""
    out = io.StringIO()
    logs.configure("debug", "json", Redactor([]), out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logs.configure("warning", "json", Redactor([]), io.StringIO())
