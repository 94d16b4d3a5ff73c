"""A sandbox that stops leaves nothing open, whatever its clients were about."""

from __future__ import annotations

import gc
import socket
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from syncd.sandbox import server
from syncd.sandbox.faults import KINDS, Fault
from syncd.sandbox.testing import RunningSandbox, running_sandbox

BODY = b'[{"phone":"12125550190"},{"phone":"12125550191"}]'
#: Where a stop meets a connection is chance: so often, it is met at each place.
STOPS = 25
TIMEOUT_S = 20
MORE_THAN_BUFFERS_HOLD = 32 * 1024 * 1024


@contextmanager
def leaving_nothing_open() -> Iterator[None]:
    """Fail when a socket or a transport of the block was left to the garbage collector."""
    gc.collect()
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect()
    assert [str(one.message) for one in left] == []


def connected(box: RunningSandbox) -> socket.socket:
    """A connection on which nothing was sent."""
    where = urlsplit(box.base_url)
    return socket.create_connection((where.hostname, where.port), timeout=TIMEOUT_S)


def request(box: RunningSandbox) -> bytes:
    """One addPhones, byte by byte."""
    head = f"POST /api/calls/campaign/{box.token}/addPhones HTTP/1.1\r\nHost: x\r\n"
    return f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY


def silent(_box: RunningSandbox, _client: socket.socket) -> None:
    """Nothing is sent."""


def half(box: RunningSandbox, client: socket.socket) -> None:
    """The head of a request is cut in the middle."""
    client.sendall(request(box)[:40])


def whole(box: RunningSandbox, client: socket.socket) -> None:
    """A request is sent, and its answer not waited for."""
    client.sendall(request(box))


def answered(box: RunningSandbox, client: socket.socket) -> None:
    """A request is sent, and the connection is kept for the next one."""
    client.sendall(request(box))
    client.recv(1)


def vanished(box: RunningSandbox, client: socket.socket) -> None:
    """A request is sent, and the client resets the connection."""
    client.sendall(request(box))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("act", [silent, half, whole, answered, vanished])
def test_a_stop_closes_every_connection(
    act: Callable[[RunningSandbox, socket.socket], None],
) -> None:
    """Also one that the server was just about to accept."""
    with leaving_nothing_open():
        for _ in range(STOPS):
            with running_sandbox() as box:
                client = connected(box)
                act(box, client)
            client.close()


@pytest.mark.parametrize("name", KINDS)
def test_a_cut_connection_is_closed(name: str) -> None:
    """A fault that breaks a connection leaves no socket, just before the stop or earlier."""
    with leaving_nothing_open(), running_sandbox() as box:
        for wait in (True, False):
            box.faults.add(Fault(name, seconds=0.01 if "seconds" in KINDS[name].takes else None))
            with connected(box) as client:
                client.sendall(request(box))
                if wait:
                    with suppress(ConnectionResetError):
                        client.recv(1)


def test_a_client_that_takes_nothing_holds_up_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of its answer cannot leave: after a while it is dropped."""
    monkeypatch.setattr(server, "DRAIN_S", 0.05)
    with leaving_nothing_open():
        with running_sandbox() as box:
            box.requests.note({"path": "x" * MORE_THAN_BUFFERS_HOLD})
            client = connected(box)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(b"GET /_sandbox/requests HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(1) == b"H"
        assert "sandbox" not in {thread.name for thread in threading.enumerate()}
        client.close()
