"""A sandbox inside a test: a server in a thread, and a hand on its book, clock and faults.

Usage::

    with running_sandbox(speed=0.0, start_ms=…) as box:
        client = CampaignClient("welcome", box.base_url, box.token, …)
        ...
        box.faults.add(Fault("answer_lost", path="addPhones"))
        box.advance(2 * 86_400)
        assert box.verdict()["ok"]
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Final

from syncd.sandbox.book import Book
from syncd.sandbox.faults import FaultQueue
from syncd.sandbox.jobs import Attempt, Job
from syncd.sandbox.server import SandboxServer
from syncd.sandbox.verdict import verdict
from syncd.sandbox.world import RequestLog, SandboxConfig, build_world

START_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that listens. `token` opens the first campaign, `tokens` all of them."""

    base_url: str
    token: str
    tokens: tuple[str, ...]
    book: Book
    faults: FaultQueue
    requests: RequestLog

    def advance(self, seconds: float) -> int:
        """Moves the virtual clock; answers its present in Unix milliseconds."""
        return self.book.move_clock(advance_s=seconds)

    def jobs(self) -> list[Job]:
        """All jobs, in the order of creation for each campaign."""
        with self.book.lock:
            self.book.now_ms()
            return [job for campaign in self.book.campaigns.values() for job in campaign.created]

    def calls(self) -> list[Attempt]:
        """The ground truth: every dialled attempt."""
        with self.book.lock:
            self.book.now_ms()
            return [call for campaign in self.book.campaigns.values() for call in campaign.dialled]

    def verdict(self) -> dict[str, Any]:
        """The same as `GET /_sandbox/verdict`."""
        return verdict(self.book)


@contextmanager
def running_sandbox(**options: Any) -> Iterator[RunningSandbox]:
    """A sandbox on a free port of 127.0.0.1, stopped at the end of the block.

    `options` are fields of SandboxConfig; `speed` is 0 unless given: time moves by `advance` only.
    """
    config = SandboxConfig(**{"port": 0, "speed": 0.0, **options})
    world = build_world(config)
    up = Event()
    ports: list[int] = []

    def ready(port: int) -> None:
        ports.append(port)
        up.set()

    server = SandboxServer(world, config, ready)
    thread = Thread(target=server.run, name="sandbox", daemon=True)
    thread.start()
    try:
        assert up.wait(START_S), "the sandbox did not start"
        tokens = config.all_tokens
        url = f"http://{config.host}:{ports[0]}"
        yield RunningSandbox(url, tokens[0], tokens, world.book, world.faults, world.requests)
    finally:
        server.stop()
        thread.join(START_S)
        world.close()
