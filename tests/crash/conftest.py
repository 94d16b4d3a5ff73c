"""Fixtures of the crash tests: a warm parent for each test process, and a ledger of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.ledgers import PostgresKind, SqliteKind
from tests.crash.processes import Processes, warm_processes
from tests.crash.walk import Stage


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    """One warm parent for all tests here."""
    with warm_processes() as made:
        yield made


@pytest.fixture
def on_sqlite(processes: Processes, tmp_path: Path) -> Stage:
    """Stories on a real file."""
    return Stage(processes, SqliteKind(tmp_path / "syncd.db"))


@pytest.fixture
def on_postgresql(processes: Processes, postgres_url: str) -> Iterator[Stage]:
    """Stories on a real server."""
    kind = PostgresKind(postgres_url)
    try:
        yield Stage(processes, kind)
    finally:
        kind.close()
