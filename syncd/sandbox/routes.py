"""The vendor's methods over HTTP.

Owns paths, parameters and answers as the contract has them. Every request is noted in the log with
its token masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from syncd.sandbox import reports
from syncd.sandbox.book import Added, Control
from syncd.sandbox.campaign import SandboxCampaign
from syncd.sandbox.clock import iso_ms
from syncd.sandbox.faults import Answer, deliver
from syncd.sandbox.refusals import RefusalError, bad_request
from syncd.sandbox.world import World

CALLS: Final = "/api/calls/campaign/{token}"
CRM_CALLS: Final = "/api/crmCalls/campaign/{token}"
KEY_HEADER: Final = b"idempotence-key"
KEY_PARAMETER: Final = "Idempotence-Key"
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
_KEPT_APART: Final = frozenset({"phone", "gmtZone", KEY_PARAMETER})


@dataclass(slots=True)
class Request:
    """A request to a vendor's method; `noted` grows into its entry of the log."""

    world: World
    token: str
    method: str
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes = b""
    noted: dict[str, object] = field(default_factory=dict)

    @property
    def header_key(self) -> str | None:
        """The key of a POST."""
        value = self.headers.get(KEY_HEADER)
        return value.decode("latin-1") if value else None


Handler = Callable[[Request], bytes]


class ApiMethod:
    """An ASGI application for one path: does the work, notes it, answers or fails as told."""

    def __init__(self, world: World, handlers: Mapping[str, Handler]) -> None:
        self._world = world
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, token = str(scope["path"]), str(scope["path_params"].get("token", ""))
        masked = _TOKEN.sub(r"\1*", path)
        request = Request(
            self._world, token, scope["method"], scope["query_string"], dict(scope["headers"])
        )
        whole = await _read_body(request, receive)
        fault = self._world.faults.take(masked)
        if fault is None or fault.done:
            answer = self._answer(request) if whole else _too_large()
        else:
            answer = Answer(b"")
        self._world.requests.note(
            {
                "method": request.method,
                "path": masked,
                "key": request.noted.pop("key", None),
                "status": answer.status if fault is None or fault.done else None,
                "fault": fault.name if fault else None,
                "at": iso_ms(self._world.book.clock.now_ms()),
                "real": iso_ms(self._world.book.clock.real_ms()),
                **request.noted,
            }
        )
        await deliver(answer, fault, scope, receive, send)

    def _answer(self, request: Request) -> Answer:
        handler = self._handlers.get(request.method)
        if handler is None:
            return no_such_method(405, "Method Not Allowed", ", ".join(self._handlers))
        try:
            with self._world.book.lock:  # a test may move the clock from another thread
                return Answer(handler(request))
        except RefusalError as refusal:
            return Answer(orjson.dumps(refusal.body), refusal.status)
        except _LacksMethodError:
            return no_such_method(404, "Not Found")


class _LacksMethodError(Exception):
    """This installation is too old for the method."""


def no_such_method(status: int, error: str, allow: str | None = None) -> Answer:
    """The answer of the web server itself: no `type`, so that no token is put in doubt by it."""
    headers = (("allow", allow),) if allow else ()
    return Answer(orjson.dumps({"status": status, "error": error}), status, headers=headers)


def _too_large() -> Answer:
    return no_such_method(413, "Payload Too Large")


