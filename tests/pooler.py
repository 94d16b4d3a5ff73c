"""A pooler in transaction mode, as PgBouncer is: each transaction has another server connection.

Stricter than PgBouncer: the next transaction of a client never gets the server connection of the
one before, so that whatever is left in a session is missed at once. Knows no TLS and no passwords.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

SSL_REQUEST, PROTOCOL = 80877103, 196608
QUERY, SYNC, PARSE, READY, ERROR, END = b"Q", b"S", b"P", b"Z", b"E", b"X"
IDLE = b"I"
#: What a client may ask for when it connects; PgBouncer refuses other parameters.
PARAMETERS = {b"user", b"database", b"client_encoding", b"application_name"}


class Wire:
    """One connection of the PostgreSQL protocol, message by message."""

    def __init__(self, raw: socket.socket) -> None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # messages go one by one
        self.raw = raw
        self._seen = bytearray()

    def exactly(self, count: int) -> bytes:
        """So many bytes; an empty text at the end of the connection."""
        while len(self._seen) < count:
            more = self.raw.recv(65_536)
            if not more:
                return b""
            self._seen += more
        taken = bytes(self._seen[:count])
        del self._seen[:count]
        return taken

    def message(self) -> tuple[bytes, bytes]:
        """The kind of the next message, and all of it."""
        head = self.exactly(5)
        if not head:
            return END, b""
        (length,) = struct.unpack("!I", head[1:])
        return head[:1], head + self.exactly(length - 4)

    def startup(self) -> tuple[int, bytes]:
        """The first message of a client, which has no kind: its code, and the rest."""
        length, code = struct.unpack("!II", self.exactly(8))
        return code, self.exactly(length - 8)

    def messages(self) -> Iterator[tuple[bytes, bytes]]:
        """At least one message, and those that came with it."""
        yield self.message()
        yield from self.seen()

    def seen(self) -> Iterator[tuple[bytes, bytes]]:
        """What was read from the socket already."""
        while len(self._seen) >= 5:
            yield self.message()


@dataclass(slots=True)
class Pooler:
    """Clients on one side, a few connections to `address` on the other."""

    address: tuple[str, int]
    size: int
    statements: list[bytes] = field(default_factory=list)  #: as they were parsed or queried
    names: set[bytes] = field(default_factory=set)  #: of prepared statements
    transactions: int = 0
    faults: list[str] = field(default_factory=list)
    _greeting: bytes = b""
    _free: deque[Wire] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def greet(self, startup: bytes) -> None:
        """Connect to the server as this client wants; what it says is said to every client."""
        said = b""
        for _ in range(self.size):
            wire = Wire(socket.create_connection(self.address))
            wire.raw.sendall(struct.pack("!II", len(startup) + 8, PROTOCOL) + startup)
            kind, said = b"", b""
            while kind != READY:
                kind, message = wire.message()
                assert kind not in {ERROR, END}, message
                said += message
            self._free.append(wire)
        self._greeting = said

    def client(self, raw: socket.socket) -> None:
        """Serve one client to its end."""
        with closing(raw), suppress(OSError):
            wire = Wire(raw)
            code, startup = wire.startup()
            while code != PROTOCOL:  # TLS, or encryption by GSSAPI
                raw.sendall(b"N")
                code, startup = wire.startup()
            asked = set(startup.split(b"\0")[0:-2:2])
            if asked - PARAMETERS:
                self.faults.append(f"startup parameters: {sorted(asked - PARAMETERS)}")
            with self._changed:
                if not self._greeting:
                    self.greet(startup)
            raw.sendall(self._greeting)
            before: Wire | None = None
            while (first := wire.message())[0] != END:
                before = self._transaction(wire, first, before)

    def _transaction(self, client: Wire, first: tuple[bytes, bytes], before: Wire | None) -> Wire:
        """Another server connection, from this message to the end of its transaction."""
        with self._changed:
            self._changed.wait_for(lambda: any(one is not before for one in self._free))
            server = next(one for one in self._free if one is not before)
            self._free.remove(server)
            self.transactions += 1
        awaited = sum(self._forward(told, server) for told in (first, *client.seen()))
        status = b""
        with selectors.DefaultSelector() as both:
            both.register(client.raw, selectors.EVENT_READ, client)
            both.register(server.raw, selectors.EVENT_READ, server)
            while awaited or status != IDLE:
                ready = {key.data for key, _ in both.select()}
                if client in ready:
                    awaited += sum(self._forward(told, server) for told in client.messages())
                if server in ready:
                    for kind, message in server.messages():
                        client.raw.sendall(message)
                        if kind == READY:
                            awaited, status = awaited - 1, message[5:6]
        with self._changed:
            self._free.append(server)
            self._changed.notify_all()
        return server

    def _forward(self, told: tuple[bytes, bytes], server: Wire) -> int:
        """Hand a message on; how often the server will say that it is ready because of it."""
        kind, message = told
        if kind == QUERY:
            self.statements.append(message[5:-1])
        elif kind == PARSE:
            name, statement = message[5:].split(b"\0")[:2]
            self.names.add(name)
            self.statements.append(statement)
        server.raw.sendall(message)
        return kind in {QUERY, SYNC}

    def close(self) -> None:
        for wire in self._free:
            wire.raw.close()


@contextmanager
def new_pooler(host: str, port: int, *, size: int) -> Iterator[tuple[Pooler, int]]:
    """A pooler before the server at `host` and `port`, and the port on which it listens."""
    pooler = Pooler((host, port), size)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):  # it was closed
            while True:
                client, _ = listener.accept()
                threading.Thread(target=pooler.client, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield pooler, int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        pooler.close()
