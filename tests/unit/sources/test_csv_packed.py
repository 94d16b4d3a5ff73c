"""Packed exports: .gz, .zst and .zip as bounded streams, and what is refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from syncd.errors import ConfigError, SourceDown

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i * 7919 % 1000) for i in range(60_000))


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "zip": lambda content: _zip({"leads.csv": content}),
}
packed = pytest.mark.parametrize("kind", PACKERS)


@packed
def test_packed_files_are_read_as_they_are(box: Any, kind: str) -> None:
    """Packing is told from the first bytes, whatever the name; lines and records are the same."""
    box.put(TEXT, "plain.csv")
    box.put(PACKERS[kind](TEXT))
    plain, got = box.read("plain.csv"), box.read()
    assert (got.rows, got.lines) == (plain.rows, plain.lines)
    assert got.pages[-1].progress == 1.0
    shares = [page.progress for page in got.pages]
    assert shares == sorted(shares)


@packed
def test_packed_files_are_known_again(box: Any, kind: str) -> None:
    """Unchanged or touched, a packed file gives no records again; in the middle it is read on."""
    path = box.put(PACKERS[kind](TEXT))
    got = box.read(page_records=50_000)
    assert box.read(cursor=got.cursor).pages == []
    rest = box.read(cursor=got.pages[0].cursor, page_records=50_000)
    assert rest.rows == [list(row) for row in got.pages[1].rows]
    for cursor in (got.cursor, rest.cursor):
        box.date(path, timedelta(minutes=20))
        assert box.read(cursor=cursor).rows == []


@packed
def test_cut_archive_is_down_and_loses_nothing(box: Any, kind: str) -> None:
    """An archive that ends early is reported; whole, it is read to its end."""
    content = PACKERS[kind](TEXT)
    box.put(content[: len(content) * 2 // 3])
    with pytest.raises(SourceDown, match="cut or damaged") as caught:
        box.read()
    assert caught.value.hint
    box.put(content, age=timedelta(minutes=5))
    assert len(box.read().rows) == 60_000


@packed
def test_damaged_archive_is_down(box: Any, kind: str) -> None:
    """Broken bytes inside an archive are an error of the source and no crash."""
    content = bytearray(PACKERS[kind](TEXT))
    content[len(content) // 2 : len(content) // 2 + 64] = b"\x5a" * 64
    box.put(bytes(content))
    with pytest.raises(SourceDown, match="cut or damaged"):
        box.read()


def test_archive_of_several_parts(box: Any) -> None:
    """Parts one after the other, as `cat a.gz b.gz` makes them, are one file."""
    for pack in (PACKERS["gzip"], PACKERS["zstd"]):
        box.put(pack(b"id,name\n1,a\n") + pack(b"2,b\n"))
        assert box.read().rows == [["1", "a"], ["2", "b"]]


@packed
def test_s13_bombs_are_refused(box: Any, kind: str) -> None:
    """A file that unpacks beyond the ratio or the size is refused with the option to raise."""
    box.put(PACKERS[kind](b"id,name\n" + b"1,a\n" * 6_000_000))
    with pytest.raises(ConfigError, match="times its size") as caught:
        box.read(page_records=100_000)
    assert "unpacked_ratio_max" in caught.value.hint
    with pytest.raises(ConfigError, match="more than 1000 bytes") as caught:
        box.read(unpacked_bytes_max=1000)
    assert "unpacked_bytes_max" in caught.value.hint


def test_zip_with_one_text_among_others(box: Any) -> None:
    """The one CSV in a zip is found; folders and the shadow files of macOS do not count."""
    box.put(_zip({"f/leads.csv": b"id,name\n1,a\n", "f/x.pdf": b"x", "__MACOSX/leads.csv": b"y"}))
    assert box.read().rows == [["1", "a"]]
    box.put(_zip({"data.dat": b"id,name\n1,a\n"}))
    assert box.read().rows == [["1", "a"]]


def test_zip_with_several_texts(box: Any) -> None:
    """Of several one has to be chosen, by name or glob."""
    box.put(_zip({"a.csv": b"id,name\n1,a\n", "b.csv": b"id,name\n2,b\n"}))
    with pytest.raises(ConfigError, match="2 files to choose from") as caught:
        box.read()
    assert "member" in caught.value.hint
    assert box.read(member="b.csv").rows == [["2", "b"]]
    assert box.read(member="a*").rows == [["1", "a"]]
    with pytest.raises(ConfigError, match="0 files"):
        box.read(member="c*")


def _with_zip_field(content: bytes, offset: int, central: int, value: int) -> bytes:
    """Set a 16-bit field in the header of the first member and in the central directory."""
    raw = bytearray(content)
    raw[offset : offset + 2] = value.to_bytes(2, "little")
    at = raw.index(b"PK\x01\x02") + central
    raw[at : at + 2] = value.to_bytes(2, "little")
    return bytes(raw)


def test_encrypted_zip_and_unknown_method(box: Any) -> None:
    """A zip with a password is for a person to mend; an unknown method counts as damaged."""
    content = _zip({"a.csv": b"id,name\n1,a\n"})
    box.put(_with_zip_field(content, 6, 8, 1))
    with pytest.raises(ConfigError, match="encrypted"):
        box.read()
    box.put(_with_zip_field(content, 8, 10, 77))
    with pytest.raises(SourceDown, match="cut or damaged"):
        box.read()


def test_compression_can_be_given(box: Any) -> None:
    """With compression = "none" the bytes are read as they are; a wrong kind is damaged."""
    box.put(b"id,name\n1,a\n")
    assert box.read(compression="none").rows == [["1", "a"]]
    for kind in PACKERS:
        with pytest.raises(SourceDown):
            box.read(compression=kind)


def test_one_damaged_file_does_not_hold_up_the_others(box: Any) -> None:
    """The pages of the good files come first, the error after them."""
    box.put(gzip.compress(TEXT)[:-9], "a.gz", age=timedelta(hours=3))
    box.put(b"id,name\n1,a\n", "b.csv")
    seen: list[str] = []
    with pytest.raises(SourceDown, match=r"a\.gz"):
        seen.extend(Path(page.origin).name for page in box.source("*").read(None, now=NOW))
    assert seen[-1] == "b.csv"


@packed
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_of_the_encoding_survives_packing(box: Any, kind: str, encoding: str) -> None:
    """A packed file begins as the plain one does: its mark is no part of the header."""
    box.put(PACKERS[kind]("id;name\n1;Ирина\n2;Ann\n".encode(encoding)))
    got = box.read()
    assert got.pages[0].columns == ("id", "name")
    assert got.rows == [["1", "Ирина"], ["2", "Ann"]]
