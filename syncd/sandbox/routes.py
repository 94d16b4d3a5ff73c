"""The vendor's methods over HTTP.

Owns the way from an ASGI request to the exchange and back.
"""

from __future__ import annotations

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from syncd.sandbox.deliver import REUSED, deliver
from syncd.sandbox.exchange import MAX_BODY_BYTES, exchange
from syncd.sandbox.world import World


class Api:
    """An ASGI application for everything outside the control plane."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        seen = exchange(
            self._world,
            scope["method"],
            scope["path"],
            query=scope["query_string"],
            headers={name.decode(): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            reused=bool(scope.get(REUSED)),
        )
        await deliver(seen, scope, receive, send)


def api_routes(world: World) -> list[Route]:
    """The routes of the vendor's API; anything else is a 404 without a `type`."""
    return [Route("/{path:path}", Api(world))]


async def _read_body(receive: Receive) -> bytes | None:
    """Reads the body; None when it is larger than anybody may send."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY_BYTES:
            parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts) if size <= MAX_BODY_BYTES else None
