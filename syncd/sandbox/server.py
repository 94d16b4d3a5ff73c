"""The sandbox as a server: Starlette on uvicorn, with a hand on the socket for the faults.

Owns start and stop. It must never listen on anything but what it was told to.
"""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from syncd.sandbox.control import control_routes
from syncd.sandbox.deliver import REUSED, TRANSPORT
from syncd.sandbox.methods import CALLS
from syncd.sandbox.routes import api_routes
from syncd.sandbox.world import SandboxConfig, World, build_world

TICK_S: Final = 0.25
"""How often the dialer runs without a request: each step is short, and no result changes."""
POLL_S: Final = 0.1
KEEP_ALIVE_S: Final = 75
DRAIN_S: Final = 2
GONE_POLL_S: Final = 0.01
ACCEPT_STEPS: Final = 5
"""After three steps of the loop a connection that was accepted is known to its server."""
BACKLOG: Final = 512


class _OpenProtocol(H11Protocol):
    """HTTP/1.1 whose application sees the transport, so that a fault can break the connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner = self.app
        self.used = False

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT] = self.transport
            scope[REUSED], self.used = self.used, True
            await inner(scope, receive, send)

        self.app = app


class SandboxServer(uvicorn.Server):
    """A uvicorn server that says when it listens. Port 0 takes a free one."""

    def __init__(self, world: World, config: SandboxConfig, ready: Callable[[int], None]) -> None:
        super().__init__(
            uvicorn.Config(
                build_app(world),
                http=_OpenProtocol,
                loop="asyncio",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
            )
        )
        self._ready = ready
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = _listen(config.host, config.port)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until `should_exit` is set or a signal comes."""
        with self._socket:
            super().run(sockets=[self._socket, *(sockets or ())])

    def stop(self) -> None:
        """Ends `run`; from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)

    async def main_loop(self) -> None:
        """Waits for `stop`, and looks now and then whether a signal came."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes at once: what was answered leaves, and no work is worth waiting for.

        The loop ends after this, and a connection that is still open then is never closed. Nor is
        one that was accepted and meets a closed server: first nothing more is accepted.
        """
        asyncio.get_running_loop().remove_reader(self._socket)
        for _ in range(ACCEPT_STEPS):
            await asyncio.sleep(0)
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.transport.close()
        await self._all_gone()
        for connection in list(self.server_state.connections):
            connection.transport.abort()  # its client does not take what it asked for
        await self._all_gone()
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks), timeout=DRAIN_S)
        await self.lifespan.shutdown()

    async def _all_gone(self) -> None:
        """Waits until every connection that was told to close has closed, but not for ever."""
        await asyncio.sleep(0)
        for _ in range(int(DRAIN_S / GONE_POLL_S)):
            if not self.server_state.connections:
                return
            await asyncio.sleep(GONE_POLL_S)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, then tells the port."""
        await super().startup(sockets=sockets)
        self._ready(self._socket.getsockname()[1])


def build_app(world: World) -> Starlette:
    """The ASGI application of a world: the control plane and the vendor's API."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        ticking = asyncio.create_task(_tick(world))
        yield
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking

    return Starlette(routes=[*control_routes(world), *api_routes(world)], lifespan=lifespan)


def serve(config: SandboxConfig, *, ready: Callable[[int], None] | None = None) -> None:
    """Runs a sandbox until it is told to stop (SIGINT, SIGTERM); `ready` gets the port.

    Raises StateError for a bad state file, OSError when the address is taken.
    """
    world = build_world(config)
    try:
        # Jobs live as long as the process: looking through them for garbage only costs time.
        gc.freeze()
        gc.set_threshold(100_000, 50, 1000)
        SandboxServer(world, config, ready or (lambda _port: None)).run()
    finally:
        world.close()


def banner(config: SandboxConfig, port: int) -> str:
    """What a person wants to know when the sandbox is up."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    base = f"http://{host}:{port}"
    path = base + CALLS.format(token=config.all_tokens[0])
    job = '[{"phone": "12125550190", "gmtZone": "America/New_York"}]'
    lines = [
        f"syncd sandbox: a local Calls API at {base} (nobody is phoned)",
        *(f"  token    {token}" for token in config.all_tokens),
        f"  truth    {base}/_sandbox/calls  /_sandbox/jobs  /_sandbox/verdict",
        "try:",
        f"  curl -d '{job}' {path}/addPhones",
        f"  curl -d '{{\"advance_seconds\": 86400}}' {base}/_sandbox/clock",
        f'  curl -d \'{{"phones": ["12125550190"]}}\' {path}/callJob/getReport',
        "stop with Ctrl+C",
    ]
    return "\n".join(lines)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on and each answer waits for 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


async def _tick(world: World) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        world.book.now_ms()
