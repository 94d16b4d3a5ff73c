"""Rewriting an SQLite ledger, so that what was removed is gone from the file as well.

SQLite marks removed rows as free space and keeps their bytes; also a batch's body of long ago.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Engine

from syncd.errors import LedgerError, Transient
from syncd.observe.steps import reached


def compact(writer: Engine, file: Path) -> None:
    """VACUUM, then fold the log into the file; for the holder of the writer's lock."""
    connection = writer.raw_connection()
    try:
        cursor = connection.cursor()
        # Outside any transaction: SQLAlchemy would begin one.
        reached("ledger.compact", "before")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        reached("ledger.compact", "after")
        (is_busy, *_pages) = cursor.fetchone() or (1,)
        cursor.close()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            raise LedgerError(
                "there is no room to rewrite the ledger; nothing was lost",
                where=str(file),
                hint=f"it needs its size once more: {file.stat().st_size} bytes",
            ) from None
        raise _in_use(file) from None
    finally:
        connection.close()
    if is_busy:
        raise _in_use(file)


def _in_use(file: Path) -> Transient:
    return Transient(
        "the ledger cannot be rewritten while another process has it open",
        where=str(file),
        hint="stop every syncd, then run `syncd db compact`",
    )
