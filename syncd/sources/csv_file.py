"""The kind "csv": exports in files, read page by page.

Owns the order of things: which file, from where, until when, and the cursor of every page. It never
decides what is new (the ledger does), never reads a file that is still being written, and never
changes one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ClassVar

from pydantic import BaseModel

from syncd.errors import ConfigError, SourceDown
from syncd.sources.base import Cursor, Page, Unread
from syncd.sources.csv_options import CsvOptions
from syncd.sources.csv_reading import Reading, open_reading
from syncd.sources.decompress import Raw
from syncd.sources.file_cursor import Entry, FileCursor
from syncd.sources.file_settle import Found, Ready, find_files, how_ready, unreadable


class CsvSource:
    """An opened source of CSV exports."""

    kind: ClassVar[str] = "csv"
    Options: ClassVar[type[BaseModel]] = CsvOptions

    def __init__(self, name: str, options: CsvOptions) -> None:
        self._name = name
        self._options = options

    @classmethod
    def open(cls, name: str, options: BaseModel) -> CsvSource:
        """Open the source called `name`; touches no file yet."""
        assert isinstance(options, CsvOptions), "the registry validates options by Options"
        return cls(name, options)

    def read(self, cursor: Cursor | None, *, now: datetime) -> Iterator[Page]:
        """Yield the records of all files that are new or changed, the oldest file first.

        A page without records only moves the cursor (a file without rows, a file that was touched,
        files that are gone), and its columns may be empty. A file that cannot be read does not
        hold up the others: its error (SourceDown, ConfigError) is raised after them.
        """
        known = FileCursor(cursor, self._options.digest)
        files = find_files(self._options, where=self._where(self._options.path))
        known.keep_only(file.path for file in files)
        todo = [(file, ready) for file in files if (ready := self._to_read(file, known, now))]
        total, before = sum(file.size for file, _ in todo), 0
        failures: list[SourceDown | ConfigError] = []
        unread = 0  # files
        for file, ready in todo:
            progress = _share(before, file.size, total)
            try:
                whole = yield from self._read_file(file, ready, known, progress)
                unread += not whole
            except (SourceDown, ConfigError) as error:
                failures.append(error)
            except OSError as error:
                failures.append(unreadable(error, self._where(file.path)))
            before += file.size
        listed = {file.path for file, _ in todo}
        unread += sum(file.path not in listed and self._waits(file, known, now) for file in files)
        left = Unread(unread, sum(known.has_tail(file) for file in files))
        if known.changed or left:
            yield Page(self._name, (), [], [], known.snapshot(), progress=1.0, unread=left)
        if failures:
            raise failures[0]

    def _where(self, path: str) -> str:
        return f"source {self._name}, {Path(path).name}"

    def _to_read(self, file: Found, known: FileCursor, now: datetime) -> Ready:
        """How far the file is to be read now; NO when there is nothing to do with it."""
        if file.size == 0:
            return Ready.NO
        ready = how_ready(file, self._options, now)
        entry = known.get(file.path)
        if entry is None or not entry.is_for(file) or entry.state == "reading":
            return ready
        return ready if entry.state == "tail" and ready is Ready.ALL else Ready.NO

    def _waits(self, file: Found, known: FileCursor, now: datetime) -> bool:
        """Whether a file has something new that may not be read yet."""
        entry = known.get(file.path)
        seen = entry is not None and entry.is_for(file) and entry.state != "reading"
        return file.size > 0 and not seen and how_ready(file, self._options, now) is Ready.NO

    def _read_file(
        self, file: Found, ready: Ready, known: FileCursor, progress: Callable[[float], float]
    ) -> Generator[Page, None, bool]:
        """The pages of one file; whether it was still what it was when its last one was made."""
        where = self._where(file.path)
        with Path(file.path).open("rb", buffering=0) as opened:
            reading = open_reading(opened, file, self._options, where=where)
            if reading is None:
                return False  # changed since it was listed: the next poll sees it as it is then
            entry = known.get(file.path)
            if entry is not None and self._is_touched(opened, file, entry, reading):
                known.put(file.path, reading.entry(entry.lines, "done", entry.sha256))
                return True
            resumed = entry is not None and entry.is_for(file) and entry.head == reading.head
            start = entry.lines if entry is not None and resumed else 0
            for page in reading.pages(start, tail=ready is Ready.ALL):
                known.put(file.path, page.entry)
                yield Page(
                    file.path,
                    reading.columns,
                    page.parsed.rows,
                    page.parsed.lines,
                    known.snapshot(),
                    page.parsed.bad,
                    progress(page.share),
                    guessed=reading.guessed,
                )
        return not known.is_half_read(file.path)

    @staticmethod
    def _is_touched(opened: BinaryIO, file: Found, entry: Entry, reading: Reading) -> bool:
        """The file has another date, but the very content that was read to its end."""
        alike = entry.state == "done" and entry.size == file.size and entry.head == reading.head
        if not alike:
            return False
        opened.seek(0)
        return Raw(opened).drain() == entry.sha256


def _share(before: int, size: int, total: int) -> Callable[[float], float]:
    """Turns the share of one file into the share of all that is to be read."""
    return lambda share: min(1.0, (before + size * share) / total)
