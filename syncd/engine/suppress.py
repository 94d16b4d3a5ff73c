"""Suppress: a do-not-call list is read whole, and who is on it is not called.

Each reading stores what is new, then withdraws the calls of everybody on the list. An entry that is
missing leaves the list only when the reading was whole and few are missing: a list that was cut
short must not set anybody free.
"""

from __future__ import annotations

from syncd.core.withdrawal import SUPPRESSED
from syncd.engine.list_entries import entries_of
from syncd.engine.parts import Suppression
from syncd.engine.passes import Pass, PassResult, Tools, run_pass
from syncd.engine.seen import Seen, number_of
from syncd.ledger.suppressions import Listed
from syncd.observe import events, logs

_log = logs.get("engine")


def run_once(suppression: Suppression, tools: Tools) -> PassResult:
    """Read the list, and withdraw the calls of those on it."""
    with run_pass("suppress", suppression.name, tools) as running:
        reading = _Reading(suppression, running)
        try:
            whole = reading.read()
        finally:
            # What was read holds, however the reading ended.
            _withdraw(suppression, running)
        if whole:
            reading.finish()
    return running.result()


def _withdraw(suppression: Suppression, running: Pass) -> None:
    verbs = running.tools.ledger.withdrawals
    jobs = verbs.barred_jobs(suppression.name, suppression.syncs)
    if jobs:
        done = verbs.withdraw(jobs, why=SUPPRESSED, by=running.by())
        running.counts.update(withdrawn=done.ended, to_cancel=done.wanted)


class _Reading:
    """One reading of a list: what it showed, and whether that was all."""

    def __init__(self, suppression: Suppression, running: Pass) -> None:
        self._list = suppression
        self._running = running
        self._seen = Seen()
        self._unreadable = 0

    def read(self) -> bool:
        """Store what the source shows; whether it was read to its end."""
        tools = self._running.tools
        counts = self._running.counts
        for page in self._list.source.read(None, now=tools.clock.now()):
            self._running.unread += page.unread
            found, unreadable = entries_of(self._list, page)
            self._unreadable += unreadable
            counts["records"] += len(page.rows) + len(page.bad)
            counts["new"] += tools.ledger.withdrawals.store_listed(
                self._list.name, found, by=self._running.by()
            )
            for one in found:
                self._seen.add(_number(one))
            if tools.stop.is_set():
                return False
        if self._unreadable:
            counts["unreadable"] += self._unreadable
            _log.warning(
                events.SUPPRESSION_MISREAD,
                list=self._list.name,
                records=self._unreadable,
                hint="mend these rows, or set default_region: their phones are still called",
            )
        return not self._running.unread

    def finish(self) -> None:
        """Let go what the whole reading did not show, unless too much is missing."""
        verbs = self._running.tools.ledger.withdrawals
        held, gone = verbs.unseen(self._list.name, lambda one: _number(one) in self._seen)
        allowed = max(1, int(self._list.gone_share_max * held))
        if len(gone) > allowed or (gone and (self._unreadable or not len(self._seen))):
            self._running.counts["kept"] += len(gone)
            _log.warning(
                events.SUPPRESSION_SHRUNK,
                list=self._list.name,
                missing=len(gone),
                listed=held,
                hint="all of it stays in force; look at the list, or raise gone_share_max",
            )
            gone = []
        verbs.finish_list(self._list.name, gone, by=self._running.by())
        self._running.counts["gone"] += len(gone)


def _number(one: Listed) -> int:
    return number_of(f"{one.kind}:{one.value}")
