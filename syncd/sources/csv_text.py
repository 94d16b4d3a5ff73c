"""Bytes to whole lines of text, in bounded blocks.

Owns decoding and the splitting into physical lines. Never fails on bytes that do not decode: they
stand in the text as marks (U+DC00 + byte), so that only the records that hold them are lost to the
reader.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BLOCK_BYTES = 256 * 1024

_MARKING = "syncd-mark-undecodable"
MARK = re.compile("[\udc00-\udcff]")
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARKING, _mark)


def digest_of(text: str) -> str:
    """Hex digest of a raw record, its line end aside."""
    return _hash(text.rstrip("\r\n")).hexdigest()


def _hash(text: str = "") -> hashlib.blake2b:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16)


class TextDigest:
    """`digest_of` a record that comes line by line, a long line in parts."""

    def __init__(self) -> None:
        self._seen = _hash()
        self._end = ""

    def update(self, part: str) -> None:
        kept = part.rstrip("\r\n")
        self._seen.update((self._end + kept).encode("utf-8", "surrogatepass"))
        self._end = part[len(kept) :]

    def hexdigest(self) -> str:
        return self._seen.hexdigest()


def split_lines(text: str) -> list[str]:
    r"""The physical lines with their ends: \n, \r\n or \r, and nothing else, ends a line."""
    return io.StringIO(text, newline="").readlines()


def count_lines(text: str) -> int:
    """How many lines `split_lines` would give for whole lines."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


class Decoder:
    """Decodes block by block; `seen_bad` tells that marks may stand in the text from now on."""

    def __init__(self, encoding: str) -> None:
        make = codecs.getincrementaldecoder(encoding)
        self._strict = make("strict")
        self._marking = make(_MARKING)
        self.seen_bad = False

    def decode(self, raw: bytes, *, final: bool) -> str:
        state = self._strict.getstate()
        try:
            return self._strict.decode(raw, final)
        except UnicodeDecodeError:
            self.seen_bad = True
        self._marking.setstate(state)
        text = self._marking.decode(raw, final)
        self._strict.setstate(self._marking.getstate())
        return text


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines; or one line that was too long to hold, of which only the digest is left."""

    text: str
    suspect: bool = False  #: holds marks of bytes that did not decode
    long_line: str | None = None  #: digest of a line over the limit; `text` is then empty
    ended: bool = True  #: False: the last line of the file has no line end


class LineBlocks:
    """Cuts a byte stream into blocks of whole lines; holds at most a line and a block."""

    def __init__(self, read: Callable[[int], bytes], encoding: str, *, line_max: int) -> None:
        self._read = read
        self._decoder = Decoder(encoding)
        self._line_max = line_max
        self._rest = ""

    def __iter__(self) -> Iterator[Block]:
        while raw := self._read(BLOCK_BYTES):
            text = self._rest + self._decoder.decode(raw, final=False)
            cut = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
            self._rest = text[cut:]
            if cut:
                yield self._block(text[:cut])
            if len(self._rest) > self._line_max:
                yield self._discard()
        text = self._rest + self._decoder.decode(b"", final=True)
        cut = max(text.rfind("\n"), text.rfind("\r")) + 1
        self._rest = text[cut:]
        if cut:
            yield self._block(text[:cut])
        if self._rest:
            yield self._block(self._rest, ended=False)

    def texts(self) -> Iterator[str]:
        """The same text with nothing left out: whole lines, and long lines in parts.

        A line is at its end only where a text ends with a line end.
        """
        while raw := self._read(BLOCK_BYTES):
            text = self._rest + self._decoder.decode(raw, final=False)
            cut = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
            if len(text) - cut > self._line_max:
                cut = len(text) - text.endswith("\r")
            self._rest = text[cut:]
            if cut:
                yield text[:cut]
        if text := self._rest + self._decoder.decode(b"", final=True):
            yield text

    def _block(self, text: str, *, ended: bool = True) -> Block:
        suspect = self._decoder.seen_bad and MARK.search(text) is not None
        return Block(text, suspect=suspect, ended=ended)

    def _discard(self) -> Block:
        """Read on to the end of a line that is too long, keeping nothing but its digest."""
        seen = _hash()
        text, ended = self._rest, True
        while (end := _LINE_END.search(text)) is None:
            held = "\r" if text.endswith("\r") else ""
            seen.update(text.removesuffix("\r").encode("utf-8", "surrogatepass"))
            raw = self._read(BLOCK_BYTES)
            if not raw:
                text, ended = "", bool(held)
                break
            text = held + self._decoder.decode(raw, final=False)
        else:
            seen.update(text[: end.start()].encode("utf-8", "surrogatepass"))
            text = text[end.end() :]
        self._rest = text
        return Block("", long_line=seen.hexdigest(), ended=ended)


def drop_lines(block: Block, count: int) -> tuple[Block | None, int]:
    """What a block is without its first `count` lines, and how many of these are still to come."""
    if count == 0:
        return block, 0
    if block.long_line is not None:
        return None, count - 1
    if block.ended and (lines := count_lines(block.text)) <= count:
        return None, count - lines
    kept = split_lines(block.text)[count:]
    return Block("".join(kept), suspect=block.suspect, ended=block.ended) if kept else None, 0


def skip_lines(blocks: Iterator[Block], count: int) -> Iterator[Block]:
    """Leave out the first `count` physical lines."""
    for block in blocks:
        rest, count = drop_lines(block, count)
        if rest is not None:
            yield rest
