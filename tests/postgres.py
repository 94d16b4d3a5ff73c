"""Databases on the PostgreSQL server of the tests: made for one use, and dropped after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url

POSTGRES_URL = os.environ.get(
    "SYNCD_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test"
)


@contextmanager
def new_database(name: str, *, server: str = POSTGRES_URL) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty database of this name."""
    with psycopg.connect(conninfo(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(conninfo(server), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def conninfo(url: str) -> str:
    """What libpq reads, of a SQLAlchemy URL."""
    parts = make_url(url).translate_connect_args(username="user", database="dbname")
    return make_conninfo(**{key: str(value) for key, value in parts.items()}, **dict(_query(url)))


def _query(url: str) -> Iterator[tuple[str, str]]:
    for key, value in make_url(url).query.items():
        yield key, value if isinstance(value, str) else value[0]
