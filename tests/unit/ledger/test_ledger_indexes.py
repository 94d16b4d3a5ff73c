"""What passes ask all the time is answered by an index, however many leads the ledger holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from syncd.ledger.ledger import Ledger
from syncd.ledger.views import LeadFilter
from tests.ledgers import (
    CAMPAIGN,
    ENDPOINT,
    HOUR,
    NOW,
    SYNC,
    answered,
    attempt,
    by,
    lead,
    new_ledger,
    page,
    phone,
    report,
    seal,
    sealed,
    sent,
    sqlite_url,
    stage,
)

#: Tables that grow with the number of leads.
LARGE = {"leads", "call_jobs", "batches", "reports", "attempts", "journal"}
#: Verbs that search more tables: counts and lists go through all rejections, one key does not.
ALSO_LARGE = {"rejections by key": {"rejections"}}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with something in each state."""
    opened = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    answered(opened, 6)
    opened.store_reports(CAMPAIGN, [report(1000, attempts_count=2)], by=by())
    sent(opened, sealed(opened, 3, first=10))
    sealed(opened, 3, first=20)
    stage(opened, 5, first=30)
    yield opened
    opened.close()


HOT: dict[str, Callable[[Ledger], object]] = {
    "known_leads": lambda ledger: ledger.known_leads(SYNC, ["key-1", "key-2", "other"]),
    "taken_phones": lambda ledger: ledger.taken_phones(CAMPAIGN, [phone(1), phone(99)]),
    "store_page": lambda ledger: ledger.store_page(
        page(lead(50), lead(51), changed=[(1, 7)], good_keys=["key-3"], cursor={"a": 1}), by=by()
    ),
    "seal_batch": seal,
    "seal_batch in part": lambda ledger: seal(ledger, size=2),
    "claim_open_batch": lambda ledger: ledger.claim_open_batch(
        CAMPAIGN, after_id=0, now=NOW + HOUR
    ),
    "unmatched_batches": lambda ledger: ledger.unmatched_batches(CAMPAIGN),
    "batches_due": lambda ledger: ledger.batches_due(CAMPAIGN, now=NOW + HOUR, limit=10),
    "first_open_at": lambda ledger: ledger.first_open_at(CAMPAIGN),
    "open_call_job_ids": lambda ledger: ledger.open_call_job_ids(1),
    "store_reports": lambda ledger: ledger.store_reports(
        CAMPAIGN,
        [report(1001), report(1002, "planned"), report(9, redial_number=1, phone=str(phone(3)))],
        by=by(),
    ),
    "mismatched": lambda ledger: (
        ledger.store_reports(CAMPAIGN, [report(1003, phone=str(phone(9)))], by=by()),
        ledger.mismatched(CAMPAIGN),
    ),
    "keep_strangers": lambda ledger: ledger.sweeps.keep_strangers(
        CAMPAIGN, [report(7), report(8, phone=str(phone(1)))], by=by()
    ),
    "sort_out": lambda ledger: ledger.sweeps.sort_out(
        CAMPAIGN, [report(8, phone=str(phone(31)))], {}, by=by()
    ),
    "unknown_calls": lambda ledger: (
        ledger.sweeps.unknown_count(CAMPAIGN),
        ledger.sweeps.unknown_calls(CAMPAIGN, limit=5),
    ),
    "attempts_due": lambda ledger: ledger.attempts_due(CAMPAIGN, limit=10),
    "store_attempts": lambda ledger: ledger.store_attempts(
        CAMPAIGN, ["1000"], [attempt(1000)], by=by()
    ),
    "campaign_view": lambda ledger: ledger.campaign_view(CAMPAIGN),
    "counts": lambda ledger: ledger.counts(),
    "cancellable by key": lambda ledger: ledger.cancellable(key="key-1"),
    "cancellable by phone": lambda ledger: ledger.cancellable(phone=phone(1)),
    "history by key": lambda ledger: ledger.history(key="key-1"),
    "history by phone": lambda ledger: ledger.history(phone=phone(1)),
    "leads by key": lambda ledger: list(ledger.leads(LeadFilter(key="key-1"), limit=5)),
    "leads by phone": lambda ledger: list(ledger.leads(LeadFilter(phone=phone(1)), limit=5)),
    "rejections by key": lambda ledger: list(ledger.rejections(key="key-1", limit=5)),
    "free_claims": lambda ledger: ledger.free_claims(),
    "record_answer": lambda ledger: ledger.record_answer(
        sent(ledger, sealed(ledger, 2, first=60)), ["1", "2"], next_report_at=NOW, by=by()
    ),
    "record_refusal": lambda ledger: ledger.record_refusal(
        sent(ledger, sealed(ledger, 2, first=60)), why="no", by=by()
    ),
    "mark_sent": lambda ledger: ledger.mark_sent(
        sealed(ledger, 2, first=70), endpoint=ENDPOINT, now=NOW, by=by()
    ),
}


@pytest.mark.parametrize("verb", HOT)
def test_no_verb_reads_a_large_table_through(ledger: Ledger, verb: str) -> None:
    """SQLite's plan of each statement of the verb searches an index; it scans no large table."""
    asked: list[tuple[str, object]] = []

    def note(_c: object, _cur: object, sql: str, given: object, _x: object, many: bool) -> None:
        asked.append((sql, given[0] if many else given))  # type: ignore[index]

    for engine in (ledger._store.reader, ledger._store.writer):
        event.listen(engine, "before_cursor_execute", note)
    HOT[verb](ledger)
    large = LARGE | ALSO_LARGE.get(verb, set())
    scans, statements = [], asked.copy()
    with ledger._store.read() as connection:
        for sql, given in statements:
            if not re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)", sql):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all()
            for *_, step in plan:
                scanned = re.match(r"SCAN (\w+)(?! USING (COVERING )?INDEX ix_batches)", step)
                if scanned and scanned[1] in large:
                    scans.append((step, sql))
    assert asked
    assert scans == []
