"""Opening a ledger, and whether it is still the opened one and whole (its verbs: ledger.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from syncd.ledger import migrate, recovery
from syncd.ledger.moves import By
from syncd.ledger.store import Store, open_store
from syncd.ledger.witness import Witness


class OpenedLedger:
    """An opened ledger whose schema is current."""

    def __init__(self, store: Store) -> None:
        migrate.check(store)
        self._store = store
        self.id = migrate.ledger_id(store)
        self.witness = Witness(store, self.id)  #: tells whether a backup was put back

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

    def recovery_needed(self) -> str | None:
        """Why nothing may be sent before `syncd recover`, or None."""
        return recovery.recovery_needed(self._store)

    def require_recovery(self, why: str, *, by: By) -> None:
        """Hold every sending until a recovery has ended."""
        recovery.require_recovery(self._store, why, by=by)

    def end_recovery(self, *, by: By) -> bool:
        """What was lost has been looked for; whether sendings were held."""
        return recovery.end_recovery(self._store, by=by)

    def close(self) -> None:
        """Let go of the database."""
        self.witness.close()
        self._store.close()
