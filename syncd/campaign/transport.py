"""One request and its answer: connections, timeouts, TLS, and what a broken exchange means.

The one file that sends. It uses httpx's transport and not httpx.Client, which logs every URL, keeps
cookies, and can follow redirects and proxies of the environment. Must never judge a status code
(answers.py does), repeat a request, or let an exception of httpx, a URL or the token out: what goes
wrong comes back as a `Failure`. Only what `before_first_byte` raises passes through, as itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

from syncd import __version__
from syncd.campaign.bounded import ACCEPT_ENCODING, Flaw, read_body
from syncd.campaign.deadline import Deadline, DeadlineTransport
from syncd.campaign.endpoint import Endpoint
from syncd.campaign.failures import explain
from syncd.campaign.trust import trust
from syncd.clock import Clock
from syncd.observe.steps import reached

CONNECTIONS_MAX = 32

#: Below the idle limit of common servers (5 s and more): a connection that the server has just
#: closed would put a batch in doubt for nothing.
KEEPALIVE_EXPIRY_S = 2.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds; the configuration has the defaults.

    `total_s` bounds the whole exchange: httpx itself has no such timeout.
    """

    connect_s: float
    write_s: float
    read_s: float
    pool_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request; `path` holds `{token}`."""

    verb: Literal["GET", "POST"]
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `flaw` says why the body cannot be used; then `body` is empty."""

    status: int
    body: bytes = field(default=b"", repr=False)
    flaw: str = ""
    retry_after: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer. `left` is False only when surely no byte of the request went out."""

    kind: str
    left: bool


class _Gate:
    """The last moment before the first byte: it is passed once, or the request is not sent."""

    __slots__ = ("_before", "passed", "raised")

    def __init__(self, before_first_byte: Callable[[], None] | None) -> None:
        self._before = before_first_byte
        self.passed = False
        self.raised: BaseException | None = None

    def open(self) -> None:
        if self.passed or self.raised is not None:
            return
        try:
            if self._before is not None:
                self._before()
            reached("request.send", "before")
        except BaseException as error:
            self.raised = error
            raise
        self.passed = True

    def on_event(self, name: str, _info: object) -> None:
        # The first event that is not about connecting is `http11.send_request_headers.started`;
        # put this way, another name in another version of httpcore still opens the gate in time.
        if not name.startswith("connection."):
            self.open()


class Transport:
    """The connections to one campaign; may be used by several threads."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeouts: Timeouts,
        clock: Clock,
        ca_file: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._timeouts = timeouts
        self._traced = transport is None
        self._deadline = Deadline(clock)
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._httpx = transport or _connect(endpoint, self._deadline, ca_file)

    def exchange(
        self, out: Outgoing, before_first_byte: Callable[[], None] | None = None
    ) -> Reply | Failure:
        """Send once. What `before_first_byte` raises comes out as itself, and 0 bytes go out."""
        gate = _Gate(before_first_byte)
        try:
            return self._exchange(out, gate)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may hold the URL
            kind, left = explain(error)
            # A class alone could lie; a passed gate does not. (Without events it says nothing.)
            failure = Failure(kind, left=left or (self._traced and gate.passed))
        if gate.raised is not None:
            raise gate.raised
        return failure

    def _exchange(self, out: Outgoing, gate: _Gate) -> Reply:
        request = self._request(out, gate)
        if not self._traced:
            gate.open()
        with self._connection(), self._deadline.after(self._timeouts.total_s):
            response = self._httpx.handle_request(request)
            try:
                reply = self._read(response)
            finally:
                response.close()
        reached("request.send", "after")
        return reply

    @contextmanager
    def _connection(self) -> Iterator[None]:
        """One of the pool's connections is free for the exchange inside.

        Waited for here, not in the pool: a wait that httpcore gives up in the very moment in which
        a connection is free leaves that connection counted, and used by nobody, for good.
        """
        if not self._free.acquire(timeout=self._pool_s):
            raise httpx.PoolTimeout("all connections are in use")
        try:
            yield
        finally:
            self._free.release()

    @property
    def _pool_s(self) -> float:
        return min(self._timeouts.pool_s, self._timeouts.total_s)

    def _request(self, out: Outgoing, gate: _Gate) -> httpx.Request:
        limits = self._timeouts
        return httpx.Request(
            out.verb,
            self._endpoint.url(out.path, out.query),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": ACCEPT_ENCODING,
                "User-Agent": f"syncd/{__version__}",
                **out.headers,
            },
            content=out.body if out.verb == "POST" else None,
            extensions={
                "timeout": {
                    "connect": limits.connect_s,
                    "write": limits.write_s,
                    "read": limits.read_s,
                    "pool": self._pool_s,
                },
                "trace": gate.on_event,
            },
        )

    def _read(self, response: httpx.Response) -> Reply:
        status = response.status_code
        retry_after = response.headers.get("Retry-After")
        try:
            body = read_body(
                _chunks(response),
                encoding=response.headers.get("Content-Encoding", ""),
                is_late=self._deadline.is_over,
            )
        except Flaw as flaw:
            return Reply(status, flaw=str(flaw), retry_after=retry_after)
        except (httpx.HTTPError, httpx.StreamError):
            return Reply(status, flaw="cut short", retry_after=retry_after)
        ok = status == httpx.codes.OK
        return Reply(status, body if ok else self._endpoint.scrub(body), retry_after=retry_after)

    def close(self) -> None:
        """Close the idle connections."""
        self._httpx.close()


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    stream = response.stream
    assert isinstance(stream, httpx.SyncByteStream)
    return iter(stream)


def _connect(endpoint: Endpoint, deadline: Deadline, ca_file: Path | None) -> DeadlineTransport:
    # Without TLS no trust store is loaded: it costs 20 ms and nobody would look at it.
    return DeadlineTransport(
        deadline,
        trust=trust(ca_file) if endpoint.is_tls else None,
        limits=httpx.Limits(
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=CONNECTIONS_MAX,
            keepalive_expiry=KEEPALIVE_EXPIRY_S,
        ),
    )
