"""The state file: a journal of what was done, one JSON object a line, replayed at start.

Owns durability. A line is handed to the operating system in one write before the answer leaves, so
a killed process (kill -9 too) loses nothing that it answered; a machine that loses power may lose
the last moments, because nothing is forced to the disk. A torn last line is cut off. The dialer is
deterministic, so its calls need no lines: replaying the requests at their times makes them again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

FORMAT = 2


class StateError(Exception):
    """The state file cannot be used: held by another process, or not a sandbox's."""


class Journal:
    """An append-only file, private to its owner (mode 0600) and to one process."""

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"cannot open the state file {path.name}: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.records = self._read()
        except OSError:
            os.close(self._fd)
            raise StateError(f"another process holds the state file {path.name}") from None
        except ValueError:
            os.close(self._fd)
            raise StateError(f"{path.name} is no state file of this sandbox") from None

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one line; when this returns, a kill no longer loses it."""
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        view = memoryview(line)
        while view:
            view = view[os.write(self._fd, view) :]

    def clear(self) -> None:
        """Forgets everything: the world is reset."""
        os.ftruncate(self._fd, 0)

    def close(self) -> None:
        """Lets another process have the file."""
        os.close(self._fd)

    def _read(self) -> list[dict[str, Any]]:
        with os.fdopen(os.dup(self._fd), "rb") as file:
            file.seek(0)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        records: list[dict[str, Any]] = [orjson.loads(line) for line in data[:whole].splitlines()]
        if data and not _ours(records):
            raise ValueError("no line of ours")
        os.ftruncate(self._fd, whole)
        return records


def _ours(records: list[Any]) -> bool:
    first = records[0] if records else None
    return isinstance(first, dict) and first.get("format") == FORMAT


def embedded(body: bytes) -> orjson.Fragment:
    """A request body as a value inside a line; one that spans lines is written anew."""
    return orjson.Fragment(
        orjson.dumps(orjson.loads(body)) if b"\n" in body or b"\r" in body else body
    )
