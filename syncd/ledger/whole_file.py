"""Puts a small file in place, whole or not at all, so that it outlives a loss of power."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def put_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by a file with `content`; an OSError leaves the old one as it was."""
    part = Path(f"{path}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)  # whatever the umask, and whoever left a part
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()  # of a full disk, which needs the room
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