async def _read_body(request: Request, receive: Receive) -> bool:
    """Reads the body; False when it is larger than anybody may send."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY_BYTES:
            parts.append(part)
        more = message.get("more_body", False)
    request.body = b"".join(parts)
    return size <= MAX_BODY_BYTES


# --- adding -------------------------------------------------------------------------------------


def _add_phones(request: Request) -> bytes:
    key = request.header_key
    request.noted["key"] = key
    return _noted(request, request.world.book.add_phones(request.token, request.body, key))


def _add_by_query(request: Request, *, test: bool = False) -> bytes:
    parameters = _parameters(request.query)
    return _add_one(request, parameters, parameters.get(KEY_PARAMETER), test=test)


def _add_by_form(request: Request) -> bytes:
    return _add_one(request, _parameters(request.body), request.header_key)


def _test_add(request: Request) -> bytes:
    return _add_by_query(request, test=True)


def _add_one(
    request: Request, parameters: dict[str, str], key: str | None, *, test: bool = False
) -> bytes:
    """Every parameter without a meaning of its own becomes the payload."""
    request.noted["key"] = key or None
    payload = {name: value for name, value in parameters.items() if name not in _KEPT_APART}
    added = request.world.book.add_phone(
        request.token, parameters.get("phone"), payload, parameters.get("gmtZone"), key, test=test
    )
    return _noted(request, added)


def _parameters(encoded: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise bad_request("the parameters are not percent-encoded UTF-8") from None


def _noted(request: Request, added: Added) -> bytes:
    request.noted |= {
        "phones": added.phones,
        "jobs": added.jobs,
        "repeated_key": added.repeated,
        "ignored_fields": list(added.ignored),
    }
    return added.answer


# --- reports, cancel, control, information ------------------------------------------------------


def _campaign(request: Request) -> SandboxCampaign:
    """The campaign as it is now."""
    request.world.book.now_ms()
    return request.world.book.campaign(request.token)


def _job_reports(request: Request) -> bytes:
    campaign = _campaign(request)
    return orjson.dumps([job.report() for job in request.world.book.named(campaign, request.body)])


def _attempt_reports(request: Request) -> bytes:
    campaign = _campaign(request)
    jobs = request.world.book.named(campaign, request.body)
    return orjson.dumps([attempt.report() for job in jobs for attempt in job.attempts])


def _cancel(request: Request) -> bytes:
    return request.world.book.cancel(request.token, request.body)


def _paged(method: Callable[[SandboxCampaign, bytes], dict[str, object]]) -> Handler:
    def handler(request: Request) -> bytes:
        campaign = _campaign(request)
        if not request.world.paging:
            raise _LacksMethodError
        return orjson.dumps(method(campaign, request.body))

    return handler


def _control(action: Control) -> Handler:
    def handler(request: Request) -> bytes:
        request.world.book.control(request.token, action)
        return b""

    return handler


def _info(request: Request) -> bytes:
    return orjson.dumps(_campaign(request).info())


def _status(request: Request) -> bytes:
    return orjson.dumps(_campaign(request).status)


def _nothing_here(_: Request) -> bytes:
    raise _LacksMethodError


_METHODS: Final[dict[str, dict[str, Handler]]] = {
    f"{CALLS}/addPhones": {"POST": _add_phones},
    f"{CALLS}/addPhone": {"GET": _add_by_query},
    f"{CRM_CALLS}/addPhone": {"GET": _add_by_query, "POST": _add_by_form},
    f"{CRM_CALLS}/test/addPhone": {"GET": _test_add},
    f"{CALLS}/callJob/cancel": {"POST": _cancel},
    f"{CALLS}/callJob/getReport": {"POST": _job_reports},
    f"{CALLS}/callAttempt/getReport": {"POST": _attempt_reports},
    f"{CALLS}/callJob/getReportByDate": {"POST": _paged(reports.jobs_by_date)},
    f"{CALLS}/callAttempt/getReportByDate": {"POST": _paged(reports.attempts_by_date)},
    f"{CALLS}/callJob/getUnfinished": {"POST": _paged(reports.unfinished)},
    f"{CALLS}/control/pause": {"POST": _control("pause")},
    f"{CALLS}/control/resume": {"POST": _control("resume")},
    f"{CALLS}/control/stop": {"POST": _control("stop")},
    f"{CALLS}/status": {"GET": _status},
    CALLS: {"GET": _info},
}
_TOKEN: Final = re.compile(r"(/campaign/)[^/]+")
_EVERY_METHOD: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def api_routes(world: World) -> list[Any]:
    """The routes of the vendor's API; anything else under /api is a 404 without a `type`."""
    routes = [Route(path, ApiMethod(world, handlers)) for path, handlers in _METHODS.items()]
    nothing = ApiMethod(world, dict.fromkeys(_EVERY_METHOD, _nothing_here))
    return [*routes, Route("/{path:path}", nothing)]
