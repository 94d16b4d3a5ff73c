"""Sorts the records of a page: new lead, changed, known, filtered out, or rejected.

Cheap questions come first: the key tells whether the ledger knows the lead, and only a record that
it lacks is mapped. Writes nothing, so `plan` sorts with the same code as `poll`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from syncd.core.call_policy import DEFAULT, CallPolicy, OnChange, OnWithdrawn
from syncd.core.mapping import MappedJob, Mapper, MappingSpec, Rejected, TimesMaker
from syncd.core.starting import StartAt
from syncd.core.watching import Watcher
from syncd.engine.ahead import MOST_AHEAD
from syncd.ledger.changes import Remapped
from syncd.ledger.intake_page import IntakePage, NewLead
from syncd.ledger.known import KnownLead
from syncd.ledger.ledger import Ledger
from syncd.ledger.rejections import NewRejection
from syncd.sources.base import Page

#: A row with its line.
_Numbered = tuple[int, Sequence[object]]


@dataclass(frozen=True, slots=True)
class SortRules:
    """How to sort: under which names, and what counts as changed."""

    sync: str
    campaign: str
    mapping_digest: str
    #: the mapping itself changed: revisions are taken anew and no lead counts as changed
    rebase: bool = False
    #: take only records from this key on
    start: StartAt | None = None
    calls: CallPolicy = DEFAULT


@dataclass(frozen=True, slots=True)
class SortedPage:
    """A page as the ledger takes it, and what became of its records."""

    intake: IntakePage
    #: records seen, known, changed, filtered, repeated, skipped, rejected
    counts: Counter[str] = field(default_factory=Counter)
    #: known leads whose row is there and passes the filter; only where a policy asks for them
    present: list[int] = field(default_factory=list)


class Sorter:
    """Sorts the pages of one pass; keeps a compiled mapper for each set of columns."""

    def __init__(
        self,
        spec: MappingSpec,
        rules: SortRules,
        ledger: Ledger,
        times: TimesMaker | None = None,
    ) -> None:
        """`times` works out zones and hours; None: what is mapped is sent as it is."""
        self._spec = spec
        self._times = times
        self._rules = rules
        self._ledger = ledger
        self._mappers: dict[tuple[str, ...], Mapper] = {}
        self._watchers: dict[tuple[str, ...], Watcher] = {}
        self._unstored: deque[AbstractSet[str]] = deque(maxlen=MOST_AHEAD)
        calls = rules.calls
        self._notes_left = calls.on_withdrawn is OnWithdrawn.CANCEL
        self._acts = self._notes_left or calls.on_change is not OnChange.IGNORE
        self._wide = bool(calls.change_columns) or self._notes_left

    def sort(self, page: Page) -> SortedPage:
        """What the page brings to the ledger, which has stored all earlier pages."""
        found, mapper, keyed = self._keys(page)
        return self._sort(page, found, mapper, keyed)

    def sort_ahead(self, page: Page) -> SortedPage | None:
        """The same while pages before may wait to be stored; None: it has keys of one of them.

        Such a page can be sorted only when the ledger knows them.
        """
        found, mapper, keyed = self._keys(page)
        apart = all(before.isdisjoint(keyed) for before in self._unstored)
        self._unstored.append(frozenset(keyed))  # not the view: that would keep the rows
        return self._sort(page, found, mapper, keyed) if apart else None

    def _sort(
        self,
        page: Page,
        found: SortedPage,
        mapper: Mapper | None,
        keyed: dict[str, list[_Numbered]],
    ) -> SortedPage:
        if mapper is None:
            return found  # only the cursor moves, and columns may be empty
        known = self._ledger.known_leads(self._rules.sync, list(keyed), wide=self._wide)
        watcher = self._watcher(page.columns)
        for key, rows in keyed.items():
            lead = known.get(key)
            if lead is None:
                self._new(key, rows, mapper, watcher, found)
            else:
                found.counts["repeated"] += len(rows) - 1
                self._known(key, lead, rows[0], mapper, watcher, found)
                if self._notes_left and any(mapper.keeps(row) for _, row in rows):
                    found.present.append(lead.id)
        for bad in page.bad:
            found.intake.rejections.append(
                NewRejection(bad.line, bad.reason, bad.detail, column=bad.column, digest=bad.digest)
            )
        found.counts["records"] += len(page.rows) + len(page.bad)
        found.counts["rejected"] += len(found.intake.rejections)
        return found

    def _mapper(self, columns: tuple[str, ...]) -> Mapper:
        mapper = self._mappers.get(columns)
        if mapper is None:
            mapper = self._mappers[columns] = Mapper(self._spec, columns, self._times)
        return mapper

    def _watcher(self, columns: tuple[str, ...]) -> Watcher | None:
        """What digests the columns whose change counts; None: all that the mapping reads."""
        watched = self._rules.calls.change_columns
        if not watched or not columns:
            return None
        if columns not in self._watchers:
            self._watchers[columns] = Watcher(watched, columns)
        return self._watchers[columns]

    def _keys(self, page: Page) -> tuple[SortedPage, Mapper | None, dict[str, list[_Numbered]]]:
        """The rows of each key; no mapper for a page without records."""
        rules = self._rules
        intake = IntakePage(rules.sync, rules.campaign, page.origin, rules.mapping_digest)
        found, keyed = SortedPage(intake), dict[str, list[_Numbered]]()
        if not page.rows and not page.bad:
            return found, None, keyed
        mapper = self._mapper(page.columns)
        start = rules.start
        for line, row in zip(page.lines, page.rows, strict=True):
            key = mapper.key(row)
            if isinstance(key, Rejected):
                digest = mapper.revision(row).hex()
                intake.rejections.append(_rejection(line, key, digest=digest))
            elif start is not None and not start.reached_by(key):
                found.counts["skipped"] += 1
            else:
                keyed.setdefault(key, []).append((line, row))
        return found, mapper, keyed

    def _new(
        self,
        key: str,
        rows: Sequence[_Numbered],
        mapper: Mapper,
        watcher: Watcher | None,
        found: SortedPage,
    ) -> None:
        """The first row of a key that gives a call job is the lead, wherever a page ends.

        A row that the filter or the mapping refuses hides no later one of the same key.
        """
        refused: NewRejection | None = None
        for i, (line, row) in enumerate(rows):
            mapped = mapper.map(row)
            if mapped is None:
                found.counts["filtered"] += 1
            elif isinstance(mapped, Rejected):
                refused = refused or _rejection(line, mapped, key=key)
            else:
                watched = None if watcher is None else watcher.digest(row)
                found.intake.new.append(NewLead(key, _revision(mapper, row), line, mapped, watched))
                found.intake.good_keys.append(key)
                found.counts["repeated"] += len(rows) - i - 1
                return
        if refused is not None:
            found.intake.rejections.append(refused)
        else:
            found.intake.good_keys.append(key)

    def _known(
        self,
        key: str,
        lead: KnownLead,
        numbered: _Numbered,
        mapper: Mapper,
        watcher: Watcher | None,
        found: SortedPage,
    ) -> None:
        row = numbered[1]
        revision = _revision(mapper, row)
        same = revision == lead.revision
        watched_change = self._is_watched_change(lead, row, watcher, found)
        has_effect = not self._rules.rebase and (
            watched_change if watcher is not None else not same
        )
        if self._acts and (has_effect or lead.withdrawn):
            taken = self._remap(lead, numbered, mapper, found, key=key, changed=has_effect)
            if not taken:
                found.intake.changed += [] if same else [(lead.id, revision)]
                return
        elif same and not (self._rules.rebase and lead.held_job):
            found.counts["known"] += 1
            return
        elif lead.held_job is not None:
            mapped = mapper.map(row)
            if isinstance(mapped, MappedJob) and mapped.held is None:
                found.intake.released.append((lead.held_job, mapped))
        if not same:
            found.intake.changed.append((lead.id, revision))
        found.counts["known" if self._rules.rebase else "changed"] += 1
        found.intake.good_keys.append(key)

    def _is_watched_change(
        self, lead: KnownLead, row: Sequence[object], watcher: Watcher | None, found: SortedPage
    ) -> bool:
        """Whether a watched column changed; keeps the new digest."""
        if watcher is None:
            return False
        digest = watcher.digest(row)
        if digest == lead.watched:
            return False
        found.intake.watched.append((lead.id, digest))
        return watcher.is_change(lead.watched, digest)

    def _remap(
        self,
        lead: KnownLead,
        numbered: _Numbered,
        mapper: Mapper,
        found: SortedPage,
        *,
        key: str,
        changed: bool,
    ) -> bool:
        """Hand over what the row would be now; False: it is a rejection."""
        line, row = numbered
        mapped = mapper.map(row)
        if isinstance(mapped, MappedJob):
            forced = changed and bool(self._rules.calls.change_columns)
            one = Remapped(lead.id, mapped, changed, forced=forced, returned=lead.withdrawn)
            found.intake.remapped.append(one)
        elif mapped is not None:
            found.intake.rejections.append(_rejection(line, mapped, key=key))
            return False
        return True


def _revision(mapper: Mapper, row: Sequence[object]) -> int:
    """The digest as the ledger keeps it: eight bytes are one 64-bit number."""
    return int.from_bytes(mapper.revision(row), "big", signed=True)


def _rejection(
    line: int, why: Rejected, *, key: str | None = None, digest: str = ""
) -> NewRejection:
    return NewRejection(line, why.reason, why.masked, column=why.column, key=key, digest=digest)
