"""What a poll does besides taking leads: it misses rows, and waits for do-not-call lists.

A lead counts as withdrawn only after a reading of the whole source that ended well and showed some
records, and only while few are missed: a truncated export must not cancel everything.
"""

from __future__ import annotations

from syncd.core.call_policy import OnWithdrawn
from syncd.core.withdrawal import LEFT_SOURCE
from syncd.engine.parts import Sync
from syncd.engine.passes import Pass
from syncd.engine.sorting import SortedPage
from syncd.errors import Transient
from syncd.ledger.leaving import Leaving
from syncd.ledger.ledger import Ledger
from syncd.observe import events, logs
from syncd.sources.base import Page

_log = logs.get("engine")


class Missing:
    """Which leads a reading showed, where those that are missed count.

    A bit for each lead's ID: a million leads take 125 KB.
    """

    def __init__(self, sync: Sync, *, live: bool) -> None:
        """`live` False: a backfill, which may have a start and a limit, misses nobody."""
        self.counts = live and sync.calls.on_withdrawn is OnWithdrawn.CANCEL
        self._sync = sync
        self._bits = bytearray()
        self._records = 0
        self._unreadable = 0  # records that may have been those of leads

    def note(self, page: Page, sorted_page: SortedPage) -> None:
        """Remember what a page showed."""
        self._records += len(page.rows)
        self._unreadable += len(page.bad)
        for lead_id in sorted_page.present:
            place, bit = divmod(lead_id, 8)
            if place >= len(self._bits):
                self._bits.extend(bytes(max(place + 1 - len(self._bits), len(self._bits))))
            self._bits[place] |= 1 << bit

    def _has_seen(self, lead_id: int) -> bool:
        place, bit = divmod(lead_id, 8)
        return place < len(self._bits) and bool(self._bits[place] >> bit & 1)

    def withdraw(self, running: Pass) -> None:
        """Withdraw the calls of leads that the reading, which came to its end, did not show."""
        if not self.counts:
            return
        sync, verbs = self._sync, running.tools.ledger.withdrawals
        found = verbs.leaving(sync.name, sync.campaign, self._has_seen, pass_id=running.id)
        if not found.lead_ids:
            return
        why = self._why_not(found, running)
        if why:
            running.counts["not_withdrawn"] += len(found.lead_ids)
            _log.warning(
                events.LEADS_MISSED,
                sync=sync.name,
                leads=len(found.lead_ids),
                open_leads=found.open,
                reason=why,
                hint="look at the source; policy.withdrawn_share_max says how many may leave",
            )
            return
        done = verbs.withdraw(found.job_ids, why=LEFT_SOURCE, by=running.by())
        running.counts.update(withdrawn=done.ended, to_cancel=done.wanted)

    def _why_not(self, found: Leaving, running: Pass) -> str:
        """Why nobody is judged by this reading; empty when it can be trusted."""
        allowed = max(1, int(self._sync.calls.withdrawn_share_max * found.open))
        if running.unread or self._unreadable:
            return "some records could not be read"
        if not self._records:
            return "the source showed no record at all"
        return f"more than {allowed} at once" if len(found.lead_ids) > allowed else ""


def check_lists(sync: Sync, ledger: Ledger) -> None:
    """Raise Transient until each do-not-call list of the sync was read once.

    Before that nobody knows whom it bars.
    """
    unread = ledger.withdrawals.unread_lists(sync.calls.lists)
    if unread:
        raise Transient(
            f'the do-not-call list "{unread[0]}" has not been read yet',
            where=f"sync {sync.name}",
            hint="`syncd once` reads it first; `syncd check` tells why it cannot be read",
        )
