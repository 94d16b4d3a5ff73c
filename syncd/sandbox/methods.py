"""The vendor's methods: paths, parameters and answers as the contract has them.

Owns the table of methods. It knows nothing of sockets: a request is bytes, and so is its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

import orjson

from syncd.sandbox import reports
from syncd.sandbox.book import Added, Control
from syncd.sandbox.campaign import SandboxCampaign
from syncd.sandbox.faults import Fault
from syncd.sandbox.refusals import bad_request
from syncd.sandbox.reports import View, view_of
from syncd.sandbox.world import World

CALLS: Final = "/api/calls/campaign/{token}"
CRM_CALLS: Final = "/api/crmCalls/campaign/{token}"
KEY_HEADER: Final = "idempotence-key"
KEY_PARAMETER: Final = "Idempotence-Key"
_KEPT_APART: Final = frozenset({"phone", "gmtZone", KEY_PARAMETER})


@dataclass(slots=True)
class Request:
    """A request to a vendor's method; `noted` grows into its entry of the log.

    The names of `headers` are in lower case; `path` has the token, `query` no question mark.
    """

    world: World
    token: str
    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes = b""
    fault: Fault | None = None
    noted: dict[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str | None:
        """The key: in the header of a POST, in the query of a GET."""
        if self.method == "POST":
            return self.headers.get(KEY_HEADER) or None
        return _parameters(self.query).get(KEY_PARAMETER) or None


Handler = Callable[[Request], bytes]


class LacksMethodError(Exception):
    """This installation is too old for the method."""


# --- adding -------------------------------------------------------------------------------------


def _add_phones(request: Request) -> bytes:
    key = request.key
    request.noted["key"] = key
    return _noted(request, request.world.book.add_phones(request.token, request.body, key))


def _add_by_query(request: Request, *, test: bool = False) -> bytes:
    parameters = _parameters(request.query)
    return _add_one(request, parameters, test=test)


def _add_by_form(request: Request) -> bytes:
    return _add_one(request, _parameters(request.body))


def _test_add(request: Request) -> bytes:
    return _add_by_query(request, test=True)


def _add_one(request: Request, parameters: dict[str, str], *, test: bool = False) -> bytes:
    """Every parameter without a meaning of its own becomes the payload."""
    key = request.key
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


def _view(request: Request) -> View:
    """What reports show now; the page faults of this request are in it."""
    book, fault = request.world.book, request.fault
    shift = fault.rows or 0 if fault is not None and fault.name == "page_shifted" else 0
    repeat = fault is not None and fault.name == "page_repeated"
    return view_of(book.knobs, book.now_ms(), shift=shift, repeat=repeat)


def _reports(method: Callable[[SandboxCampaign, bytes, View], bytes]) -> Handler:
    return lambda request: method(_campaign(request), request.body, _view(request))


def _cancel(request: Request) -> bytes:
    return request.world.book.cancel(request.token, request.body)


def _paged(method: Callable[[SandboxCampaign, bytes, View], dict[str, object]]) -> Handler:
    def handler(request: Request) -> bytes:
        campaign = _campaign(request)
        if not request.world.book.knobs.paging:
            raise LacksMethodError
        return orjson.dumps(method(campaign, request.body, _view(request)))

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


def nothing_here(_: Request) -> bytes:
    raise LacksMethodError


METHODS: Final[dict[str, dict[str, Handler]]] = {
    f"{CALLS}/addPhones": {"POST": _add_phones},
    f"{CALLS}/addPhone": {"GET": _add_by_query},
    f"{CRM_CALLS}/addPhone": {"GET": _add_by_query, "POST": _add_by_form},
    f"{CRM_CALLS}/test/addPhone": {"GET": _test_add},
    f"{CALLS}/callJob/cancel": {"POST": _cancel},
    f"{CALLS}/callJob/getReport": {"POST": _reports(reports.jobs_named)},
    f"{CALLS}/callAttempt/getReport": {"POST": _reports(reports.attempts_named)},
    f"{CALLS}/callJob/getReportByDate": {"POST": _paged(reports.jobs_by_date)},
    f"{CALLS}/callAttempt/getReportByDate": {"POST": _paged(reports.attempts_by_date)},
    f"{CALLS}/callJob/getUnfinished": {"POST": _paged(reports.unfinished)},
    f"{CALLS}/control/pause": {"POST": _control("pause")},
    f"{CALLS}/control/resume": {"POST": _control("resume")},
    f"{CALLS}/control/stop": {"POST": _control("stop")},
    f"{CALLS}/status": {"GET": _status},
    CALLS: {"GET": _info},
}
