"""The network between an instance and the vendor: what is lost, cut, delayed or made up.

It takes the place of httpx's own transport, and tells the client as that one does when the first
byte is about to leave, so that the engine's last look is at its place.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import httpx
import orjson

from syncd.sandbox.faults import Answer
from tests.sim.baton import Baton, Crash
from tests.sim.plan import Plan
from tests.sim.vendor import Vendor
from tests.sim.witness import Witness

PATIENCE_MS = 30_000
#: A request is on its way for so long, unless it is late; whatever its sender does meanwhile.
TRAVEL_MS = (0, 2_000)
_HTML = Answer(b"<html>busy</html>", 200, "text/html")
_NOT_DONE = {
    "http_500": Answer(b'{"type":"internal","message":"no"}', 500),
    "html_502": Answer(b"<html>Bad Gateway</html>", 502, "text/html"),
    "http_429": Answer(b"{}", 429, headers=(("Retry-After", "90"),)),
}


class Host(Protocol):
    """The instance whose requests these are."""

    def step(self, name: str) -> None:
        """Time may pass, others may run, or the instance is killed."""

    def sleep(self, ms: int) -> None:
        """Wait for the network."""

    def sends(self) -> None:
        """A list has left."""


@dataclass(slots=True)
class _OnItsWay:
    """A request that has left, and what the vendor said to it when it arrived."""

    cut: bool = False  #: only a part of it had left: it never arrives
    arrives_ms: int | None = None
    answer: Answer | None = None


class Network:
    """The one network of a simulation."""

    def __init__(
        self, plan: Plan, baton: Baton, chance: random.Random, vendor: Vendor, witness: Witness
    ) -> None:
        self.plan = plan
        self.baton = baton
        self.chance = chance
        self.vendor = vendor
        self.witness = witness
        self.calm = False

    def draw(self) -> str:
        """What happens to the next request: a fault, or an empty text."""
        if self.calm or self.chance.random() >= self.plan.wire_rate:
            return ""
        return self.chance.choices(list(self.plan.wire), list(self.plan.wire.values()))[0]

    def arrive(self, request: httpx.Request, body: bytes) -> Answer:
        """The vendor carries it out, now."""
        path, key = request.url.path, request.headers.get("Idempotence-Key")
        answer = self.vendor.answer(request.method, path, key, body, at_ms=self.baton.now_ms)
        if path.endswith("/addPhones"):
            self.witness.check_calls(campaign_of(path))
        return answer

    def carry(self, request: httpx.Request, body: bytes, ms: int) -> _OnItsWay:
        """Let it arrive after this time, whether or not anybody still waits for the answer."""
        way = _OnItsWay(arrives_ms=self.baton.now_ms + ms)

        def arrive() -> None:
            if not way.cut:
                way.answer = self.arrive(request, body)

        if ms:
            self.baton.at(self.baton.now_ms + ms, arrive)
        else:
            arrive()
        return way


class Wire(httpx.BaseTransport):
    """The connections of one instance to one campaign."""

    def __init__(self, network: Network, host: Host, endpoint: str) -> None:
        self._network = network
        self._host = host
        self._endpoint = endpoint

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request through the faults that are drawn for it."""
        network, host = self._network, self._host
        method = request.url.path.rsplit("/", 1)[-1]
        host.step(method)
        fault = network.draw()
        network.witness.requests += 1
        if fault == "refused":
            raise httpx.ConnectError("refused")
        body = request.read()
        request.extensions["trace"]("http11.send_request_headers.started", {})
        key = request.headers.get("Idempotence-Key")
        if key is not None:
            network.witness.left(self._endpoint, key, body, at_ms=network.baton.now_ms)
            host.sends()
        way = self._leave(request, body, fault)
        try:
            host.step(f"{method}.sent")
        except Crash:
            way.cut = network.chance.random() < 1 / 2
            raise
        answer = self._heard(request, way, fault)
        host.step(f"{method}.answered")
        return _response(answer, fault)

    def _leave(self, request: httpx.Request, body: bytes, fault: str) -> _OnItsWay:
        """What has left arrives in its own time, also when its sender sleeps or is dead by then."""
        network = self._network
        if fault == "lost" or fault in _NOT_DONE:
            return _OnItsWay()
        travels = network.plan.late_ms if fault == "late" else TRAVEL_MS
        most = network.chance.choice(travels)
        ms = most if fault == "late" else network.chance.randrange(most + 1)
        return network.carry(request, body, ms)

    def _heard(self, request: httpx.Request, way: _OnItsWay, fault: str) -> Answer:
        if fault in _NOT_DONE:
            return _NOT_DONE[fault]
        if fault in ("lost", "late"):
            self._host.sleep(PATIENCE_MS)
            raise httpx.ReadTimeout("silence")
        if way.answer is None:
            assert way.arrives_ms is not None
            self._host.sleep(way.arrives_ms - self._network.baton.now_ms)
        answer = way.answer
        assert answer is not None, "it arrives before its sender wakes"
        if fault == "answer_lost":
            raise httpx.RemoteProtocolError("closed")
        if fault == "http_500_after":
            return _NOT_DONE["http_500"]
        if fault == "html_200":
            return _HTML
        if fault == "short_answer" and request.url.path.endswith("/addPhones"):
            return self._shortened(answer)
        return answer

    def _shortened(self, answer: Answer) -> Answer:
        """The list without its first ID, although that job was made."""
        listed = orjson.loads(answer.body)
        if answer.status != httpx.codes.OK or not listed:
            return answer
        self._network.witness.left_out.add(listed[0])
        return answer._replace(body=orjson.dumps(listed[1:]))


class _Cut(httpx.SyncByteStream):
    """Half a body, then the connection is closed."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body[: len(self._body) // 2]
        raise httpx.RemoteProtocolError("cut")


def _response(answer: Answer, fault: str) -> httpx.Response:
    headers = dict(answer.headers)
    if fault == "truncated":
        return httpx.Response(answer.status, headers=headers, stream=_Cut(answer.body))
    return httpx.Response(answer.status, headers=headers, content=answer.body)


def campaign_of(path: str) -> str:
    """The name of the campaign in a path of the API."""
    return path.split("/campaign/token-")[1].split("/", maxsplit=1)[0]
