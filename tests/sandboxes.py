"""Two ways to one sandbox: through HTTP, and without a socket. A claim about it holds on both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
import orjson

from syncd.sandbox.clock import parse_ms
from syncd.sandbox.faults import read_fault
from syncd.sandbox.testing import RunningSandbox, direct_sandbox, running_sandbox

WAYS = ("http", "direct")
START_MS = parse_ms("2026-11-23T08:00:00Z")


class Reply(NamedTuple):
    """What a client has in hand: no status, when not one byte came."""

    status: int | None
    body: bytes
    headers: Mapping[str, str]
    end: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


class Way:
    """The requests of a client, and the hand of a test on the sandbox."""

    def __init__(self, box: RunningSandbox) -> None:
        self.box = box

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """One request; `path` may have a query."""
        raise NotImplementedError

    def hand(self, path: str, value: Any) -> Any:
        """Something of the control plane; None, when it was refused."""
        raise NotImplementedError

    # --- what both have ---

    def post(
        self, path: str, value: Any = None, *, key: str = "", token: str | None = None
    ) -> Reply:
        """A POST to a method of the campaign."""
        headers = {"idempotence-key": key} if key else {}
        where = f"/api/calls/campaign/{token or self.box.token}/{path}"
        return self.ask("POST", where, orjson.dumps(value), headers)

    def add(self, *phones: str, key: str = "", token: str | None = None) -> Reply:
        """An addPhones with nothing but phones."""
        return self.post("addPhones", [{"phone": each} for each in phones], key=key, token=token)

    def add_one(self, **parameters: str) -> Reply:
        """An addPhone by GET."""
        query = urlencode(parameters)
        path = f"/api/crmCalls/campaign/{self.box.token}/addPhone?{query}"
        return self.ask("GET", path, b"", {})

    def page(self, method: str = "getReportByDate", **pagination: int) -> list[str]:
        """The IDs of a page of job reports."""
        told = pagination if method == "getUnfinished" else {"pagination": pagination}
        return [item["callJobId"] for item in self.post(f"callJob/{method}", told).json["items"]]

    def wait(self, seconds: float) -> None:
        """Virtual time passes."""
        self.box.advance(seconds)

    def turn(self, **knobs: Any) -> Any:
        """Turns knobs."""
        return self.hand("knobs", knobs)

    def fault(self, name: str, **fields: Any) -> Any:
        """Queues a fault."""
        return self.hand("faults", {"name": name, **fields})


class Http(Way):
    """Through a socket."""

    def __init__(self, box: RunningSandbox, client: httpx.Client) -> None:
        super().__init__(box)
        self._client = client

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        status, told, parts, end = None, {}, [], "whole"
        try:
            with self._client.stream(method, path, content=body, headers=headers) as answer:
                status, told = answer.status_code, dict(answer.headers)
                parts.extend(answer.iter_raw())  # httpx hands on what came before the end
        except httpx.RemoteProtocolError:
            end = "closed"
        except httpx.ReadError:
            end = "reset"
        return Reply(status, b"".join(parts), told, end)

    def hand(self, path: str, value: Any) -> Any:
        answer = self._client.post(f"/_sandbox/{path}", json=value)
        return answer.json() if answer.status_code == httpx.codes.OK else None


class Direct(Way):
    """Without a socket, a thread, or HTTP."""

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        where, _, query = path.partition("?")
        seen = self.box.exchange(method, where, query=query.encode(), headers=headers, body=body)
        if seen.answer is None:
            return Reply(None, b"", {}, seen.end)
        told = {"content-type": seen.answer.content_type, **dict(seen.answer.headers)}
        return Reply(seen.answer.status, seen.body, told, seen.end)

    def hand(self, path: str, value: Any) -> Any:
        try:
            return self._hand(path, value)
        except ValueError:
            return None

    def _hand(self, path: str, value: Any) -> Any:
        if path == "knobs":
            return self.box.turn(**value).public()
        if path == "faults":
            self.box.faults.add(read_fault(value))
            return {"items": self.box.faults.waiting()}
        if path == "tokens":
            self.box.book.set_tokens(value["campaign"], value["tokens"])
            return {"campaign": value["campaign"], "tokens": len(value["tokens"])}
        assert path == "operator", "no other path has a verb in a test"
        ids = self.box.book.add_by_operator(value["campaign"], orjson.dumps(value["jobs"]))
        return {"items": ids}


@contextmanager
def way_to(name: str, **options: Any) -> Iterator[Way]:
    """A new sandbox on Monday at 8 in the morning, UTC, and the way to it."""
    told = {"start_ms": START_MS, **options}
    if name == "direct":
        yield Direct(direct_sandbox(**told))
        return
    with running_sandbox(**told) as box, httpx.Client(
        base_url=box.base_url, trust_env=False, verify=False
    ) as client:  # fmt: skip
        yield Http(box, client)
