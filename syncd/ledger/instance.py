"""One process at a time runs passes on an SQLite ledger: a lock file with the holder's PID.

The kernel lets go of the lock when its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import threading
from dataclasses import dataclass

from syncd.errors import LedgerError
from syncd.ledger.sqlite import open_beside, unwritable
from syncd.ledger.store import sqlite_file

_SUFFIX = ".instance"
_TRIES, _TRY_EVERY_S = 5, 0.01


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
        LedgerError: another process runs passes on this SQLite ledger, and which; or there is no
            room to say that this one does.
    """
    file = sqlite_file(url)
    if file is None:
        return Instance(is_sole_owner=False)
    fd = open_beside(file, _SUFFIX)
    if not _locked(fd):
        holder = os.read(fd, 32).decode(errors="replace").strip()
        os.close(fd)
        raise LedgerError(
            f"another syncd (PID {holder or 'unknown'}) runs on this ledger",
            where=str(file),
            hint="wait for it or stop it",
        )
    try:
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
    except OSError as error:  # a full disk
        os.close(fd)
        raise unwritable(file, error) from None
    return Instance(is_sole_owner=True, _fd=fd)


def is_held(url: str) -> bool:
    """Whether a process runs passes on this SQLite ledger now."""
    file = sqlite_file(url)
    if file is None:
        return False
    try:
        fd = os.open(f"{file.resolve()}{_SUFFIX}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _locked(fd: int) -> bool:
    """Take the lock; a look of `is_held` has it for a moment only, so it is tried again."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            threading.Event().wait(_TRY_EVERY_S)
        else:
            return True
    return False
