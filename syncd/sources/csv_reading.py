"""One file, opened: what it is, and its records as pages that each know where to go on after them.

Owns the watch over the open file: when it changes while it is read, no further page is given.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from syncd.errors import ConfigError
from syncd.sources.csv_ahead import LookAhead
from syncd.sources.csv_dialect import SAMPLE_CHARS, find_layout
from syncd.sources.csv_encoding import SAMPLE_BYTES, Encoding, find_encoding, settle_encoding
from syncd.sources.csv_grammar import Shape
from syncd.sources.csv_options import CsvOptions
from syncd.sources.csv_records import Records
from syncd.sources.csv_text import Decoder, LineBlocks, skip_lines
from syncd.sources.csv_walk import Parsed
from syncd.sources.decompress import Raw, UnpackLimits, sniff_compression, unpacked
from syncd.sources.file_cursor import Entry, State
from syncd.sources.file_settle import Found
from syncd.sources.pager import Pager


@dataclass(frozen=True, slots=True)
class FilePage:
    """A page of one file: its records, where to go on after it, how far it is (0 to 1)."""

    parsed: Parsed
    entry: Entry
    share: float


def open_reading(
    opened: BinaryIO, file: Found, options: CsvOptions, *, where: str
) -> Reading | None:
    """Look at the beginning of an opened file; None when it is not the content that was listed."""
    if Found.of(file.path, os.fstat(opened.fileno())) != file:
        return None
    return Reading(opened, file, options, where)


class Reading:
    """An opened file with its encoding and layout found out."""

    def __init__(self, opened: BinaryIO, file: Found, options: CsvOptions, where: str) -> None:
        self._opened = opened
        self._file = file
        self._options = options
        self._where = where
        self._replaced = False
        packed = options.compression
        self._compression = sniff_compression(opened) if packed == "auto" else packed
        self.head = hashlib.sha256(opened.read(SAMPLE_BYTES)).hexdigest()[:16]
        self._encoding = self._find_encoding()
        self._layout = find_layout(self._sample(), options, where=where)

    @property
    def columns(self) -> tuple[str, ...]:
        return self._layout.columns if self._layout else ()

    @property
    def guessed(self) -> str:
        """The option that settles what was only guessed; "" when nothing was."""
        return "" if self._encoding.sure else f'encoding = "{self._encoding.name}"'

    def entry(self, lines: int, state: State, sha256: str = "") -> Entry:
        return Entry(self._file.size, self._file.mtime_ns, self.head, lines, state, sha256)

    def pages(self, start: int, *, tail: bool) -> Iterator[FilePage]:
        """The records after the first `start` lines; `tail` allows a last line that has no end.

        Stops before a page when the file is not what it was on opening.
        """
        layout = self._layout
        raw = Raw(self._opened)
        if layout is None:
            yield FilePage(Parsed(), self.entry(0, "done", raw.drain()), 1.0)
            return
        pager = Pager(self._options.page_records)
        walked = _Walked(lines=max(start, layout.skip))
        lengths = self._options.field_bytes_max, self._options.record_bytes_max
        shape = Shape(layout.form, layout.columns, *lengths)
        ahead = LookAhead(shape, self._again, tail=tail)
        with self._stream(self._opened, raw) as read, ahead:
            records = Records(shape, ahead, consumed=walked.lines)
            for parsed in self._parsed(read, records, walked, tail=tail):
                for page in pager.add(parsed):
                    if self._has_changed():
                        return
                    yield FilePage(page, self.entry(page.consumed, "reading"), self._share())
        sha256 = self._sha256(raw)
        if self._has_changed():
            return
        state: State = "tail" if walked.waits else "done"
        yield FilePage(pager.rest(), self.entry(walked.lines, state, sha256), 1.0)

    def _parsed(
        self, read: Callable[[int], bytes], records: Records, walked: _Walked, *, tail: bool
    ) -> Iterator[Parsed]:
        """What each block gives; notes in `walked` how it ended."""
        for block in skip_lines(iter(self._blocks(read)), walked.lines):
            if not block.ended and not tail:
                walked.waits = True
                break
            yield from self._note(records.feed(block), walked)
            if records.unfinished:
                break
        if not records.unfinished:
            yield from self._note(records.finish(tail=tail), walked)
        walked.waits |= records.waiting

    @staticmethod
    def _note(parts: Iterator[Parsed], walked: _Walked) -> Iterator[Parsed]:
        for parsed in parts:
            walked.lines = parsed.consumed
            yield parsed

    def _blocks(self, read: Callable[[int], bytes]) -> LineBlocks:
        read(self._encoding.mark)
        return LineBlocks(read, self._encoding.name, line_max=self._options.record_bytes_max)

    @contextmanager
    def _again(self) -> Iterator[Iterator[str]]:
        """The text from its start, beside the reading that goes on."""
        with Path(self._file.path).open("rb", buffering=0) as opened:
            if Found.of(self._file.path, os.fstat(opened.fileno())) != self._file:
                self._replaced = True
                yield iter(())
                return
            with self._stream(opened) as read:
                yield self._blocks(read).texts()

    def _stream(
        self, opened: BinaryIO, raw: Raw | None = None
    ) -> AbstractContextManager[Callable[[int], bytes]]:
        """The unpacked bytes from the start, through `raw`; a zip is read by places, so past it."""
        opened.seek(0)
        limits = UnpackLimits(self._options.unpacked_bytes_max, self._options.unpacked_ratio_max)
        return unpacked(
            opened if raw is None or self._compression == "zip" else raw,
            self._compression,
            size=self._file.size,
            member=self._options.member,
            limits=limits,
            where=self._where,
        )

    def _find_encoding(self) -> Encoding:
        with self._stream(self._opened) as read:
            if self._options.encoding is not None:
                return settle_encoding(self._options.encoding, read(4))
            found = find_encoding(read)
        if found is None:
            raise ConfigError(
                "cannot tell the encoding of the file",
                where=self._where,
                hint='set encoding, such as "cp1251"',
            )
        return found

    def _sample(self) -> str:
        """The first whole lines."""
        with self._stream(self._opened) as read:
            read(self._encoding.mark)
            raw = read(2 * SAMPLE_CHARS)
            more = bool(read(1))
        text = Decoder(self._encoding.name).decode(raw, final=not more)
        if not more:
            return text
        cut = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        if not text[:cut].strip():
            raise ConfigError(
                f"the file begins with {SAMPLE_CHARS} characters without a header",
                where=self._where,
                hint="check that the file is CSV, and its encoding",
            )
        return text[:cut]

    def _sha256(self, raw: Raw) -> str:
        if self._compression == "zip":
            self._opened.seek(0)
            raw = Raw(self._opened)
        return raw.drain()

    def _has_changed(self) -> bool:
        now = Found.of(self._file.path, os.fstat(self._opened.fileno()))
        return self._replaced or now != self._file

    def _share(self) -> float:
        """How far the packed bytes are; of a zip about, because it is read by places."""
        return min(1.0, self._opened.tell() / self._file.size)


@dataclass(slots=True)
class _Walked:
    """How far the walk is: lines behind it, and whether something waits at the end."""

    lines: int
    waits: bool = False
