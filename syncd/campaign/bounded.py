"""Reads the body of an answer, and never more of it than the limit: neither raw nor unpacked.

httpx unpacks without bound (50 KB become 50 MB), so that it is done here. Must never judge what
the body says. A body that cannot be had is a flaw in words, not an exception: the status line and
`Retry-After` are still worth something.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

#: More than 10,000 reports of ordinary size; a request asks for 500 at most.
BODY_BYTES_MAX = 8 * 1024 * 1024

#: The one encoding that we ask for, and unpack.
ACCEPT_ENCODING = "gzip"

_GZIP = 16 + zlib.MAX_WBITS


class Flaw(Exception):
    """Why the body cannot be used."""


def read_body(
    chunks: Iterator[bytes],
    *,
    encoding: str,
    is_late: Callable[[], bool],
    limit: int = BODY_BYTES_MAX,
) -> bytes:
    """The unpacked body; raises Flaw, or whatever `chunks` raises."""
    unpack = _unpacker(encoding, limit)
    raw = 0
    body = bytearray()
    for chunk in chunks:
        raw += len(chunk)
        body += unpack(chunk)
        if raw > limit or len(body) > limit:
            raise Flaw(f"longer than {limit} bytes")
        if is_late():
            raise Flaw("not complete within the total timeout")
    if raw:
        unpack(b"")
    return bytes(body)


def _unpacker(encoding: str, limit: int) -> Callable[[bytes], bytes]:
    """Unpacks chunk by chunk, a little over the limit at most; an empty chunk checks the end."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return lambda chunk: chunk
    if name not in {"gzip", "x-gzip"}:
        raise Flaw("packed in a way that was not asked for")
    stream = zlib.decompressobj(wbits=_GZIP)

    def unpack(chunk: bytes) -> bytes:
        if not chunk and not stream.eof:
            raise Flaw("cut short")
        try:
            return stream.decompress(chunk, limit + 1)
        except zlib.error:
            raise Flaw("not unpackable") from None

    return unpack
