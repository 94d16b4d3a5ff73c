"""A .zst file as a bounded stream that notices when the file is cut.

zstandard's reader ends silently at a cut frame. So a small frame of ours is read after the file:
only when the last one is whole does our mark come out at the end of the bytes, where it is taken
off again.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

import zstandard

WINDOW_BYTES_MAX = 128 * 1024 * 1024

_END_MARK = b"\0syncd: end of file\0"
_END_FRAME = zstandard.ZstdCompressor().compress(_END_MARK)


class _WithEndFrame(io.RawIOBase):
    """The file's bytes, then our frame."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._tail = io.BytesIO(_END_FRAME)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        raw = self._file.read(len(into)) or self._tail.read(len(into))
        into[: len(raw)] = raw
        return len(raw)


class ZstdStream:
    """Reads the frames of `file` one after the other; EOFError when the last one is cut."""

    def __init__(self, file: Any) -> None:
        unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
        self._stream = unpacker.stream_reader(
            cast("BinaryIO", _WithEndFrame(file)), read_across_frames=True, closefd=False
        )
        self._held = b""

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; b"" at the end."""
        if count == 0:
            return b""
        while True:
            raw = self._stream.read(count)
            text = self._held + raw
            if not raw:
                if text != _END_MARK:
                    raise EOFError
                return b""
            self._held = text[-len(_END_MARK) :]
            if len(text) > len(self._held):
                return text[: -len(_END_MARK)]
