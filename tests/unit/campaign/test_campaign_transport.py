"""Broken exchanges: every exception of httpx, with and without events of the network."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import httpcore
import httpx
import pytest

from syncd.campaign.deadline import Deadline, DeadlineTransport
from syncd.campaign.endpoint import Endpoint
from syncd.campaign.failures import MEANINGS, explain
from syncd.campaign.transport import Failure, Outgoing, Reply, Timeouts, Transport
from syncd.clock import SystemClock
from syncd.errors import InDoubt, SyncdError, Transient

#: Surely nothing left us (reliability research, "Outcome → class"): everything else may have.
NOTHING_LEFT = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "UnsupportedProtocol",
    "InvalidURL",
}


def all_below(base: type[Exception]) -> set[type[Exception]]:
    return {base}.union(*(all_below(each) for each in base.__subclasses__()))


def exceptions_of_httpx() -> set[type[Exception]]:
    named = (getattr(httpx, name) for name in httpx.__all__)
    exported = {each for each in named if inspect.isclass(each) and issubclass(each, Exception)}
    below = all_below(httpx.HTTPError) | all_below(httpx.StreamError) | all_below(httpx.InvalidURL)
    return exported | {each for each in below if each.__module__.startswith("httpx")}


def make(kind: type[Exception]) -> Exception:
    request = httpx.Request("POST", "https://calls.example/canary")
    match kind:
        case httpx.HTTPStatusError:
            return httpx.HTTPStatusError("x", request=request, response=httpx.Response(500))
        case httpx.StreamConsumed | httpx.StreamClosed | httpx.ResponseNotRead:
            return kind()
        case httpx.RequestNotRead:
            return kind()
        case _:
            return kind("canary")


def test_every_exception_of_httpx_has_a_meaning() -> None:
    """An upgrade of httpx that adds or drops one fails here, and is looked at."""
    assert set(MEANINGS) == exceptions_of_httpx()
    assert {each.__name__ for each, (_, left) in MEANINGS.items() if not left} == NOTHING_LEFT


def test_every_exception_of_httpcore_becomes_one_of_httpx() -> None:
    """What the layer below can raise is known to the layer that we catch."""
    from httpx._transports.default import _load_httpcore_exceptions  # noqa: PLC0415 - private

    below = all_below(httpcore.NetworkError) | all_below(httpcore.TimeoutException)
    below |= all_below(httpcore.ProtocolError) | {httpcore.UnsupportedProtocol}
    assert below - {httpcore.ConnectionNotAvailable} <= set(_load_httpcore_exceptions())


@pytest.mark.parametrize("kind", sorted(MEANINGS, key=lambda each: each.__name__))
def test_each_exception_becomes_one_of_ours(kind: type[Exception], make_client: Any) -> None:
    """A doubt for an addition, unless surely nothing left us; transient for a question."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise make(kind)

    client = make_client(fail)
    surely_not = kind.__name__ in NOTHING_LEFT
    with pytest.raises(SyncdError) as caught:
        client.add_phones(b"[]", key="k")
    assert type(caught.value) is (Transient if surely_not else InDoubt)
    assert ("nothing was sent" in str(caught.value)) is surely_not
    with pytest.raises(Transient):
        client.status()


