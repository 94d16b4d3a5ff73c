"""Plan: what the next poll of a sync would do, told without writing anything.

Sorts with the code that `poll` sorts with, and asks the ledger which phones are taken, so a plan
and the poll after it agree as long as source and ledger stay as they are. Neither the ledger nor
the cursor is touched: a plan runs beside a daemon.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from syncd.clock import to_ms, to_operator
from syncd.core.call_policy import CallPolicy
from syncd.core.call_window import CallWindow
from syncd.core.guards import NO_DAY_LIMITS, DayLimits
from syncd.core.hours.decrees import undecreed
from syncd.core.hours.fit import Fit
from syncd.core.hours.outlook import WindowsSeen
from syncd.core.spec import HoursSpec
from syncd.engine.guarding import Day, day_of, foreseen
from syncd.engine.parts import Sync
from syncd.engine.seen import Seen, number_of
from syncd.engine.sorting import Sorter, SortRules
from syncd.errors import SyncdError
from syncd.ledger.guards import Trip
from syncd.ledger.intake_page import IntakePage, NewLead
from syncd.ledger.ledger import Ledger
from syncd.sources.base import WHOLE, Page, Unread

#: Examples kept of each reason.
EXAMPLES_MAX = 3
_WINDOWS_MAX = 10_000  #: counted before they are looked at


@dataclass(frozen=True, slots=True)
class Example:
    """One rejected record: where it stands, and no more of its value than a mask."""

    origin: str
    line: int
    column: str | None
    key: str | None
    masked: str


@dataclass(slots=True)
class Reason:
    """How many records were rejected for one reason, and the first of them."""

    count: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FirstJob:
    """A call job as it would be sent; `body` is the exact JSON of its item in addPhones."""

    key: str
    origin: str
    line: int
    body: bytes


@dataclass(slots=True)
class Plan:
    """What would happen. Counts are of records, and of the call jobs that they become."""

    sync: str
    campaign: str
    windows: WindowsSeen  #: of the call jobs that would be called, and of those that are held
    from_start: bool  #: read from the start of the source, not from the live cursor
    mapping_changed: bool  #: so the next poll looks at every record again
    counts: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, Reason] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    first_jobs: list[FirstJob] = field(default_factory=list)
    unread: Unread = WHOLE  #: what the source holds and the poll after this plan may read
    error: SyncdError | None = None  #: why the source could not be read to its end
    trip: Trip | None = None  #: the tripwire that would hold all that the poll would start
    day: Day | None = None  #: what the campaign's day has room for, if it has a limit
    default_day: bool = False  #: nobody has set that limit
    fit: Fit | None = None  #: calls that do not fit into the minutes before they end
    undecreed: Mapping[str, int] = field(default_factory=dict)  #: see core/hours/decrees.py

    @property
    def beyond_day(self) -> int:
        """So many call jobs the day would have no room for."""
        return 0 if self.day is None else max(0, self.starts - self.day.room)

    @property
    def starts(self) -> int:
        """The most call jobs that a tripwire would count, changed rows among them."""
        return sum(self.counts[name] for name in ("staged", "released", "changed_calls"))


def run(
    sync: Sync,
    ledger: Ledger,
    *,
    limits: DayLimits = NO_DAY_LIMITS,
    lines: int | None = None,
    now: datetime,
    whole: bool,
    jobs_max: int,
    stop: threading.Event,
    on_page: Callable[[Page, Plan], None],
) -> Plan:
    """Read what the next poll would read and sort it; an error of the source stands in the plan.

    Args:
        whole: from the start of the source, as a backfill reads it.
        limits: of the day of its campaign.
        lines: calls that the campaign makes at once; None: nobody knows.
        jobs_max: so many first jobs are kept as they would be sent.
    """
    position = ledger.position(sync.name)
    digest = sync.mapping.digest
    changed = position.mapping_digest not in (None, digest)
    from_start = whole or changed or position.cursor is None
    seen = WindowsSeen(to_operator(now))
    plan = Plan(sync.name, sync.campaign, seen, from_start, changed)
    rules = SortRules(sync.name, sync.campaign, digest, rebase=changed, calls=sync.calls)
    times = None if sync.times is None else sync.times(now)
    sorter = Sorter(sync.mapping, rules, ledger, times)
    planner = _Planner(plan, sorter, ledger, jobs_max, sync.calls, now)
    try:
        for page in sync.source.read(None if plan.from_start else position.cursor, now=now):
            planner.take(page)
            plan.unread += page.unread
            on_page(page, plan)
            if stop.is_set():
                break
    except SyncdError as error:
        plan.error = error
    planner.look_at_windows()
    hours = sync.mapping.hours or HoursSpec()
    plan.undecreed = undecreed(hours, seen.presets, now)
    plan.fit = None if lines is None else seen.fitting.too_many(limits.job_minutes, lines)
    plan.trip = foreseen(sync, ledger.guards, plan.starts)
    plan.day = day_of(sync.campaign, limits, ledger.guards, now=now)
    plan.default_day = plan.day is not None and plan.day.limit.guard in limits.defaults
    return plan


class _Planner:
    """Adds pages to a plan; knows what earlier pages would have put into the ledger."""

    def __init__(
        self,
        plan: Plan,
        sorter: Sorter,
        ledger: Ledger,
        jobs_max: int,
        calls: CallPolicy,
        now: datetime,
    ) -> None:
        self._calls = calls
        self._now_ms = to_ms(now)
        self._plan = plan
        self._sorter = sorter
        self._ledger = ledger
        self._jobs_max = jobs_max
        self._keys = Seen()
        self._phones = Seen()
        self._windows: Counter[tuple[CallWindow, bool]] = Counter()

    def take(self, page: Page) -> None:
        plan = self._plan
        sorted_page = self._sorter.sort(page)
        plan.counts.update(sorted_page.counts)
        found = sorted_page.intake
        plan.counts["released"] += len(found.released)
        plan.counts["changed_calls"] += len(found.remapped)
        for rejection in found.rejections:
            self._reject(
                rejection.reason,
                Example(
                    page.origin, rejection.line, rejection.column, rejection.key, rejection.masked
                ),
            )
        self._take_new(found)

    def _reject(self, reason: str, example: Example) -> None:
        told = self._plan.rejected.setdefault(reason, Reason())
        told.count += 1
        if len(told.examples) < EXAMPLES_MAX:
            told.examples.append(example)

    def _take_new(self, found: IntakePage) -> None:
        counts = self._plan.counts
        erased = self._ledger.privacy.erased_keys(self._plan.sync, found.new)
        counts["erased"] += len(erased)
        found.new = [lead for lead in found.new if lead.key not in erased]
        fresh = [lead for lead in found.new if self._keys.add(number_of(lead.key))]
        # A poll would have stored the lead with its first page: this one repeats it.
        counts["repeated"] += len(found.new) - len(fresh)
        counts["new"] += len(fresh)
        lists, keys = self._calls.lists, [lead.key for lead in fresh]
        bad_phones, bad_keys = self._ledger.withdrawals.listed(
            lists, [lead.job.phone for lead in fresh], keys
        )
        phones = [lead.job.phone for lead in fresh if lead.job.held is None]
        taken = self._ledger.taken_phones(
            self._plan.campaign, phones, self._calls, now_ms=self._now_ms
        )
        for lead in fresh:
            if lead.key in bad_keys or lead.job.phone in bad_phones:
                counts["suppressed"] += 1
            elif lead.job.held is not None:
                self._plan.held[lead.job.held] += 1
                counts["held"] += 1
                self._see(lead.job.window, held=True)
            elif lead.job.phone in taken or not self._is_first(lead.job.phone):
                counts["duplicate"] += 1
            else:
                counts["staged"] += 1
                self._see(lead.job.window, held=False)
                self._keep(lead, found.origin)

    def _see(self, window: CallWindow | None, *, held: bool) -> None:
        if window is not None:
            self._windows[window, held] += 1
            if len(self._windows) >= _WINDOWS_MAX:
                self.look_at_windows()

    def look_at_windows(self) -> None:
        """Look at the windows that were only counted so far, each once."""
        for (window, held), jobs in self._windows.items():
            self._plan.windows.add(window.fields, window.basis, jobs, held=held)
        self._windows.clear()

    def _is_first(self, phone: int) -> bool:
        return not self._calls.per_phone or self._phones.add(phone)

    def _keep(self, lead: NewLead, origin: str) -> None:
        if len(self._plan.first_jobs) < self._jobs_max:
            self._plan.first_jobs.append(FirstJob(lead.key, origin, lead.line, lead.job.item))
