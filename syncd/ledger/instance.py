"""One process at a time runs passes on an SQLite ledger: a lock file with the holder's PID.

The kernel lets go of the lock when its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass

from syncd.errors import LedgerError
from syncd.ledger.store import open_beside, sqlite_file


@dataclass(slots=True)
class Instance:
    """The right to run passes. `is_sole_owner`: no other process can hold claims."""

    is_sole_owner: bool
    _fd: int | None = None

    def release(self) -> None:
        """Let the next one in."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def hold_instance(url: str) -> Instance:
    """Hold the ledger at `url` for running passes.

    Raises:
        LedgerError: another process runs passes on this SQLite ledger; the hint names its PID.
    """
    file = sqlite_file(url)
    if file is None:
        return Instance(is_sole_owner=False)
    fd = open_beside(file, ".instance")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(fd, 32).decode(errors="replace").strip()
        os.close(fd)
        raise LedgerError(
            f"another syncd (PID {holder or 'unknown'}) runs on this ledger",
            where=str(file),
            hint="wait for it or stop it",
        ) from None
    os.ftruncate(fd, 0)
    os.write(fd, f"{os.getpid()}\n".encode())
    return Instance(is_sole_owner=True, _fd=fd)
