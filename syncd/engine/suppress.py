"""Suppress: a do-not-call list is read whole, and who is on it is not called.

Each reading stores what is new, then withdraws the calls of everybody on the list. An entry that is
missing leaves the list only when the reading was whole and few are missing: a list that was cut
short must not set anybody free.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core import phone, record
from syncd.core.columns import Columns
from syncd.core.refusal import BadValue
from syncd.core.withdrawal import SUPPRESSED
from syncd.engine.parts import Suppression
from syncd.engine.passes import Pass, PassResult, Tools, run_pass
from syncd.engine.seen import Seen, number_of
from syncd.errors import ConfigError
from syncd.ledger.suppressions import KEY, PHONE, Listed
from syncd.observe import events, logs
from syncd.sources.base import Page

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
            found = self._entries(page)
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

    def _entries(self, page: Page) -> list[Listed]:
        self._unreadable += len(page.bad)
        if not page.rows:
            return []
        columns = Columns(page.columns)
        try:
            phones = [columns.position(name) for name in self._list.phone]
            keys = [columns.position(name) for name in self._list.key]
        except BadValue as bad:
            where = f"suppressions.{self._list.name}"
            raise ConfigError(
                f"the do-not-call list cannot be read: {bad.why}", where=where
            ) from None
        found: list[Listed] = []
        for row in page.rows:
            mine = [*self._phones(row, phones), *self._keys(row, keys)]
            self._unreadable += not mine
            found += mine
        return found

    def _phones(self, row: Sequence[object], positions: Sequence[int]) -> list[Listed]:
        region = self._list.default_region
        numbers = (phone.normalise(row[position], region) for position in positions)
        return [Listed(PHONE, str(number)) for number in numbers if isinstance(number, int)]

    @staticmethod
    def _keys(row: Sequence[object], positions: Sequence[int]) -> list[Listed]:
        if not positions:
            return []
        try:
            parts = [record.key_part(row[position]) for position in positions]
            return [Listed(KEY, record.join_key(parts))]
        except BadValue:
            return []


def _number(one: Listed) -> int:
    return number_of(f"{one.kind}:{one.value}")
