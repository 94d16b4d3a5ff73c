"""A book without HTTP, on a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from syncd.sandbox.book import Book
from syncd.sandbox.clock import VirtualClock, parse_ms

MONDAY_8_UTC = parse_ms("2026-11-23T08:00:00Z")
TOKEN = "1.2.made-for-a-test"


class Desk:
    """The verbs of a book as a test wants them: values instead of bytes."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.campaign = book.campaign(TOKEN)

    def add(self, *items: Any, key: str | None = None) -> list[str]:
        """The IDs of addPhones."""
        answer = self.book.add_phones(TOKEN, orjson.dumps(list(items)), key).answer
        return list(orjson.loads(answer))

    def wait(self, *, hours: float = 0, minutes: float = 0) -> None:
        """Lets virtual time pass."""
        self.book.move_clock(advance_s=hours * 3600 + minutes * 60)

    def report(self, id_: str) -> dict[str, Any]:
        """The job report of one ID."""
        self.book.now_ms()
        return self.campaign.jobs[int(id_)].report()

    def dialled(self) -> list[str]:
        """The phones in the order in which they were called."""
        self.book.now_ms()
        return [call.job.phone for call in self.campaign.dialled]


@pytest.fixture
def make_desk() -> Callable[..., Desk]:
    """A desk over a new book; options are those of Book."""

    def make(start_ms: int = MONDAY_8_UTC, **options: Any) -> Desk:
        return Desk(Book(VirtualClock(start_ms, 0.0), [TOKEN], **options))

    return make


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """A desk with the usual settings, on Monday at 8 in the morning, UTC."""
    return make_desk()
