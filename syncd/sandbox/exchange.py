"""One request and what the client sees of it: the whole of the sandbox without a socket.

Owns the order of things: the fault is taken, the work is done, parked or left out, the log is told,
and the answer is spoiled. The server and tests without HTTP go the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import orjson

from syncd.sandbox.clock import iso_ms
from syncd.sandbox.faults import Answer
from syncd.sandbox.methods import METHODS, Handler, LacksMethodError, Request, nothing_here
from syncd.sandbox.refusals import RefusalError, scripted
from syncd.sandbox.spoil import Seen, seen_through
from syncd.sandbox.world import World

MAX_BODY_BYTES: Final = 64 * 1024 * 1024
_TOKEN: Final = re.compile(r"(/campaign/)([^/]+)")
_EVERY_METHOD: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NOTHING: Final[dict[str, Handler]] = dict.fromkeys(_EVERY_METHOD, nothing_here)


def exchange(
    world: World,
    method: str,
    path: str,
    *,
    query: bytes = b"",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = b"",
    reused: bool = False,
) -> Seen:
    """Does what a request asks for, and tells what arrives of the answer.

    The names of `headers` are in lower case. `body` None: it was larger than anybody may send.
    `reused`: the connection was used before.
    """
    found = _TOKEN.search(path)
    request = Request(
        world, found[2] if found else "", method, path, query, headers or {}, body or b""
    )
    fault = request.fault = world.faults.take(_masked(path), request.body, reused=reused)
    refuses = fault is not None and fault.name == "refused"
    if fault is None or fault.done or refuses:
        answer = _answer(request) if body is not None else _too_large()
        _note(request, answer)
    else:
        answer = Answer(b"")
        _note(request, None)
        if fault.name == "late":
            _park(request, fault.delay_seconds or 0)
    return seen_through(fault, answer, path + (f"?{query.decode('latin-1')}" if query else ""))


def no_such_method(status: int, error: str, allow: str | None = None) -> Answer:
    """The answer of the web server itself: no `type`, so that no token is put in doubt by it."""
    headers = (("allow", allow),) if allow else ()
    return Answer(orjson.dumps({"status": status, "error": error}), status, headers=headers)


def _answer(request: Request) -> Answer:
    handlers = METHODS.get(_TOKEN.sub(r"\1{token}", request.path), _NOTHING)
    handler = handlers.get(request.method)
    if handler is None:
        return no_such_method(405, "Method Not Allowed", ", ".join(handlers))
    try:
        with request.world.book.lock:  # a test may move the clock from another thread
            return Answer(_handled(handler, request))
    except RefusalError as refusal:
        return Answer(orjson.dumps(refusal.body), refusal.status)
    except LacksMethodError:
        return no_such_method(404, "Not Found")


def _handled(handler: Handler, request: Request) -> bytes:
    fault = request.fault
    if fault is None or fault.name != "refused":
        return handler(request)
    refusal = scripted(fault.error or {}, fault.status or 400)
    if not request.path.endswith(("/addPhones", "/addPhone")):
        raise refusal
    with request.world.book.refusing(refusal):
        return handler(request)


def _park(request: Request, delay_s: float) -> None:
    """Carries the request out later; whatever comes of it, nobody is told but the log."""

    def act() -> None:
        late = Request(
            request.world, request.token, request.method, request.path, request.query,
            request.headers, request.body, noted={"late": True},
        )  # fmt: skip
        _note(late, _answer(late))

    try:
        key = request.key
    except RefusalError:
        key = None
    request.world.book.park(delay_s, act, token=request.token, key=key)


def _note(request: Request, answer: Answer | None) -> None:
    """An entry of the log; `answer` None: the request was not carried out."""
    book, fault = request.world.book, request.fault
    request.world.requests.note(
        {
            "method": request.method,
            "path": _masked(request.path),
            "key": request.noted.pop("key", None),
            "status": None if answer is None else answer.status,
            "fault": fault.name if fault else None,
            "at": iso_ms(book.now_ms()),
            "real": iso_ms(book.clock.real_ms()),
            **request.noted,
        }
    )


def _masked(path: str) -> str:
    return _TOKEN.sub(r"\1*", path)


def _too_large() -> Answer:
    return no_such_method(413, "Payload Too Large")
