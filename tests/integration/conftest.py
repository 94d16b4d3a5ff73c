"""A fresh ledger of each kind: an SQLite file and a PostgreSQL database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from syncd.ledger.ledger import Ledger
from tests.ledgers import new_ledger, sqlite_url

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger to copy: a migration costs more than most tests."""
    file = tmp_path_factory.mktemp("template") / "syncd.db"
    new_ledger(sqlite_url(file)).close()
    return file


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a database with an empty ledger, to copy."""
    name = f"syncd_template_{os.getpid()}"
    with _server(postgres_server) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    new_ledger(_named(postgres_server, name)).close()
    yield name
    with _server(postgres_server) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table; as an SQLite file it does not exist yet."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "syncd.db")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=BOTH)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty ledger that is not open."""
    if request.param == "sqlite":
        file = tmp_path / "syncd.db"
        shutil.copy(request.getfixturevalue("_sqlite_template"), file)
        yield sqlite_url(file)
        return
    template = request.getfixturevalue("_postgres_template")
    address = request.getfixturevalue("postgres_server")
    name = f"{template}_copy"
    with _server(address) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield _named(address, name)
    finally:
        with _server(address) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """An open, empty ledger: the test runs on SQLite and on PostgreSQL."""
    opened = Ledger.open(ledger_url)
    try:
        yield opened
    finally:
        opened.close()


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _server(url: str) -> psycopg.Connection:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)
