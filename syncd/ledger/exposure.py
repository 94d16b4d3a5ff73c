"""Whether others than the owner's group can read or replace the files of an SQLite ledger.

It holds the phones of everybody, and who can replace it decides who is called again. Looks only;
it must never open the file: closing it would drop SQLite's own locks on it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from syncd.errors import LedgerError

#: SQLite's own files beside the ledger, then ours.
BESIDE = ("", "-wal", "-shm", ".lock", ".instance", ".witness")


def refuse_exposed(file: Path) -> None:
    """Raise LedgerError when everybody on this machine can read, write or replace the ledger.

    A group may be let in on purpose, for instance to back the ledger up.
    """
    real = file.resolve()
    for suffix in BESIDE:
        path = Path(f"{real}{suffix}")
        mode = _mode(path)
        if mode is not None and stat.S_ISREG(mode) and mode & stat.S_IRWXO:
            raise LedgerError(
                "the ledger can be read or written by everybody on this machine",
                where=str(path),
                hint=f"chmod 600 {path}; it holds phones",
            )
    mode = _mode(real.parent)
    # In a sticky folder, such as /tmp, nobody replaces the file of another.
    if mode is not None and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise LedgerError(
            "everybody on this machine can replace the ledger: its folder is writable by all",
            where=str(real.parent),
            hint=f"chmod 750 {real.parent}",
        )


def _mode(path: Path) -> int | None:
    try:
        return os.stat(path).st_mode  # noqa: PTH116 - as file_watch.py looks
    except OSError:
        return None
