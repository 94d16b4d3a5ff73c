"""Poll: pages of a source become leads, staged jobs and rejections.

The next page is read and sorted in a thread of its own while this one is stored.

Each page is one transaction, and the cursor moves only in it. A kill between two pages loses
nothing: the next poll reads on from the last stored page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from syncd.core.starting import StartAt
from syncd.engine.ahead import read_ahead
from syncd.engine.guarding import Judge, judged
from syncd.engine.leaving import Missing, check_lists
from syncd.engine.parts import Sync
from syncd.engine.passes import Pass, PassResult, Tools, run_pass
from syncd.engine.sorting import SortedPage, Sorter, SortRules
from syncd.errors import SourceDown
from syncd.ledger.approvals import Decided
from syncd.ledger.intake_page import IntakePage, IntakeResult, SealOrder
from syncd.ledger.outbox import ClaimedBatch
from syncd.observe import events, logs
from syncd.sources.base import Page

_log = logs.get("engine")


@dataclass(frozen=True, slots=True)
class Backfill:
    """A poll from the start of the source that leaves the live cursor alone."""

    start: StartAt | None = None
    limit: int | None = None  #: at most so many new leads
    guarded: bool = False  #: no person has decided it: the tripwires of the sync count
    decided: Decided | None = None  #: what it starts is approved, as far as nothing was set


class Beside(Protocol):
    """What is done in turns with a poll, by the same thread."""

    def order(self) -> SealOrder | None:
        """The batches that the next page's new jobs may be sealed into."""

    def on_page(self, page: Page, running: Pass, sealed: Sequence[ClaimedBatch]) -> None:
        """A page was stored, and its jobs were sealed into these batches by the order."""

    def on_wait(self, upcoming: Future[object]) -> None:
        """The next page is not read yet."""


def run_once(
    sync: Sync,
    tools: Tools,
    *,
    backfill: Backfill | None = None,
    beside: Beside | None = None,
) -> PassResult:
    """Read what is new, page by page, until the source ends or a stop is asked for."""
    with run_pass("poll", sync.name, tools) as running, _judged(sync, running, backfill) as judge:
        check_lists(sync, tools.ledger)
        missing = Missing(sync, live=backfill is None)
        position = tools.ledger.position(sync.name)
        digest = sync.mapping.digest
        rebase = position.mapping_digest not in (None, digest)
        # Another mapping may take what the old one rejected: everything is looked at again.
        from_start = backfill is not None or rebase or missing.counts
        # A poll that is stopped half-way under a new mapping begins again: the old digest stays.
        stored_digest = position.mapping_digest if rebase else digest
        sorter = _sorter(sync, tools, stored_digest or digest, rebase=rebase, backfill=backfill)
        pages = sync.source.read(None if from_start else position.cursor, now=tools.clock.now())
        looked, guessed = not rebase, ""
        for page, ahead in _ahead(pages, sorter, judge, beside):
            looked = True
            running.unread += page.unread
            guessed = _tell_guess(page, guessed, sync)
            sorted_page = ahead or sorter.sort(page)
            sorted_page.intake.policy = sync.calls
            full = _limit(sorted_page.intake, running, backfill)
            if backfill is None:
                sorted_page.intake.cursor = page.cursor
            else:
                sorted_page.intake.decided = backfill.decided
            sorted_page.intake.seal = None if beside is None else beside.order()
            stored = _store(sorted_page.intake, running, judge)
            running.counts.update(sorted_page.counts)
            missing.note(page, sorted_page)
            if beside is not None:
                beside.on_page(page, running, stored.sealed)
            if full or tools.stop.is_set():
                break
        else:
            if judge is not None:
                judge.finished = True
            # A source that had nothing to read yet is looked at under the new mapping later.
            if backfill is None and looked:
                tools.ledger.finish_poll(sync.name, digest, by=running.by())
            missing.withdraw(running)
            if backfill is not None:
                _check_whole(running)
    return running.result()


def _judged(
    sync: Sync, running: Pass, backfill: Backfill | None
) -> AbstractContextManager[Judge | None]:
    guarded = backfill is None or backfill.guarded
    whole = backfill is None or backfill.limit is None
    return judged(sync, running, guarded=guarded, whole=whole)


def _check_whole(running: Pass) -> None:
    """A live poll comes again by itself; a backfill that was not whole has to say so."""
    if running.unread:
        raise SourceDown(
            f"the source was not read to its end: {running.unread}",
            hint="run the backfill again once they are complete",
        )


def _tell_guess(page: Page, told: str, sync: Sync) -> str:
    """Log a guess once a file; gives the origin that was told last."""
    if page.guessed and page.origin != told:
        hint = "look at the names of its first leads; set the option to what is right"
        name = PurePath(page.origin).name
        _log.warning(
            events.SOURCE_GUESSED, sync=sync.name, file=name, option=page.guessed, hint=hint
        )
        return page.origin
    return told


def _ahead(
    pages: Iterator[Page], sorter: Sorter, judge: Judge | None, beside: Beside | None
) -> Iterator[tuple[Page, SortedPage | None]]:
    """Pages that are read, and where that is possible sorted, while earlier ones are stored."""
    if judge is not None:
        pages = judge.look_ahead(pages)
    on_wait = None if beside is None else beside.on_wait
    return read_ahead(_sorted_ahead(pages, sorter), on_wait=on_wait)


def _sorted_ahead(
    pages: Iterable[Page], sorter: Sorter
) -> Iterator[tuple[Page, SortedPage | None]]:
    for page in pages:
        yield page, sorter.sort_ahead(page)


def _sorter(
    sync: Sync, tools: Tools, digest: str, *, rebase: bool, backfill: Backfill | None
) -> Sorter:
    start = backfill.start if backfill is not None else None
    rules = SortRules(
        sync.name, sync.campaign, digest, rebase=rebase, start=start, calls=sync.calls
    )
    times = None if sync.times is None else sync.times(tools.clock.now())
    return Sorter(sync.mapping, rules, tools.ledger, times)


def _limit(sorted_page: IntakePage, running: Pass, backfill: Backfill | None) -> bool:
    """Cut the page's new leads at the backfill's limit; whether the limit is reached."""
    if backfill is None or backfill.limit is None:
        return False
    room = backfill.limit - running.counts["new"]
    beyond = {lead.key for lead in sorted_page.new[room:]}
    if beyond:
        # Not taken, so what was wrong with them before is not settled either.
        del sorted_page.new[room:]
        sorted_page.good_keys = [key for key in sorted_page.good_keys if key not in beyond]
    return len(sorted_page.new) >= room


def _store(sorted_page: IntakePage, running: Pass, judge: Judge | None) -> IntakeResult:
    if judge is not None:
        judge.mark(sorted_page)
    stored = running.tools.ledger.store_page(sorted_page, by=running.by())
    if judge is not None:
        judge.count(stored, held=sorted_page.held_as is not None)
    running.counts.update(
        new=len(sorted_page.new),
        staged=stored.staged,
        held=stored.held,
        duplicate=stored.duplicate,
        released=stored.released,
        erased=stored.erased,
        suppressed=stored.cancelled,
        **{name: stored.changes.get(name, 0) for name in ("replaced", "again", "to_cancel")},
    )
    return stored
