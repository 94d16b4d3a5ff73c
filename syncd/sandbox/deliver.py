"""What the client sees, sent through a real socket: whole, in pieces, cut off or reset.

Owns the hand on the connection. What is to be seen was decided before, by `spoil`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from syncd.sandbox.faults import Answer
from syncd.sandbox.spoil import Seen

TRANSPORT: Final = "syncd.sandbox.transport"
"""Where the server leaves the connection's transport in the ASGI scope."""
REUSED: Final = "syncd.sandbox.reused"
"""And whether the connection had a request before."""
_RST_ON_CLOSE: Final = struct.pack("ii", 1, 0)


async def deliver(seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends what is to be seen, and breaks the connection if it ends so."""
    pause_s = seen.seconds / (seen.parts + 1)
    for message in _messages(seen):
        if pause_s and await _left(pause_s, receive):
            return
        await send(message)
    if seen.answer is None and seen.seconds and await _left(seen.seconds, receive):
        return
    if seen.end == "closed":
        scope[TRANSPORT].close()  # after what was written has left
        await _gone(receive)
    elif seen.end == "reset":
        # Only what has left the process already gets through: the rest of the buffer is dropped.
        scope[TRANSPORT].get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE
        )
        scope[TRANSPORT].abort()
        await _gone(receive)


def _messages(seen: Seen) -> Iterator[dict[str, Any]]:
    """The events of the answer; the last one ends it, if it is to be whole."""
    if seen.answer is None:
        return
    whole, body = seen.end == "whole", seen.body
    yield _start(seen.answer)
    size = max(1, -(-len(body) // seen.parts))
    for at in range(0, len(body) or whole, size):
        more = not whole or at + size < len(body)
        yield {"type": "http.response.body", "body": body[at : at + size], "more_body": more}


async def _left(pause_s: float, receive: Receive) -> bool:
    """Waits, and tells whether the client has lost its patience meanwhile."""
    try:
        async with asyncio.timeout(pause_s):
            await _gone(receive)
    except TimeoutError:
        return False
    return True


async def _gone(receive: Receive) -> None:
    """Waits until the server has noticed, so that it does not answer in our place."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _start(answer: Answer) -> dict[str, Any]:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        *((name.encode(), value.encode()) for name, value in answer.headers),
    ]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}
