"""Databases of the benches on a PostgreSQL server, made new for each run and dropped."""

from __future__ import annotations

import psycopg


def recreate(url: str, name: str) -> str:
    """A new, empty database `name` on the server at `url`; its URL."""
    drop(url, name)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    return f"{url.rpartition('/')[0]}/{name}"


def drop(url: str, name: str) -> None:
    """Drop it, if it is there."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
