"""A witness beside an SQLite ledger: a backup that was put back is noticed by itself.

Ledger and witness count the same marks. A mark is made before the first sending of each minute,
and when a process that sent ends: it is committed, then written into the witness file. A ledger
with fewer marks than its witness lacks commits: calls may have been made that it does not know.

What it does not see: a backup that is not older than the last mark, so one of the last minute
before a kill; and a copy of the whole folder that is put back, witness and all. Marks are rare, as
each costs a commit and a write that reaches the disk; sendings come by the hundred a second.

On PostgreSQL the server's timeline tells (recovery.py).
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import Connection, select

from syncd.errors import LedgerError, SyncdError
from syncd.ledger.schema import meta
from syncd.ledger.sql import upsert
from syncd.ledger.store import Store
from syncd.ledger.whole_file import put_whole

SUFFIX: Final = ".witness"
OLDER: Final = "a backup of the ledger was put back: calls made since it was taken are not in it"
ANOTHER: Final = "another ledger stands where the witness beside it knows one"
ALONE: Final = "the ledger was moved or restored without its witness: nobody knows how old it is"

#: Two marks are at least so far apart, but for the one at the end.
_MARK_EVERY = timedelta(minutes=1)
_NAME = "witness"
_BYTES_MAX = 4_096


@dataclass(frozen=True, slots=True)
class _Told:
    """What the witness file says."""

    ledger_id: str
    mark: int


class Witness:
    """The witness of an opened ledger; on PostgreSQL it says and does nothing."""

    def __init__(self, store: Store, ledger_id: str) -> None:
        self._store = store
        self._ledger_id = ledger_id
        self._path = None if store.file is None else Path(f"{store.file.resolve()}{SUFFIX}")
        self._lock = threading.Lock()
        self._marked_at: datetime | None = None
        self._unmarked = False  #: something was sent since the last mark

    @property
    def name(self) -> str:
        """The name of the file, for people."""
        return "" if self._path is None else self._path.name

    def why_restored(self) -> str | None:
        """Why the ledger may lack commits, or None: it is as old as its witness knows it."""
        if self._path is None:
            return None
        told = _read(self._path)
        with self._store.read() as connection:
            mark = _mark(connection)
        if told is None:
            return ALONE if mark else None
        if told.ledger_id != self._ledger_id:
            return ANOTHER
        return OLDER if mark < told.mark else None

    def note_sending(self, now: datetime) -> bool:
        """A sending is about to begin: make a mark, unless there is one of this minute.

        Raises LedgerError where it cannot be made: then nothing may be sent.
        """
        with self._lock:
            marked_at = self._marked_at
            if marked_at is None or not marked_at <= now < marked_at + _MARK_EVERY:
                self._renew()
                self._marked_at = now
            else:
                self._unmarked = True
        return True

    def renew(self) -> None:
        """Make a mark now: from here on this is the ledger that the witness knows."""
        with self._lock:
            self._renew()

    def _renew(self) -> None:
        if self._path is None:
            return
        told = _read(self._path)
        if told is None or told.ledger_id != self._ledger_id:
            # Before the first mark is committed: a kill in between must not look like a loss.
            told = _Told(self._ledger_id, 0)
            _write(self._path, told)
        with self._store.write("witness.renew") as connection:
            mark = max(told.mark, _mark(connection)) + 1
            statement = upsert(connection.dialect.name, meta).values(name=_NAME, value=str(mark))
            connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_={"value": str(mark)})
            )
        # A ledger that was taken away under us must not make the right one look old.
        self._store.check_file()
        _write(self._path, _Told(self._ledger_id, mark))
        self._unmarked = False

    def close(self) -> None:
        """The process ends: what it sent since its last mark is marked, too."""
        if self._unmarked:
            with suppress(SyncdError):  # why it fails was told by what used the ledger
                self.renew()


def _mark(connection: Connection) -> int:
    value = connection.execute(select(meta.c.value).where(meta.c.name == _NAME)).scalar()
    return int(value or 0)


def _read(path: Path) -> _Told | None:
    """What the file says; None when there is none, or none that was written by us."""
    try:
        with path.open("rb") as file:
            told = orjson.loads(file.read(_BYTES_MAX))
        return _Told(str(told["ledger_id"]), int(told["mark"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from None
    except (KeyError, TypeError, ValueError):
        return None


def _write(path: Path, told: _Told) -> None:
    """Put the file in place, whole, so that it outlives a loss of power."""
    content = orjson.dumps({"ledger_id": told.ledger_id, "mark": told.mark}) + b"\n"
    try:
        put_whole(path, content)
    except OSError as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"the witness beside the ledger cannot be used: {error.strerror}",
        where=str(path),
        hint="it must belong to the user of syncd, like the ledger",
    )
