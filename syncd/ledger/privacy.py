"""The verbs about people's data: who is it, erase, purge, compact (see ledger.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from syncd.clock import to_ms
from syncd.ledger import erase, persons, purge, tombstones
from syncd.ledger.moves import By
from syncd.ledger.store import Store

if TYPE_CHECKING:
    from syncd.ledger.intake_page import NewLead


class Privacy:
    """What the ledger keeps of people, and how it is taken out."""

    def __init__(self, store: Store, ledger_id: str) -> None:
        self._store = store
        self._id = ledger_id

    def person(
        self, *, key: str | None = None, phones: Collection[int] = (), sync: str | None = None
    ) -> persons.Person:
        """The leads of a key or phones, and all that hangs on them."""
        return persons.person(self._store, key=key, phones=phones, sync=sync)

    def digests(self, who: persons.Person) -> dict[str, str]:
        """The tombstones that an erasure of this person puts up: digest to kind."""
        with self._store.read() as connection:
            return erase.digests_of(connection, who)

    def erase(
        self,
        *,
        key: str | None = None,
        phones: Collection[int] = (),
        sync: str | None = None,
        settled: Collection[int] = (),
        by: By,
    ) -> erase.Erasure:
        """Held, staged and parked to cancelled, accepted to closed; nothing names them any more."""
        return erase.erase(
            self._store, self._id, key=key, phones=phones, sync=sync, settled=settled, by=by
        )

    def erased_keys(self, sync: str, new: Sequence[NewLead]) -> set[str]:
        """Which would-be leads have a tombstone."""
        return tombstones.erased_keys(self._store, sync, new)

    def purgeable(self, *, before: datetime) -> Counter[str]:
        """Rows that a purge would change or remove, by table."""
        return purge.purgeable(self._store, before_ms=to_ms(before))

    def purge_jobs(self, *, before: datetime, after_id: int) -> purge.Purged:
        """Drop payloads and raw reports of the next ended jobs; no state moves."""
        return purge.purge_jobs(self._store, before_ms=to_ms(before), after_id=after_id)

    def purge_rest(self, *, before: datetime, by: By) -> purge.Purged:
        """Remove the next old passes, journal lines and settled rejections."""
        return purge.purge_rest(self._store, before_ms=to_ms(before), by=by)

    def compact(self) -> None:
        """Rewrite the SQLite file, so that nothing that was removed is left in it."""
        self._store.compact()
