"""The client against real sockets: what each way to fail means, and what it costs."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from syncd.campaign.bounded import BODY_BYTES_MAX
from syncd.campaign.client import CampaignClient
from syncd.campaign.transport import Timeouts
from syncd.errors import ConfigError, InDoubt, Transient

QUICK = Timeouts(connect_s=2, write_s=2, read_s=0.2, pool_s=2, total_s=5)
SHORT = Timeouts(connect_s=2, write_s=2, read_s=2, pool_s=2, total_s=0.4)
TLS = Path(__file__).parents[2] / "vectors" / "tls"


def answer(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def serve_ids(server: Any, connection: socket.socket, number: int) -> None:
    """Answer each request of the connection with one id."""
    while server.read_request(connection):
        connection.sendall(answer(b'["1"]'))


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def closed(server: Any, connection: socket.socket, number: int) -> None:
    server.read_request(connection)


def torn(server: Any, connection: socket.socket, number: int) -> None:
    server.read_request(connection)
    reset(connection)


def silent(server: Any, connection: socket.socket, number: int) -> None:
    server.read_request(connection)
    server.over.wait(5)


def cut(server: Any, connection: socket.socket, number: int) -> None:
    server.read_request(connection)
    connection.sendall(answer(b'["1","2","3"]')[:-6])


def cut_silent(server: Any, connection: socket.socket, number: int) -> None:
    cut(server, connection, number)
    server.over.wait(5)


def babble(server: Any, connection: socket.socket, number: int) -> None:
    server.read_request(connection)
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


def redirect(server: Any, connection: socket.socket, number: int) -> None:
    server.read_request(connection)
    connection.sendall(answer(b"", status="307 Moved", headers=f"Location: {server.url}/x\r\n"))
    server.read_request(connection)


def bomb(server: Any, connection: socket.socket, number: int) -> None:
    server.read_request(connection)
    packed = gzip.compress(b" " * (BODY_BYTES_MAX * 4))
    connection.sendall(answer(packed, headers="Content-Encoding: gzip\r\n"))


def flood(server: Any, connection: socket.socket, number: int) -> None:
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not server.over.is_set():
        connection.sendall(b" " * 65536)


def endless_head(server: Any, connection: socket.socket, number: int) -> None:
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not server.over.is_set():
        connection.sendall(b"x" * 65536)


DOUBTS = {
    "closed after the request": closed,
    "reset after the request": torn,
    "silence": silent,
    "cut body": cut,
    "cut body, then silence": cut_silent,
    "no http": babble,
    "redirect": redirect,
    "gzip bomb": bomb,
    "endless body": flood,
    "endless head": endless_head,
}


@pytest.mark.parametrize("behaviour", DOUBTS.values(), ids=DOUBTS.keys())
def test_after_the_first_byte_everything_unclear_is_a_doubt(
    behaviour: Callable[..., None], loopback: Any, make_client: Any
) -> None:
    """A batch whose answer is lost is in doubt, is sent once, and its gate was passed once."""
    server = loopback(behaviour)
    client: CampaignClient = make_client(base_url=server.url, timeouts=QUICK)
    passed: list[int] = []
    with pytest.raises(InDoubt):
        client.add_phones(b"[{}]", key="k", before_first_byte=lambda: passed.append(1))
    assert passed == [1]
    assert len(server.requests) == 1


@pytest.mark.parametrize("behaviour", DOUBTS.values(), ids=DOUBTS.keys())
def test_the_same_failures_of_a_question_are_transient(
    behaviour: Callable[..., None], loopback: Any, make_client: Any
) -> None:
    """A report or a cancel can be asked for again."""
    client: CampaignClient = make_client(base_url=loopback(behaviour).url, timeouts=QUICK)
    with pytest.raises(Transient):
        client.cancel(ids=["1"])


def test_a_refused_connection_sent_nothing(make_client: Any) -> None:
    """Nobody listens: Transient, and the gate was never reached."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    client: CampaignClient = make_client(base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(Transient, match=r"ECONNREFUSED.*nothing was sent"):
        client.add_phones(b"[{}]", key="k", before_first_byte=pytest.fail)


def test_an_unknown_host_name_is_told_as_such(make_client: Any) -> None:
    """The message names the cause, and not the host."""
    client: CampaignClient = make_client(base_url="https://nowhere.invalid")
    with pytest.raises(Transient, match="host name is not known") as caught:
        client.add_phones(b"[{}]", key="k")
    assert "nowhere" not in str(caught.value)


