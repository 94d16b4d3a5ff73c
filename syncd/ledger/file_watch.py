"""Whether the files of an open SQLite ledger are still the opened ones, and whole.

Writes to a deleted file succeed silently, and pages that are cached hide that a file was cut: the
last look before a request asks here. It costs two calls of stat. It must never open the ledger's
file itself: closing it would drop SQLite's own locks on it (POSIX drops all of a process at once).
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from syncd.errors import LedgerError

_Identity = tuple[int, int]


class FileWatch:
    """Remembers which files were opened, and the size that the ledger has had."""

    def __init__(self, file: Path) -> None:
        self._path = file
        # Beside the file itself: SQLite looks through links, too.
        self._log_path = f"{file.resolve()}-wal"
        self._lock = threading.Lock()
        self._file, self._size = _look(str(file))
        self._log: _Identity | None = None

    def forget_log(self) -> None:
        """A new connection writes: the log before it may be gone by right."""
        self._log = None

    def see_log(self) -> None:
        """A transaction has begun, so the log is there: remember which file it is."""
        if self._log is None:
            self._log, _ = _look(self._log_path)

    def check(self) -> None:
        """Raise LedgerError when the ledger or its log was deleted, replaced or cut short."""
        # One look at a time: an older size must not be compared with a newer one.
        with self._lock:
            file, size = _look(str(self._path))
            shrunk = size < self._size
            self._size = max(size, self._size)
        if file != self._file:
            raise self._error(
                "the ledger file was deleted or replaced while in use",
                "stop every syncd, put the right file back and start again",
            )
        # The ledger only grows: nothing of ours compacts it.
        if shrunk:
            raise self._error(
                "the ledger file became smaller while in use",
                "stop every syncd and restore a backup; after a VACUUM, only start again",
            )
        log = self._log
        if log is not None and _look(self._log_path)[0] != log:
            raise self._error(
                "the ledger's log (-wal) was deleted or replaced while in use",
                "stop every syncd and start again; never touch the -wal file of a ledger",
            )

    def _error(self, what: str, hint: str) -> LedgerError:
        return LedgerError(what, where=str(self._path), hint=hint)


def _look(path: str) -> tuple[_Identity | None, int]:
    """Which file stands at the path, and how large it is; None when there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path costs more than the look itself
    except OSError:
        return None, 0
    return (found.st_dev, found.st_ino), found.st_size
