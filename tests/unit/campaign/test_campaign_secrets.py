"""The canary: no failure shows the token or a URL, in any way in which Python shows things."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
import structlog

from syncd.campaign.client import CampaignClient
from syncd.campaign.failures import MEANINGS
from syncd.core.report import DateFilter
from syncd.errors import SyncdError

TOKEN = "canary-123.456/bAYx%zmk"
PHONE = "12125550100"
HOST = "calls-host.example"
BODY = orjson.dumps([{"phone": PHONE}])
NEEDLES = (TOKEN, quote(TOKEN, safe=""), "canary", "bAYx", HOST, "/api/", PHONE)

CALLS: list[Callable[[CampaignClient], object]] = [
    lambda c: c.add_phones(BODY, key="k"),
    lambda c: c.add_phone(PHONE, key="k", method="GET"),
    lambda c: c.test_add_phone(PHONE),
    lambda c: c.cancel(phones=[PHONE]),
    lambda c: c.job_reports(phones=[PHONE]),
    lambda c: c.unfinished(page=0),
    lambda c: c.job_reports_by_date(DateFilter(), page=0),
    lambda c: c.info(),
    lambda c: c.pause(),
]


def raise_it(kind: type[Exception]) -> Callable[[httpx.Request], httpx.Response]:
    def fail(request: httpx.Request) -> httpx.Response:
        text = f"{request.method} {request.url} {TOKEN} {PHONE}"
        error = kind.__new__(kind)
        error.args = (text,)
        error.__cause__ = OSError(text)
        raise error

    return fail


def give(status: int, body: Callable[[httpx.Request], object]) -> Callable[..., httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        content = body(request)
        raw = content if isinstance(content, bytes) else orjson.dumps(content)
        return httpx.Response(status, content=raw, headers={"Retry-After": str(request.url)})

    return answer


def leaky(request: httpx.Request) -> dict[str, object]:
    text = f"{request.url} {TOKEN} {PHONE}"
    return {"type": text, "error": text, "message": text, "path": str(request.url), "phone": PHONE}


def named(kind: str) -> Callable[[httpx.Request], object]:
    return lambda request: {**leaky(request), "type": kind, "error": kind}


def page(request: httpx.Request) -> bytes:
    return f"<html>{request.url} {TOKEN} {PHONE}</html>".encode()


HANDLERS = {
    **{each.__name__: raise_it(each) for each in [*MEANINGS, RuntimeError]},
    **{f"leaky {each}": give(each, leaky) for each in (200, 400, 401, 403, 404, 405, 413, 500)},
    **{f"page {each}": give(each, page) for each in (200, 302, 400, 404, 413, 429, 502)},
    **{
        kind: give(400, named(kind))
        for kind in ("phone.bad.format", "invalid.call.task.state", "id.not.found", "invalid.token")
    },
}


def everything_about(error: BaseException) -> Iterator[str]:
    """All that a log, a debugger or a person could print of an error, and of those behind it."""
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        each = queue.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield from (str(each), repr(each), repr(each.args), repr(vars(each)))
        yield from traceback.format_exception(each)
        queue += [each.__cause__, each.__context__]


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS.keys())
def test_no_failure_shows_the_token(
    handler: Callable[[httpx.Request], httpx.Response],
    make_client: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Text, repr, args, causes, contexts, tracebacks, logs of any level, output: all clean."""
    caplog.set_level(logging.DEBUG)
    client = make_client(handler, base_url=f"https://{HOST}", token=TOKEN)
    shown = [repr(client)]
    with structlog.testing.capture_logs() as events:
        for call in CALLS:
            try:
                call(client)
            except SyncdError as error:
                shown += everything_about(error)
    shown += [repr(events), caplog.text, *capfd.readouterr()]
    everything = "\n".join(shown)
    assert [each for each in NEEDLES if each in everything] == []
    assert len(events) == len(CALLS)


def test_a_fault_holds_no_token(make_client: Any) -> None:
    """What the engine may store of an error body was scrubbed; the phone is there to be used."""
    client = make_client(
        give(400, lambda request: {**leaky(request), "type": "x.y"}), base_url=f"https://{HOST}"
    )
    with pytest.raises(SyncdError) as caught:
        client.add_phones(b"[]", key="k")
    fault = caught.value.fault  # type: ignore[attr-defined]
    stored = f"{fault.type} {fault.message} {dict(fault.extra)}"
    assert "bAYx" not in stored
    assert "***" in stored
    assert fault.phone == PHONE


def test_real_connections_log_no_token(
    loopback: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A client of httpx logs every URL at INFO; its transport does not even at DEBUG."""

    def serve(server: Any, connection: Any, number: int) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")

    caplog.set_level(logging.DEBUG)
    server = loopback(serve)
    with pytest.raises(SyncdError) as caught:
        make_client(base_url=server.url, token=TOKEN).add_phones(b"[]", key="k")
    shown = "\n".join([*everything_about(caught.value), caplog.text])
    assert quote(TOKEN, safe="").encode() in server.requests[0]
    assert [each for each in ("canary", "bAYx", "/api/") if each in shown] == []
