"""A Calls API that costs next to nothing: it counts phones, gives ids, and remembers what it saw.

It runs in its own process, so that its CPU is nobody's. `GET /stats` tells how many phones came,
how many different ones, and how many requests; `POST /reset` forgets. An idempotence key that
was seen gets its first answer again, as at the vendor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import sys

PHONE = re.compile(rb'"phone": ?"?\+?(\d+)')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
KEY = re.compile(rb"\r\nidempotence-key: *([^\r]+)", re.IGNORECASE)
FIRST_ID = 5_665_000_000
CAMPAIGN = json.dumps(
    {
        "id": 1,
        "name": "bench",
        "projectName": "bench",
        "status": "inProcess",
        "maxSimultaneousCalls": 10,
        "startTime": 1_700_000_000_000,
        "endTime": None,
        "shortReport": {"totalNumbers": 0, "processedNumbers": 0},
    }
).encode()


class Book:
    """What was seen since the last reset."""

    def __init__(self) -> None:
        self.next_id = FIRST_ID
        self.forget()

    def forget(self) -> None:
        self.phones: list[bytes] = []
        self.answers: dict[bytes, bytes] = {}
        self.requests = 0

    def add(self, head: bytes, body: bytes) -> bytes:
        """The answer to addPhones: as many growing ids as the batch has phones."""
        key = KEY.search(head)
        if key and key[1] in self.answers:
            return self.answers[key[1]]
        phones = PHONE.findall(body)
        self.phones += phones
        self.requests += 1
        first, self.next_id = self.next_id, self.next_id + len(phones)
        answer = b'["%s"]' % b'","'.join(b"%d" % n for n in range(first, self.next_id))
        if key:
            self.answers[key[1]] = answer
        return answer

    def stats(self) -> bytes:
        seen = {"phones": len(self.phones), "unique": len(set(self.phones))}
        return json.dumps({**seen, "requests": self.requests}).encode()


class Target(asyncio.Protocol):
    """One connection: requests one after the other, keep-alive."""

    def __init__(self, book: Book, latency_s: float) -> None:
        self.book = book
        self.latency_s = latency_s
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end])
        length = LENGTH.search(head)
        total = end + 4 + (int(length[1]) if length else 0)
        if len(self.buffer) < total:
            return
        body = bytes(self.buffer[end + 4 : total])
        del self.buffer[:total]
        self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        line = head.split(b" ", 2)
        method, path = line[0], line[1].split(b"?")[0]
        latency_s = 0.0
        status, text = b"200 OK", b"[]"
        if path.endswith(b"/addPhones"):
            text, latency_s = self.book.add(head, body), self.latency_s
        elif path == b"/stats":
            text = self.book.stats()
        elif path == b"/reset":
            self.book.forget()
        elif path.endswith(b"/status"):
            text = b'"inProcess"'
        elif b"/callJob/" in path or b"/callAttempt/" in path:
            if not path.endswith(b"/getReport"):
                status, text = b"404 Not Found", b"{}"
        elif method == b"GET":
            text = CAMPAIGN
        message = (
            b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (status, len(text), text)
        )
        if latency_s:
            asyncio.get_running_loop().call_later(latency_s, self.transport.write, message)
        else:
            self.transport.write(message)


async def serve(port: int, latency_s: float) -> None:
    """Serve until SIGTERM; says the port on the first line of stdout."""
    book = Book()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    server = await loop.create_server(lambda: Target(book, latency_s), "127.0.0.1", port)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--latency-ms", type=float, default=0.0, help="before each addPhones answer"
    )
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.latency_ms / 1000))
