"""A sandbox inside a test: behind HTTP in a thread, or without a socket; and a hand on all of it.

Usage::

    with running_sandbox(speed=0.0, start_ms=…, key_scope="account") as box:
        client = CampaignClient("welcome", box.base_url, box.token, …)
        ...
        box.faults.add(Fault("answer_lost", path="addPhones"))
        box.advance(2 * 86_400)
        assert box.verdict()["ok"]

    box = direct_sandbox(start_ms=…)
    seen = box.exchange("POST", f"/api/calls/campaign/{box.token}/addPhones", body=…)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Final

import orjson

from syncd.sandbox.book import Book
from syncd.sandbox.exchange import exchange
from syncd.sandbox.faults import FaultQueue
from syncd.sandbox.jobs import Attempt, Job
from syncd.sandbox.knobs import KNOBS, Knobs
from syncd.sandbox.server import SandboxServer
from syncd.sandbox.spoil import Seen
from syncd.sandbox.verdict import verdict
from syncd.sandbox.world import RequestLog, SandboxConfig, World, build_world

START_S: Final = 30.0
NOWHERE: Final = "http://sandbox.invalid"


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox in this process. `token` opens the first campaign, `tokens` all of them."""

    base_url: str
    tokens: tuple[str, ...]
    world: World

    @property
    def token(self) -> str:
        """The token of the first campaign."""
        return self.tokens[0]

    @property
    def book(self) -> Book:
        """The verbs, and everything that is known."""
        return self.world.book

    @property
    def faults(self) -> FaultQueue:
        """What will go wrong."""
        return self.world.faults

    @property
    def requests(self) -> RequestLog:
        """What was asked."""
        return self.world.requests

    def exchange(
        self,
        method: str,
        path: str,
        *,
        query: bytes = b"",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        reused: bool = False,
    ) -> Seen:
        """A request without a socket, as in `syncd.sandbox.exchange`."""
        return exchange(
            self.world, method, path, query=query, headers=headers, body=body, reused=reused
        )

    def advance(self, seconds: float) -> int:
        """Moves the virtual clock; answers its present in Unix milliseconds."""
        return self.book.move_clock(advance_s=seconds)

    def turn(self, **knobs: Any) -> Knobs:
        """Turns knobs, as `POST /_sandbox/knobs`."""
        return self.book.turn(knobs)

    def set_tokens(self, *tokens: str, campaign: int = 0) -> None:
        """Which tokens open a campaign, counted from 0, as `POST /_sandbox/tokens`."""
        self.book.set_tokens(list(self.book.campaigns.values())[campaign].id, tokens)

    def call_by_hand(self, jobs: Sequence[object], *, campaign: int = 0) -> list[str]:
        """Jobs that an operator makes, as `POST /_sandbox/operator`; their IDs."""
        number = list(self.book.campaigns.values())[campaign].id
        return self.book.add_by_operator(number, orjson.dumps(jobs))

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


def direct_sandbox(**options: Any) -> RunningSandbox:
    """A sandbox without a socket or a thread: `exchange` is the way in.

    `options` are knobs and fields of SandboxConfig but `state`; time moves by `advance` only.
    """
    config = _config(options)
    return RunningSandbox(NOWHERE, config.all_tokens, build_world(config))


@contextmanager
def running_sandbox(**options: Any) -> Iterator[RunningSandbox]:
    """A sandbox on a free port of 127.0.0.1, stopped at the end of the block.

    `options` are knobs and fields of SandboxConfig; `speed` is 0 unless given: time moves by
    `advance` only.
    """
    config = _config(options)
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
        yield RunningSandbox(f"http://{config.host}:{ports[0]}", config.all_tokens, world)
    finally:
        server.stop()
        thread.join(START_S)
        world.close()


def _config(options: Mapping[str, Any]) -> SandboxConfig:
    knobs = Knobs().turned({name: value for name, value in options.items() if name in KNOBS})
    rest = {name: value for name, value in options.items() if name not in KNOBS}
    return SandboxConfig(**{"port": 0, "speed": 0.0, "knobs": knobs, **rest})
