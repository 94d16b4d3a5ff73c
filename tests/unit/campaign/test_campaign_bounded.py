"""Bodies are read within limits, packed or not."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

import orjson
import pytest

from syncd.campaign import wire
from syncd.campaign.bounded import BODY_BYTES_MAX, Flaw, read_body
from syncd.campaign.rows import Unreadable


def read(chunks: list[bytes], encoding: str = "", limit: int = 100, late: bool = False) -> bytes:
    return read_body(iter(chunks), encoding=encoding, is_late=lambda: late, limit=limit)


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_plain_body_is_joined(encoding: str) -> None:
    """As it came."""
    assert read([b"ab", b"", b"c"], encoding) == b"abc"
    assert read([], encoding) == b""


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_packed_body_is_unpacked(encoding: str, size: int) -> None:
    """However the network cuts it."""
    assert read(pieces(gzip.compress(b"hello" * 10), size), encoding) == b"hello" * 10
    assert read([], encoding) == b""


@pytest.mark.parametrize("size", [100, 101])
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_the_limit_is_a_limit(size: int, encoding: str) -> None:
    """A body of the limit passes, one byte more does not; packed or plain."""
    body = b"x" * size
    data = gzip.compress(body) if encoding else body
    if size == 100:
        assert read([data], encoding) == body
        return
    with pytest.raises(Flaw, match="longer than 100 bytes"):
        read([data], encoding)


def test_a_packed_body_is_limited_raw_as_well() -> None:
    """Bytes that unpack to nothing are bytes all the same."""
    noise = bytes(range(256)) * 2
    with pytest.raises(Flaw, match="longer"):
        read([gzip.compress(b"") + noise], "gzip")


def test_a_bomb_costs_no_memory() -> None:
    """64 MB of zeros in 64 KB: no more than about the limit is ever held."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    tracemalloc.start()
    with pytest.raises(Flaw):
        read([bomb], "gzip", limit=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000


@pytest.mark.parametrize("read_it", [wire.read_ids, wire.read_job_reports, wire.read_fault])
@pytest.mark.parametrize(
    "each", ["[]", "{}", '""', '"ab"', "1", '"\\ud800"', "[" * 500 + "]" * 500]
)
def test_a_body_within_its_limit_costs_no_more_memory_than_so_many_values(
    read_it: Callable[[bytes], object], each: str
) -> None:
    """8 MiB of the smallest values, or of nested ones: they are counted before they are made."""
    count = BODY_BYTES_MAX // (len(each) + 1) - 1
    body = f"[{','.join([each] * count)}]".encode()
    tracemalloc.start()
    with suppress(Unreadable):
        read_it(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * BODY_BYTES_MAX


def test_as_many_reports_as_a_body_holds_are_read() -> None:
    """The limit of values is none for reports: 10,000 of them with 30 fields more are read."""
    more = {f"field{n}": n for n in range(30)}
    rows = [{"callJobId": str(n), "reportData": more} for n in range(10_000)]
    body = orjson.dumps(rows)
    assert len(body) < BODY_BYTES_MAX
    assert len(wire.read_job_reports(body)) == len(rows)


@pytest.mark.parametrize(
    ("data", "encoding", "why"),
    [
        (gzip.compress(b"hello", mtime=0)[:-9], "gzip", "cut short"),
        (gzip.compress(b"hello", mtime=0)[:5], "gzip", "cut short"),
        (b"<html>", "gzip", "not unpackable"),
        (zlib.compress(b"hello"), "gzip", "not unpackable"),
        (b"x", "br", "not asked for"),
        (b"x", "gzip, gzip", "not asked for"),
    ],
)
def test_what_cannot_be_unpacked_is_a_flaw(data: bytes, encoding: str, why: str) -> None:
    """And never half a body."""
    with pytest.raises(Flaw, match=why):
        read([data], encoding)


def test_a_late_body_is_a_flaw() -> None:
    """The total timeout is looked at between two chunks."""
    with pytest.raises(Flaw, match="total timeout"):
        read([b"x"], late=True)