def test_no_free_connection_sent_nothing(
    loopback: Any, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that waits for a connection in vain has left nothing; the pool stays whole."""
    monkeypatch.setattr("syncd.campaign.transport.CONNECTIONS_MAX", 1)
    go = threading.Event()
    busy = threading.Event()

    def hold(server: Any, connection: socket.socket, number: int) -> None:
        while server.read_request(connection):
            busy.set()
            go.wait(5)
            connection.sendall(answer(b'["1"]'))

    server = loopback(hold)
    limits = Timeouts(connect_s=2, write_s=2, read_s=5, pool_s=0.1, total_s=5)
    client: CampaignClient = make_client(base_url=server.url, timeouts=limits)
    first = threading.Thread(target=client.cancel, kwargs={"ids": ["1"]})
    first.start()
    assert busy.wait(5)
    with pytest.raises(Transient, match="no free connection"):
        client.add_phones(b"[{}]", key="k")
    go.set()
    first.join(5)
    assert client.add_phones(b"[{}]", key="k") == ["1"]


def test_n23_a_thousand_requests_that_are_given_up_leave_the_pool_whole(
    loopback: Any, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut at any moment while all connections are in use; each of them serves again after it."""
    monkeypatch.setattr("syncd.campaign.transport.CONNECTIONS_MAX", 2)
    well = threading.Event()

    def lame(server: Any, connection: socket.socket, number: int) -> None:
        while server.read_request(connection):
            if well.is_set() or number % 2:
                connection.sendall(answer(b'["1"]'))

    server = loopback(lame)
    hasty = Timeouts(connect_s=2, write_s=2, read_s=0.002, pool_s=0.002, total_s=0.004)
    client: CampaignClient = make_client(base_url=server.url, timeouts=hasty)

    def ask(_: int) -> bool:
        with suppress(Transient):
            return bool(client.cancel(ids=["1"]))
        return False

    with ThreadPoolExecutor(8) as many:
        answered = sum(many.map(ask, range(1_000)))
    assert answered < 900
    well.set()
    client._transport._timeouts = QUICK
    with ThreadPoolExecutor(2) as both:
        assert all(both.map(ask, range(20)))


def test_what_the_gate_raises_comes_out_and_nothing_was_sent(
    loopback: Any, make_client: Any
) -> None:
    """The last look may say no: its error comes out as itself, 0 bytes went out, no harm done."""
    heard: list[bytes] = []

    def listen(server: Any, connection: socket.socket, number: int) -> None:
        heard.append(connection.recv(1000))
        if heard[-1]:
            connection.sendall(answer(b'["1"]'))

    server = loopback(listen)
    client: CampaignClient = make_client(base_url=server.url)
    no = LookupError("window closed")

    def refuse() -> None:
        raise no

    for _ in range(40):  # more often than there are connections
        with pytest.raises(LookupError) as caught:
            client.add_phones(b"[{}]", key="k", before_first_byte=refuse)
        assert caught.value is no
        assert no.__context__ is None
    assert client.add_phones(b"[{}]", key="k") == ["1"]
    assert sum(map(len, heard[:-1])) == 0


def test_c3_an_interrupt_at_the_gate_comes_out_too(loopback: Any, make_client: Any) -> None:
    """Even an exception that is no Exception passes as itself."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    client: CampaignClient = make_client(base_url=loopback(serve_ids).url)
    with pytest.raises(KeyboardInterrupt):
        client.add_phones(b"[{}]", key="k", before_first_byte=interrupt)


@pytest.mark.parametrize("part", ["headers", "body", "early answers"])
def test_n6_a_trickle_is_over_when_the_total_timeout_is(
    part: str, loopback: Any, make_client: Any
) -> None:
    """A little now and then, each in time: the whole is bounded, in headers, body and a 100."""

    def trickle(server: Any, connection: socket.socket, number: int) -> None:
        server.read_request(connection)
        if part == "body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        elif part == "headers":
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        more = b"HTTP/1.1 100 Continue\r\n\r\n" if part == "early answers" else b"x"
        while not server.over.wait(0.02):
            connection.sendall(more)

    client: CampaignClient = make_client(base_url=loopback(trickle).url, timeouts=SHORT)
    began_s = time.monotonic()
    with pytest.raises(InDoubt):
        client.add_phones(b"[{}]", key="k")
    assert time.monotonic() - began_s < 1.5


def test_a_long_body_that_is_not_taken_is_over_in_time(loopback: Any, make_client: Any) -> None:
    """A server that stops reading holds nobody."""

    def deaf(server: Any, connection: socket.socket, number: int) -> None:
        connection.recv(10)
        server.over.wait(5)

    client: CampaignClient = make_client(base_url=loopback(deaf).url, timeouts=SHORT)
    began_s = time.monotonic()
    with pytest.raises(InDoubt):
        client.add_phones(b" " * 30_000_000, key="k")
    assert time.monotonic() - began_s < 1.5


def test_a_connection_is_used_again(loopback: Any, make_client: Any) -> None:
    """Connections are pooled, and each request has a gate of its own."""
    numbers: list[int] = []

    def count(server: Any, connection: socket.socket, number: int) -> None:
        numbers.append(number)
        serve_ids(server, connection, number)

    client: CampaignClient = make_client(base_url=loopback(count).url)
    passed: list[int] = []
    for each in range(5):
        client.add_phones(b"[{}]", key="k", before_first_byte=lambda at=each: passed.append(at))
    assert (numbers, passed) == ([0], [0, 1, 2, 3, 4])


def test_an_idle_connection_that_the_server_closed_costs_nothing(
    loopback: Any, make_client: Any
) -> None:
    """The server closes after its answer: the next batch goes over a new connection, no doubt."""
    gone = threading.Event()

    def once(server: Any, connection: socket.socket, number: int) -> None:
        server.read_request(connection)
        connection.sendall(answer(b'["1"]'))
        connection.shutdown(socket.SHUT_RDWR)
        gone.set()

    client: CampaignClient = make_client(base_url=loopback(once).url)
    for _ in range(3):
        gone.clear()
        assert client.add_phones(b"[{}]", key="k") == ["1"]
        assert gone.wait(5)


def test_a_packed_answer_is_unpacked(loopback: Any, make_client: Any) -> None:
    """A gzip body is asked for and understood."""

    def packed(server: Any, connection: socket.socket, number: int) -> None:
        server.read_request(connection)
        connection.sendall(answer(gzip.compress(b'["7"]'), headers="Content-Encoding: gzip\r\n"))

    server = loopback(packed)
    client: CampaignClient = make_client(base_url=server.url)
    assert client.add_phones(b"[{}]", key="k") == ["7"]
    assert b"accept-encoding: gzip\r\n" in server.requests[0].lower()


def test_the_environment_has_no_say(
    loopback: Any, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment would see the token."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    client: CampaignClient = make_client(base_url=loopback(serve_ids).url)
    assert client.add_phones(b"[{}]", key="k") == ["1"]


def test_many_threads_share_a_client(loopback: Any, make_client: Any) -> None:
    """Answers do not get mixed up between threads."""

    def echo(server: Any, connection: socket.socket, number: int) -> None:
        while request := server.read_request(connection):
            connection.sendall(answer(b"[" + request.partition(b"\r\n\r\n")[2] + b"]"))

    client: CampaignClient = make_client(base_url=loopback(echo).url)
    wrong: list[object] = []

    def work(mine: int) -> None:
        for step in range(20):
            body = b"%d" % (mine * 1000 + step)
            if client.add_phones(body, key="k") != [body.decode()]:
                wrong.append(body)

    threads = [threading.Thread(target=work, args=(each,)) for each in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert wrong == []


def server_trust() -> ssl.SSLContext:
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(TLS / "server.pem")
    return trust


def test_an_untrusted_certificate_sent_nothing(loopback: Any, make_client: Any) -> None:
    """TLS is verified, and the operator is told that it was the certificate."""
    server = loopback(serve_ids, server_trust())
    client: CampaignClient = make_client(base_url=server.url)
    with pytest.raises(Transient, match="certificate is not trusted; nothing was sent"):
        client.add_phones(b"[{}]", key="k", before_first_byte=pytest.fail)
    assert server.requests == []


def test_an_extra_ca_file_is_trusted(loopback: Any, make_client: Any) -> None:
    """A host with a company's own certificate works with its CA file, gate and all."""
    server = loopback(serve_ids, server_trust())
    client: CampaignClient = make_client(base_url=server.url, ca_file=TLS / "cert.pem")
    passed: list[int] = []
    ids = client.add_phones(b"[{}]", key="k", before_first_byte=lambda: passed.append(1))
    assert (ids, passed) == (["1"], [1])


def test_a_server_without_tls_sent_nothing(loopback: Any, make_client: Any) -> None:
    """TLS to a plain server ends before our first byte."""

    def plain(server: Any, connection: socket.socket, number: int) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    url = loopback(plain).url.replace("http:", "https:")
    client: CampaignClient = make_client(base_url=url)
    with pytest.raises(Transient, match="TLS could not be agreed on"):
        client.add_phones(b"[{}]", key="k", before_first_byte=pytest.fail)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bad_ca_file_is_a_matter_of_configuration(
    content: str | None, tmp_path: Path, make_client: Any
) -> None:
    """Found when the client is made, not at three in the morning."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match="CA file"):
        make_client(ca_file=file)
