"""Sorts the records of a page: new lead, changed, known, filtered out, or rejected.

Cheap questions come first: the key tells whether the ledger knows the lead, and only a record that
it lacks is mapped. Writes nothing, so `plan` sorts with the same code as `poll`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from syncd.core.mapping import MappedJob, Mapper, MappingSpec, Rejected
from syncd.core.starting import StartAt
from syncd.ledger.intake import IntakePage, KnownLead, NewLead
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


class Sorter:
    """Sorts the pages of one pass; keeps a compiled mapper for each set of columns."""

    def __init__(self, spec: MappingSpec, rules: SortRules, ledger: Ledger) -> None:
        self._spec = spec
        self._rules = rules
        self._ledger = ledger
        self._mappers: dict[tuple[str, ...], Mapper] = {}
        #: records seen, known, changed, filtered, repeated, skipped, rejected
        self.counts: Counter[str] = Counter()

    def sort(self, page: Page) -> IntakePage:
        """What the page brings to the ledger; `counts` grows."""
        rules = self._rules
        sorted_page = IntakePage(rules.sync, rules.campaign, page.origin, rules.mapping_digest)
        if not page.rows and not page.bad:
            return sorted_page  # only the cursor moves, and columns may be empty
        mapper = self._mapper(page.columns)
        keyed = self._keys(page, mapper, sorted_page)
        known = self._ledger.known_leads(rules.sync, list(keyed))
        for key, rows in keyed.items():
            lead = known.get(key)
            if lead is None:
                self._new(key, rows, mapper, sorted_page)
            else:
                self.counts["repeated"] += len(rows) - 1
                self._known(key, lead, rows[0][1], mapper, sorted_page)
        for bad in page.bad:
            sorted_page.rejections.append(
                NewRejection(bad.line, bad.reason, bad.detail, column=bad.column, digest=bad.digest)
            )
        self.counts["records"] += len(page.rows) + len(page.bad)
        self.counts["rejected"] += len(sorted_page.rejections)
        return sorted_page

    def _mapper(self, columns: tuple[str, ...]) -> Mapper:
        mapper = self._mappers.get(columns)
        if mapper is None:
            mapper = self._mappers[columns] = Mapper(self._spec, columns)
        return mapper

    def _keys(
        self, page: Page, mapper: Mapper, sorted_page: IntakePage
    ) -> dict[str, list[_Numbered]]:
        keyed: dict[str, list[_Numbered]] = {}
        start = self._rules.start
        for line, row in zip(page.lines, page.rows, strict=True):
            key = mapper.key(row)
            if isinstance(key, Rejected):
                digest = mapper.revision(row).hex()
                sorted_page.rejections.append(_rejection(line, key, digest=digest))
            elif start is not None and not start.reached_by(key):
                self.counts["skipped"] += 1
            else:
                keyed.setdefault(key, []).append((line, row))
        return keyed

    def _new(
        self,
        key: str,
        rows: Sequence[_Numbered],
        mapper: Mapper,
        sorted_page: IntakePage,
    ) -> None:
        """The first row of a key that gives a call job is the lead, wherever a page ends.

        A row that the filter or the mapping refuses hides no later one of the same key.
        """
        refused: NewRejection | None = None
        for i, (line, row) in enumerate(rows):
            mapped = mapper.map(row)
            if mapped is None:
                self.counts["filtered"] += 1
            elif isinstance(mapped, Rejected):
                refused = refused or _rejection(line, mapped, key=key)
            else:
                sorted_page.new.append(NewLead(key, _revision(mapper, row), line, mapped))
                sorted_page.good_keys.append(key)
                self.counts["repeated"] += len(rows) - i - 1
                return
        if refused is not None:
            sorted_page.rejections.append(refused)
        else:
            sorted_page.good_keys.append(key)

    def _known(
        self,
        key: str,
        lead: KnownLead,
        row: Sequence[object],
        mapper: Mapper,
        sorted_page: IntakePage,
    ) -> None:
        revision = _revision(mapper, row)
        same = revision == lead.revision
        if same and not (self._rules.rebase and lead.held_job):
            self.counts["known"] += 1
            return
        if not same:
            sorted_page.changed.append((lead.id, revision))
            self.counts["known" if self._rules.rebase else "changed"] += 1
        if lead.held_job is not None:
            mapped = mapper.map(row)
            if isinstance(mapped, MappedJob) and mapped.held is None:
                sorted_page.released.append((lead.held_job, mapped))
        sorted_page.good_keys.append(key)


def _revision(mapper: Mapper, row: Sequence[object]) -> int:
    """The digest as the ledger keeps it: eight bytes are one 64-bit number."""
    return int.from_bytes(mapper.revision(row), "big", signed=True)


def _rejection(
    line: int, why: Rejected, *, key: str | None = None, digest: str = ""
) -> NewRejection:
    return NewRejection(line, why.reason, why.masked, column=why.column, key=key, digest=digest)
