"""Faults on demand: a queue of lies and breakdowns for the next requests.

Owns what each fault does to an answer, down to the socket. It must never touch the book: whether
the request is carried out is decided before, by `Fault.done`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, NamedTuple

import orjson
from starlette.types import Receive, Scope, Send

TRANSPORT: Final = "syncd.sandbox.transport"
"""Where the server leaves the connection's transport in the ASGI scope."""
SLICES: Final = 10
_RST_ON_CLOSE: Final = struct.pack("ii", 1, 0)
JSON: Final = "application/json"


class Answer(NamedTuple):
    """An HTTP answer before a fault gets at it."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Kind(NamedTuple):
    """A row of the table of faults. `done` None: the work is done and cannot be left out."""

    done: bool | None
    meaning: str


KINDS: Final[dict[str, Kind]] = {
    "answer_lost": Kind(done=True, meaning="the connection is closed without one byte of answer"),
    "reset": Kind(done=False, meaning="the connection is reset (RST)"),
    "http_500": Kind(done=False, meaning="500 with a JSON body"),
    "http_500_after": Kind(done=None, meaning="the work is done, then 500 with a JSON body"),
    "http_429": Kind(done=False, meaning="429 with Retry-After: `retry_after` seconds (1)"),
    "truncated": Kind(
        done=None, meaning="Content-Length of the whole body, half of it, then close"
    ),
    "slow": Kind(done=None, meaning="the answer trickles in over `seconds` (5)"),
    "short_answer": Kind(done=None, meaning="the first item of the answered list is left out"),
    "reversed_answer": Kind(done=None, meaning="the answered list comes back to front"),
    "html_502": Kind(done=False, meaning="502 with an HTML page, as a proxy makes it"),
    "empty_200": Kind(done=True, meaning="200 with an empty body"),
}


@dataclass(slots=True)
class Fault:
    """For `count` requests whose path has `path` in it, after `skip` of them."""

    name: str
    count: int = 1
    path: str = ""
    skip: int = 0
    retry_after: float = 1
    seconds: float = 5
    done: bool | None = None

    def __post_init__(self) -> None:
        kind = KINDS.get(self.name)
        if kind is None:
            raise ValueError(f"unknown fault; known: {', '.join(KINDS)}")
        if self.done is not None and kind.done is None:
            raise ValueError(f"{self.name} always does the work: leave out done")
        if self.done is None:
            self.done = kind.done is not False
        if self.count < 1 or self.skip < 0 or self.retry_after < 0 or self.seconds < 0:
            raise ValueError("count must be 1 or more; skip, retry_after and seconds 0 or more")

    def public(self) -> dict[str, object]:
        """As `GET /_sandbox/faults` shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "name": (str,), "count": (int,), "path": (str,), "skip": (int,),
    "retry_after": (int, float), "seconds": (int, float), "done": (bool,),
}  # fmt: skip


def read_fault(item: object) -> Fault:
    """A fault from JSON; ValueError says what is wrong."""
    if not isinstance(item, dict) or "name" not in item:
        raise ValueError("a fault is an object with a name")
    for name, value in item.items():
        kinds = _TYPES.get(name)
        if kinds is None:
            raise ValueError(f"unknown field of a fault; known: {', '.join(_TYPES)}")
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{name} has a wrong type")
    return Fault(**item)


class FaultQueue:
    """Faults in the order in which they were asked for; the first that fits is applied."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, *faults: Fault) -> None:
        """Queues faults behind those that wait."""
        with self._lock:
            self._faults.extend(faults)

    def take(self, path: str) -> Fault | None:
        """The fault for a request to this (masked) path, counted down."""
        with self._lock:
            for fault in self._faults:
                if fault.path not in path:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.count -= 1
                if not fault.count:
                    self._faults.remove(fault)
                return fault
            return None

    def clear(self) -> None:
        """Drops what waits."""
        with self._lock:
            self._faults.clear()

    def waiting(self) -> list[dict[str, object]]:
        """What is still to come."""
        with self._lock:
            return [fault.public() for fault in self._faults]


def spoil(fault: Fault, answer: Answer) -> Answer:
    """The answer that the fault makes of a good one; faults of the socket leave it as it is."""
    match fault.name:
        case "http_500" | "http_500_after":
            body = {"type": "internal.error", "message": "something went wrong"}
            return Answer(orjson.dumps(body), 500)
        case "http_429":
            body = {"type": "too.many.requests", "message": "slow down"}
            wait = (("retry-after", f"{fault.retry_after:g}"),)
            return Answer(orjson.dumps(body), 429, JSON, wait)
        case "html_502":
            page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"
            return Answer(page, 502, "text/html")
        case "empty_200":
            return Answer(b"")
        case "short_answer" | "reversed_answer" as name:
            change = _shorter if name == "short_answer" else _reversed
            return answer._replace(body=change(answer.body))
        case _:
            return answer


def _shorter(body: bytes) -> bytes:
    """Without the first item, so that every position tells a lie."""
    value: Any = orjson.loads(body) if body else None
    if isinstance(value, list):
        return orjson.dumps(value[1:])
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        return orjson.dumps({**value, "items": value["items"][1:]})
    return body


def _reversed(body: bytes) -> bytes:
    """As long as it was: only what the items themselves say tells which is whose."""
    value: Any = orjson.loads(body) if body else None
    return orjson.dumps(value[::-1]) if isinstance(value, list) else body


async def deliver(
    answer: Answer, fault: Fault | None, scope: Scope, receive: Receive, send: Send
) -> None:
    """Sends the answer, or breaks the connection in the way of the fault."""
    if fault is None:
        await _send_whole(answer, send)
        return
    answer = spoil(fault, answer)
    match fault.name:
        case "answer_lost":
            await _hang_up(scope, receive)
        case "reset":
            sock = scope[TRANSPORT].get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
            scope[TRANSPORT].abort()
            await _gone(receive)
        case "truncated":
            await send(_start(answer))
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await _hang_up(scope, receive)
        case "slow":
            await _trickle(answer, fault.seconds, receive, send)
        case _:
            await _send_whole(answer, send)


async def _send_whole(answer: Answer, send: Send) -> None:
    await send(_start(answer))
    await send({"type": "http.response.body", "body": answer.body})


async def _trickle(answer: Answer, seconds: float, receive: Receive, send: Send) -> None:
    size = max(1, -(-len(answer.body) // SLICES))
    parts = [answer.body[at : at + size] for at in range(0, len(answer.body), size)]
    pause_s = seconds / (len(parts) + 1)
    events: list[dict[str, Any]] = [
        _start(answer),
        *({"type": "http.response.body", "body": part, "more_body": True} for part in parts),
    ]
    for event in events:
        try:
            async with asyncio.timeout(pause_s):
                await _gone(receive)
        except TimeoutError:
            await send(event)
        else:
            return  # the client has lost its patience
    await send({"type": "http.response.body", "body": b""})


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Closes after what was written has left."""
    scope[TRANSPORT].close()
    await _gone(receive)


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
