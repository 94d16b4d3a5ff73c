"""A client on a made-up network, and a loopback server that can misbehave byte by byte."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from syncd.campaign.client import CampaignClient
from syncd.campaign.pace import Pace
from syncd.campaign.transport import Timeouts

CANARY = "canary-123.456/bAYx%zmk"

MakeClient = Callable[..., CampaignClient]
Behaviour = Callable[[socket.socket, int], None]


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    """Make clients; a handler in place of the network, or a base_url of a real one."""
    made: list[CampaignClient] = []

    def make(
        handler: Callable[[httpx.Request], httpx.Response] | None = None,
        *,
        base_url: str = "https://calls.example",
        token: str = CANARY,
        timeouts: Timeouts | None = None,
        **options: Any,
    ) -> CampaignClient:
        client = CampaignClient(
            "welcome",
            base_url,
            token,
            timeouts=timeouts or Timeouts(2, 2, 2, 2, 10),
            pace=options.pop("pace", None) or Pace(10_000),
            transport=None if handler is None else httpx.MockTransport(handler),
            **options,
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@dataclass
class Loopback:
    """A listener whose connections are served by `behaviour(connection, number)`."""

    behaviour: Behaviour
    trust: ssl.SSLContext | None = None
    over: threading.Event = field(default_factory=threading.Event)
    requests: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    @property
    def url(self) -> str:
        scheme = "https" if self.trust else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        for number in range(1000):
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection, number))
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            if self.trust is None:
                self.behaviour(connection, number)
                return
            with self.trust.wrap_socket(connection, server_side=True) as wrapped:
                self.behaviour(wrapped, number)

    def read_request(self, connection: socket.socket) -> bytes:
        """One whole request; empty when the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(lines.get(b"content-length", b"0")):
            more = connection.recv(65536)
            if not more:
                return b""
            body += more
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def close(self) -> None:
        self.over.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(5)


@pytest.fixture
def loopback() -> Iterator[Callable[..., Loopback]]:
    """Start loopback servers; they end with the test."""
    started: list[Loopback] = []

    def start(behaviour: Callable[..., None], trust: ssl.SSLContext | None = None) -> Loopback:
        server: Loopback

        def serve(connection: socket.socket, number: int) -> None:
            behaviour(server, connection, number)

        server = Loopback(serve, trust)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()
