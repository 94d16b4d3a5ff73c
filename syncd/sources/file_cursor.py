"""What is known of each file between two polls: the cursor of a source that reads files.

{"options": digest, "files": {path: {"size", "mtime_ns", "head", "lines", "sha256", "state"}}}

`lines` physical lines are behind the cursor. `state`: "reading" (stopped in the middle), "tail"
(all but a last line without its end) or "done" (then `sha256` is that of the whole file). A cursor
of another shape, or made with other options, is from the start: the ledger knows what it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from syncd.sources.base import Cursor
from syncd.sources.file_settle import Found

State = Literal["reading", "tail", "done"]


@dataclass(frozen=True, slots=True)
class Entry:
    """How far one file was read, and which content that was."""

    size: int
    mtime_ns: int
    head: str  #: digest of its first bytes
    lines: int
    state: State
    sha256: str = ""

    def is_for(self, file: Found) -> bool:
        """The file has not changed since."""
        return (self.size, self.mtime_ns) == (file.size, file.mtime_ns)

    def as_json(self) -> dict[str, object]:
        return {
            "size": self.size,
            "mtime_ns": self.mtime_ns,
            "head": self.head,
            "lines": self.lines,
            "state": self.state,
            "sha256": self.sha256,
        }

    @classmethod
    def of(cls, value: object) -> Entry | None:
        """Read back what `as_json` gave; None for anything else."""
        if not isinstance(value, Mapping):
            return None
        match dict(value):
            case {
                "size": int(size),
                "mtime_ns": int(mtime_ns),
                "head": str(head),
                "lines": int(lines),
                "state": ("reading" | "tail" | "done") as state,
                "sha256": str(sha256),
            }:
                return cls(size, mtime_ns, head, lines, state, sha256)
            case _:
                return None


class FileCursor:
    """The entries of all files, and the cursor they make."""

    def __init__(self, cursor: Cursor | None, options_digest: str) -> None:
        self._options = options_digest
        self._entries: dict[str, dict[str, object]] = {}
        files = (cursor or {}).get("files")
        same = (cursor or {}).get("options") == options_digest
        if same and isinstance(files, Mapping):
            for path, value in files.items():
                entry = Entry.of(value)
                if entry is not None:
                    self._entries[str(path)] = entry.as_json()
        self.changed = False

    def get(self, path: str) -> Entry | None:
        return Entry.of(self._entries.get(path))

    def is_half_read(self, path: str) -> bool:
        """Whether the reading of a file has begun and not come to its end."""
        entry = self.get(path)
        return entry is None or entry.state == "reading"

    def has_tail(self, file: Found) -> bool:
        """Whether a file was read but for a last line that has no end."""
        entry = self.get(file.path)
        return entry is not None and entry.is_for(file) and entry.state == "tail"

    def put(self, path: str, entry: Entry) -> None:
        """Note how far a file was read."""
        self._entries[path] = entry.as_json()
        self.changed = True

    def keep_only(self, paths: Iterable[str]) -> None:
        """Forget the files that are gone."""
        gone = self._entries.keys() - set(paths)
        for path in gone:
            del self._entries[path]
        self.changed |= bool(gone)

    def snapshot(self) -> Cursor:
        """The cursor as it is now; later changes do not reach it."""
        self.changed = False
        return {"options": self._options, "files": dict(self._entries)}
