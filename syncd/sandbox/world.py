"""What one sandbox is made of: book, faults and the log of requests.

Owns the log: a bounded ring in which no token appears.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final

from syncd.sandbox.book import DEFAULT_LINES, Book
from syncd.sandbox.clock import VirtualClock
from syncd.sandbox.faults import FaultQueue
from syncd.sandbox.journal import Journal
from syncd.sandbox.knobs import Knobs

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8642
DEFAULT_TOKEN: Final = "1000.1001.sandboxTokenThatOpensNothingButThisMachine"  # noqa: S105 - opens only a sandbox
REQUESTS_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxConfig:
    """How a sandbox is set up. The default token is served beside those in `tokens`.

    `start_ms` is the virtual start (None: the real present); `speed` 0 stands still.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    tokens: tuple[str, ...] = ()
    speed: float = 1.0
    seed: int = 1
    state: Path | None = None
    lines: int = DEFAULT_LINES
    start_ms: int | None = None
    knobs: Knobs = field(default_factory=Knobs)

    @property
    def all_tokens(self) -> tuple[str, ...]:
        """The given tokens, then the default one."""
        return tuple(dict.fromkeys((*self.tokens, DEFAULT_TOKEN)))


class RequestLog:
    """The last requests, each with a number from 1."""

    def __init__(self) -> None:
        self._kept: deque[dict[str, object]] = deque(maxlen=REQUESTS_KEPT)
        self._seq = 0
        self._lock = Lock()

    def note(self, entry: dict[str, object]) -> None:
        """Keeps an entry; the oldest goes when the ring is full."""
        with self._lock:
            self._seq += 1
            self._kept.append({"seq": self._seq, **entry})

    def clear(self) -> None:
        """Forgets all; numbers begin anew."""
        with self._lock:
            self._kept.clear()
            self._seq = 0

    def entries(self) -> list[dict[str, object]]:
        """Oldest first."""
        with self._lock:
            return list(self._kept)


@dataclass(slots=True)
class World:
    """Everything that a sandbox knows."""

    book: Book
    faults: FaultQueue = field(default_factory=FaultQueue)
    requests: RequestLog = field(default_factory=RequestLog)
    journal: Journal | None = None

    def reset(self) -> None:
        """Back to the first day: no jobs, keys, requests or faults."""
        self.book.reset()
        self.faults.clear()
        self.requests.clear()

    def close(self) -> None:
        """Lets the state file go."""
        if self.journal is not None:
            self.journal.close()


def build_world(config: SandboxConfig) -> World:
    """A new world, or the one that the state file tells of. Raises StateError."""
    journal = None if config.state is None else Journal(config.state)
    book = Book(
        VirtualClock(config.start_ms, config.speed),
        config.all_tokens,
        seed=config.seed,
        lines=config.lines,
        knobs=config.knobs,
        journal=journal,
    )
    return World(book, journal=journal)
