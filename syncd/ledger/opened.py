"""Opening a ledger, and whether it is still the opened one (its verbs are in ledger.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from syncd.ledger import migrate
from syncd.ledger.store import Store, open_store


class OpenedLedger:
    """An opened ledger whose schema is current."""

    def __init__(self, store: Store) -> None:
        migrate.check(store)
        self._store = store
        self.id = migrate.ledger_id(store)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open an existing ledger; raises LedgerError when it is missing, older or newer."""
        store = open_store(url)
        try:
            return cls(store)
        except BaseException:
            store.close()
            raise

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None on PostgreSQL."""
        return self._store.file

    def check_file(self) -> None:
        """Raise LedgerError when the file at the ledger's path is no longer the opened one."""
        self._store.check_file()

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()