@pytest.mark.parametrize("kind", [RuntimeError, OSError, ValueError, MemoryError])
def test_c3_what_nobody_expects_is_a_doubt(kind: type[Exception], make_client: Any) -> None:
    """A bug in the layers below must not look like "nothing happened", and shows no text."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise kind("canary")

    with pytest.raises(InDoubt, match=f"unexpected {kind.__name__}"):
        make_client(fail).add_phones(b"[]", key="k")


def test_an_exception_of_a_new_kind_is_taken_for_the_one_above_it() -> None:
    """A subclass that we do not know means what its parent means."""

    class Novel(httpx.ReadError):
        pass

    assert explain(Novel("x")) == MEANINGS[httpx.ReadError]


def test_the_gate_of_an_untraced_transport_is_passed_before_sending(make_client: Any) -> None:
    """A made-up network gives no events: the gate is passed first, once."""
    order: list[str] = []

    def handle(_: httpx.Request) -> httpx.Response:
        order.append("sent")
        return httpx.Response(200, content=b"[]")

    make_client(handle).add_phones(b"[]", key="k", before_first_byte=lambda: order.append("gate"))
    assert order == ["gate", "sent"]


def test_the_gate_of_an_untraced_transport_can_refuse(make_client: Any) -> None:
    """Its error comes out as itself, and nothing was sent."""

    def refuse() -> None:
        raise LookupError("no")

    client = make_client(lambda _: pytest.fail("sent"))
    with pytest.raises(LookupError):
        client.add_phones(b"[]", key="k", before_first_byte=refuse)


class Scripted(httpx.BaseTransport):
    """Gives the events of the network that a test names, then does something."""

    def __init__(self, events: list[str], then: Callable[[], httpx.Response]) -> None:
        self._events = events
        self._then = then

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for each in self._events:
            request.extensions["trace"](each, {})
        return self._then()


def traced(events: list[str], then: Callable[[], httpx.Response]) -> Transport:
    endpoint = Endpoint("http://localhost", "t.o.k.e.n", where="", allow_insecure=False)
    transport = Transport(endpoint, timeouts=Timeouts(2, 2, 2, 2, 10), clock=SystemClock())
    transport.close()
    transport._httpx = Scripted(events, then)
    return transport


def fail_to_connect() -> httpx.Response:
    raise httpx.ConnectError("x")


@pytest.mark.parametrize(
    "first", ["http11.send_request_headers.started", "http2.send_connection_init.started", "new"]
)
def test_the_gate_is_passed_at_the_first_event_that_is_not_about_connecting(first: str) -> None:
    """Whatever another version calls it: in time, once, and then a failure is a doubt."""
    passed: list[str] = []
    events = ["connection.connect_tcp.started", "connection.start_tls.complete", first, "x.y"]
    transport = traced(events, fail_to_connect)
    answer = transport.exchange(Outgoing("GET", "/"), lambda: passed.append("gate"))
    assert passed == ["gate"]
    assert answer == Failure("no connection", left=True)


def test_before_the_gate_nothing_left() -> None:
    """Connecting failed, and the gate was not passed."""
    transport = traced(["connection.connect_tcp.started"], fail_to_connect)
    assert transport.exchange(Outgoing("GET", "/"), pytest.fail) == Failure(
        "no connection", left=False
    )


class Broken(httpx.SyncByteStream):
    """A body that ends with an exception."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield b'["1"'
        raise self._error


@pytest.mark.parametrize("kind", [httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError])
def test_a_cut_body_keeps_its_status_and_retry_after(kind: type[Exception]) -> None:
    """The status line came: what it says about waiting is still worth something."""

    def then() -> httpx.Response:
        return httpx.Response(503, headers={"Retry-After": "9"}, stream=Broken(kind("x")))

    answer = traced([], then).exchange(Outgoing("GET", "/"))
    assert answer == Reply(503, flaw="cut short", retry_after="9")


def test_the_pool_of_httpx_is_the_one_that_obeys_the_deadline() -> None:
    """No network backend can be given to httpx, so its pool is replaced: a look at its inside."""
    transport = DeadlineTransport(Deadline(SystemClock()), trust=None, limits=httpx.Limits())
    plain = httpx.HTTPTransport(trust_env=False)
    assert vars(transport).keys() == vars(plain).keys()
    assert type(transport._pool) is type(plain._pool)
    transport.close()
    plain.close()


def test_nothing_is_awaited_after_the_deadline() -> None:
    """No time left: connecting, writing and reading end before they touch the network."""

    class Moving(SystemClock):
        def monotonic_s(self) -> float:
            return next(ticks)

    ticks = iter([0.0, 1.0, 5.0, 9.0, 10.0])
    deadline = Deadline(Moving())
    with deadline.after(10.0):
        assert deadline.within(30.0, TimeoutError) == 9.0
        assert deadline.within(3.0, TimeoutError) == 3.0
        assert deadline.within(None, TimeoutError) == 1.0
        with pytest.raises(TimeoutError):
            deadline.within(3.0, TimeoutError)
    assert deadline.within(None, TimeoutError) is None
    assert deadline.within(4.0, TimeoutError) == 4.0


def test_an_exchange_inside_another_leaves_the_outer_deadline() -> None:
    """A gate may ask the campaign something before it opens."""
    deadline = Deadline(SystemClock())
    with deadline.after(0.0):
        with deadline.after(100.0):
            assert not deadline.is_over()
        assert deadline.is_over()
    assert not deadline.is_over()
