"""Helpers for the tests of sources: an export in a folder, and reading it to its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.sources.base import BadRecord, Cursor, Page
from syncd.sources.csv_file import CsvSource

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@dataclass
class Got:
    """Everything that one poll gave."""

    pages: list[Page] = field(default_factory=list)

    @property
    def rows(self) -> list[list[object]]:
        return [list(row) for page in self.pages for row in page.rows]

    @property
    def lines(self) -> list[int]:
        return [line for page in self.pages for line in page.lines]

    @property
    def bad(self) -> list[BadRecord]:
        return [bad for page in self.pages for bad in page.bad]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(bad.line, bad.reason) for bad in self.bad]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.pages[0].columns

    @property
    def cursor(self) -> Cursor:
        return self.pages[-1].cursor


class Box:
    """A folder of exports and the source that reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(
        self, content: str | bytes, name: str = "leads.csv", *, age: timedelta = timedelta(hours=1)
    ) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.date(path, age)
        return path

    def date(self, path: Path, age: timedelta) -> None:
        at = int((NOW - age).timestamp() * 1e9)
        os.utime(path, ns=(at, at))

    def source(self, path: str = "leads.csv", **options: Any) -> CsvSource:
        return CsvSource.open(
            "crm", CsvSource.Options.model_validate({"path": str(self.folder / path), **options})
        )

    def read(
        self,
        path: str = "leads.csv",
        cursor: Cursor | None = None,
        *,
        now: datetime = NOW,
        **options: Any,
    ) -> Got:
        return Got(list(self.source(path, **options).read(cursor, now=now)))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


@pytest.fixture
def read_text(box: Box) -> Callable[..., Got]:
    """Put `content` into a file and read it with `options`."""

    def read(content: str | bytes, **options: Any) -> Got:
        box.put(content)
        return box.read(**options)

    return read
