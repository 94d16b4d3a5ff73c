"""Opens a file of bytes, packed or not, as one bounded stream.

Owns .gz, .zst and .zip, and the limits against files that unpack without end. Never unpacks to
disk, and never holds more than a block.
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Protocol, cast

import zstandard

from syncd.errors import ConfigError, SourceDown
from syncd.sources.zstd_stream import ZstdStream

RATIO_FROM_BYTES = 16 * 1024 * 1024  #: smaller unpacked sizes are let through at any ratio
ZIP_MEMBERS_MAX = 1000
TEXT_ENDINGS = (".csv", ".tsv", ".txt")

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
_DAMAGED = (
    EOFError,
    gzip.BadGzipFile,
    zlib.error,
    zipfile.BadZipFile,
    zstandard.ZstdError,
    NotImplementedError,
)


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """How far a packed file may unfold."""

    bytes_max: int
    ratio_max: int


class Raw(io.RawIOBase):
    """The file's own bytes, counted and hashed on their way: only for reading from the start on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        raw = self._file.read(len(into))
        into[: len(raw)] = raw
        self.hash.update(raw)
        return len(raw)

    def drain(self) -> str:
        """Read what the unpacker left over; the sha256 of the whole file."""
        while self.read(256 * 1024):
            pass
        return self.hash.hexdigest()


def sniff_compression(file: BinaryIO) -> str:
    """What the first bytes say: "gzip", "zstd", "zip" or "none"; the position is kept."""
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "none")


@contextmanager
def unpacked(
    file: BinaryIO | Raw,
    compression: str,
    *,
    size: int,
    member: str | None,
    limits: UnpackLimits,
    where: str,
) -> Iterator[Callable[[int], bytes]]:
    """Give a `read(n)` over the unpacked bytes of `file`, whose packed size is `size`.

    Raises SourceDown when the archive is cut or damaged (a whole one may replace it), ConfigError
    when it is over a limit, encrypted, or when one member has to be chosen.
    """
    if compression == "none":
        yield file.read
        return
    with _open(file, compression, member, where) as stream:
        total = 0

        def read(count: int) -> bytes:
            nonlocal total
            parts: list[bytes] = []
            missing = count
            # An unpacker may give less than there is: only the end of the file is a short read.
            while missing:
                try:
                    raw = stream.read(missing)
                except _DAMAGED as error:
                    raise _damaged(compression, error, where) from None
                if not raw:
                    break
                parts.append(raw)
                missing -= len(raw)
                total += len(raw)
                _check(total, size, limits, where)
            return b"".join(parts)

        yield read


def _check(total: int, size: int, limits: UnpackLimits, where: str) -> None:
    if total > limits.bytes_max:
        raise ConfigError(
            f"unpacks to more than {limits.bytes_max} bytes",
            where=where,
            hint="raise unpacked_bytes_max if the file is meant to be so large",
        )
    if total > RATIO_FROM_BYTES and total > size * limits.ratio_max:
        raise ConfigError(
            f"unpacks to more than {limits.ratio_max} times its size",
            where=where,
            hint="raise unpacked_ratio_max if the file is meant to be so",
        )


@contextmanager
def _open(
    file: BinaryIO | Raw, compression: str, member: str | None, where: str
) -> Iterator[_Readable]:
    if compression == "gzip":
        with gzip.GzipFile(fileobj=file, mode="rb") as stream:
            yield stream
    elif compression == "zstd":
        yield ZstdStream(file)
    else:
        with _zip(file, where) as archive, _member(archive, member, where) as stream:
            yield stream


def _zip(file: BinaryIO | Raw, where: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(cast("BinaryIO", file))
    except _DAMAGED as error:
        raise _damaged("zip", error, where) from None


def _member(archive: zipfile.ZipFile, wanted: str | None, where: str) -> IO[bytes]:
    """The one member to read: the only file, or the only text, or the one that `member` names."""
    infos = [
        info
        for info in archive.infolist()[:ZIP_MEMBERS_MAX]
        if not info.is_dir() and not info.filename.startswith("__MACOSX/")
    ]
    if wanted is not None:
        chosen = [info for info in infos if fnmatch.fnmatchcase(info.filename, wanted)]
    else:
        texts = [info for info in infos if info.filename.lower().endswith(TEXT_ENDINGS)]
        chosen = infos if len(infos) == 1 else texts
    if len(chosen) != 1:
        raise ConfigError(
            f"the zip holds {len(chosen)} files to choose from, expected one",
            where=where,
            hint="set member to the name of the file to read",
        )
    if chosen[0].flag_bits & 1:
        raise ConfigError("the zip is encrypted", where=where, hint="export it without a password")
    try:
        return archive.open(chosen[0])
    except _DAMAGED as error:
        raise _damaged("zip", error, where) from None


def _damaged(compression: str, error: Exception, where: str) -> SourceDown:
    return SourceDown(
        f"the {compression} file is cut or damaged: {type(error).__name__}",
        where=where,
        hint="export it again; it is read when it changes",
    )
