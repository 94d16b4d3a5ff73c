"""Fixtures that tiers of tests share: a clean environment, an empty PostgreSQL database, a sandbox.

A ledger or a client is the business of the tier or room that tests it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from syncd.sandbox.testing import RunningSandbox
from tests.postgres import POSTGRES_URL, conninfo, new_database
from tests.running import Folder, new_folder, stern_sandbox

# The same examples at each run, on a machine that may be busy. SYNCD_TEST_EXPLORE=1 looks further.
settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", max_examples=1_000, deadline=None, print_blob=True)
settings.load_profile("explore" if os.environ.get("SYNCD_TEST_EXPLORE") else "same")

POSTGRES_REQUIRED = bool(os.environ.get("SYNCD_TEST_REQUIRE_POSTGRES"))
CONNECT_TIMEOUT_S = 5

# The commands that tests start keep their compiled modules, as on any machine: half of their time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_databases = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a PostgreSQL database, so that `-m "not postgres"` leaves it out."""
    for item in items:
        if "postgres_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No SYNCD_ variable of the person who runs the tests reaches a test."""
    for name in list(os.environ):
        if name.startswith("SYNCD_") and not name.startswith("SYNCD_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    """A sandbox that forgives no duplicate; its clock stands still."""
    with stern_sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, box: RunningSandbox, request: pytest.FixtureRequest) -> Iterator[Folder]:
    """A configured folder with an empty ledger, and as many leads as the test's module says."""
    with new_folder(tmp_path, box) as made:
        made.write_leads(request.module.LEADS)
        yield made


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The URL of a server that answers; without one the test is skipped, or in CI fails."""
    try:
        psycopg.connect(conninfo(POSTGRES_URL), connect_timeout=CONNECT_TIMEOUT_S).close()
    except psycopg.OperationalError as error:
        reason = f"no PostgreSQL server answers (SYNCD_TEST_POSTGRES_URL): {error}"
        if POSTGRES_REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
    return POSTGRES_URL


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty database, dropped after the test."""
    with new_database(
        f"syncd_test_{os.getpid()}_{next(_databases)}", server=postgres_server
    ) as url:
        yield url
