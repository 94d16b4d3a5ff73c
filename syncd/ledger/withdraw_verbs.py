"""The verbs of calls that must not be made: do-not-call lists, withdrawals, and their proof."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from syncd.core.call_policy import CallPolicy
from syncd.ledger import leaving, settling, suppressions, withdrawals
from syncd.ledger.moves import By
from syncd.ledger.store import Store
from syncd.ledger.suppressions import ListCounts, Listed
from syncd.ledger.withdrawals import CancelDue, Withdrawn


class Withdrawals:
    """Each verb is one transaction, or several where the jobs are many."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # do-not-call lists
    def store_listed(self, name: str, found: Collection[Listed], *, by: By) -> int:
        """Keep entries of a list; how many are new, or back after they had left it."""
        return suppressions.store_listed(self._store, name, found, by=by)

    def unseen(self, name: str, seen: Callable[[Listed], bool]) -> tuple[int, list[Listed]]:
        """How many entries a list holds, and those of them that `seen` does not know."""
        return suppressions.unseen(self._store, name, seen)

    def finish_list(self, name: str, gone: Collection[Listed], *, by: By) -> None:
        """The list was read whole, and `gone` left it."""
        suppressions.finish_list(self._store, name, gone, by=by)

    def unread_lists(self, names: Sequence[str]) -> list[str]:
        """Which of these lists were never read whole."""
        return suppressions.unread_lists(self._store, names)

    def list_counts(self, name: str) -> ListCounts:
        """How many entries a list holds, and when it was read whole."""
        return suppressions.list_counts(self._store, name)

    def listed(
        self, lists: Sequence[str], phones: Sequence[int], keys: Sequence[str]
    ) -> tuple[set[int], set[str]]:
        """Which of these phones and keys are on one of the lists."""
        return suppressions.listed(self._store, lists, phones, keys)

    def barred_jobs(self, name: str, syncs: Sequence[str]) -> list[int]:
        """Jobs of these syncs that may still become a call although they are on the list."""
        return suppressions.barred_jobs(self._store, name, syncs)

    # rows that left their source
    def leaving(
        self, sync: str, campaign: str, seen: Callable[[int], bool], *, pass_id: int
    ) -> leaving.Leaving:
        """Open leads of the sync, and those of them that a whole reading did not show."""
        return leaving.leaving(self._store, sync, campaign, seen, pass_id=pass_id)

    # withdrawals
    def withdraw(self, job_ids: Sequence[int], *, why: str, by: By) -> Withdrawn:
        """Held and staged to cancelled; of the others, note that they are to be cancelled.

        That a row has left its source is noted with it.
        """
        return withdrawals.withdraw(self._store, job_ids, why=why, by=by)

    def has_work(self, campaign: str, *, now: datetime) -> bool:
        """Whether a wish to cancel can be carried out or settled now."""
        return withdrawals.has_withdrawals(self._store, campaign, now=now)

    def due(self, campaign: str, *, now: datetime, limit: int) -> list[CancelDue]:
        """Accepted jobs that the vendor is to be asked to cancel now."""
        return withdrawals.cancels_due(self._store, campaign, now=now, limit=limit)

    def mark_asked(self, job_ids: Sequence[int], *, next_at: datetime, by: By) -> None:
        """Commit that the vendor is being asked."""
        withdrawals.mark_asked(self._store, job_ids, next_at=next_at, by=by)

    def record_cancels(self, answers: Mapping[int, str], *, by: By) -> int:
        """Keep what the vendor answered; how many wishes end with it."""
        return withdrawals.record_cancels(self._store, answers, by=by)

    def settle(
        self, campaign: str, policies: Mapping[str, CallPolicy], *, by: By
    ) -> dict[str, int]:
        """End the wishes whose jobs are over, and let go the new content that waited."""
        return settling.settle(self._store, campaign, policies, by=by)
