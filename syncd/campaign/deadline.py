"""A total timeout: no single wait of an exchange lasts beyond the end of the whole.

httpx bounds each read and each write, but not their sum: a server that sends one byte now and then,
of the headers or of the body, could hold a thread for hours. Here every wait on the network is
shortened to what is left. Must never know what is being sent.
"""

from __future__ import annotations

import math
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from syncd.clock import Clock

_SLICE_BYTES = 64 * 1024


class Deadline:
    """When the exchange of the present thread has to be over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._here = threading.local()

    @contextmanager
    def after(self, total_s: float) -> Iterator[None]:
        """The exchange inside has `total_s` from now."""
        outer_s = self._end_s()  # of an exchange that asks something at its own gate
        self._here.end_s = self._clock.monotonic_s() + total_s
        try:
            yield
        finally:
            self._here.end_s = outer_s

    def is_over(self) -> bool:
        """Whether the present exchange has used up its time."""
        return self._left_s() <= 0

    def within(self, timeout_s: float | None, late: Callable[[], Exception]) -> float | None:
        """The shorter of `timeout_s` and what is left; raises `late()` when nothing is."""
        left_s = self._left_s()
        if left_s <= 0:
            raise late()
        if timeout_s is None:
            return None if math.isinf(left_s) else left_s
        return min(timeout_s, left_s)

    def _left_s(self) -> float:
        end_s = self._end_s()
        return math.inf if math.isinf(end_s) else end_s - self._clock.monotonic_s()

    def _end_s(self) -> float:
        end_s: float = getattr(self._here, "end_s", math.inf)
        return end_s


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport on a pool whose waits obey the deadline; no proxy, no retries."""

    def __init__(
        self, deadline: Deadline, *, trust: ssl.SSLContext | None, limits: httpx.Limits
    ) -> None:
        # Not super().__init__: it would load a trust store, and takes no network backend.
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            retries=0,
            network_backend=_Backend(deadline),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.within(timeout, httpcore.ConnectTimeout)
        stream = self._plain.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        timeout = self._deadline.within(timeout, httpcore.ReadTimeout)
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In slices: a server that takes a long body drop by drop uses up the whole time, no more.
        for start in range(0, len(buffer), _SLICE_BYTES):
            left_s = self._deadline.within(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _SLICE_BYTES], left_s)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.within(timeout, httpcore.ConnectTimeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _Stream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
