"""Ledgers for tests: an empty one of each kind, pages to store in it, and what it then holds.

Phones are of the two ranges of a thousand that Ofcom keeps for fiction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from syncd.core.mapping import MappedJob
from syncd.core.report import AttemptReport, JobReport
from syncd.ledger import migrate
from syncd.ledger.answers import AnswerStored
from syncd.ledger.intake_page import IntakePage, IntakeResult, NewLead
from syncd.ledger.ledger import Ledger
from syncd.ledger.moves import By
from syncd.ledger.outbox import ClaimedBatch
from syncd.ledger.store import open_store

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW_MS = 1_772_442_000_000
SYNC, CAMPAIGN = "crm", "welcome"
ENDPOINT = "abc123"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def new_ledger(url: str) -> Ledger:
    """An empty ledger at `url`."""
    store = open_store(url, create=True)
    migrate.upgrade(store)
    store.close()
    return Ledger.open(url)


def sqlite_url(file: Path) -> str:
    return f"sqlite:///{file}"


def by(actor: str = "test", *, pass_id: int | None = 1, after: timedelta = timedelta()) -> By:
    """Who moves: a pass, `after` NOW."""
    return By(actor, NOW_MS + int(after.total_seconds() * 1000), pass_id)


def phone(n: int) -> int:
    """The n-th of 2,000 phones for fiction."""
    assert 0 <= n < 2_000
    return 447_700_900_000 + n if n < 1_000 else 442_079_460_000 + n - 1_000


def job(n: int, *, held: str | None = None, finish_at: datetime | None = None) -> MappedJob:
    """A job to the n-th phone."""
    body = orjson.dumps({"phone": str(phone(n)), "payload": {"n": n}})
    return MappedJob(phone(n), body, "+00:00", held, finish_at)


def lead(n: int, *, key: str | None = None, mapped: MappedJob | None = None) -> NewLead:
    """Lead n, with a job to the n-th phone."""
    return NewLead(key or f"key-{n}", n, n + 2, mapped or job(n))


def page(*new: NewLead, sync: str = SYNC, campaign: str = CAMPAIGN, **more: Any) -> IntakePage:
    """A page of these leads; the cursor stays unless one is given."""
    return IntakePage(sync, campaign, "leads.csv", "digest", new=list(new), **more)


def stage(ledger: Ledger, count: int, *, first: int = 0, **more: Any) -> IntakeResult:
    """Store leads `first` … `first + count - 1`."""
    found = [lead(n) for n in range(first, first + count)]
    return ledger.store_page(page(*found, **more), by=by("poll"))


def seal(ledger: Ledger, *, size: int = 500, now: datetime = NOW) -> ClaimedBatch | None:
    """Seal at most `size` jobs."""
    return ledger.seal_batch(CAMPAIGN, phones_max=size, now=now, by=by("submit"))


def sealed(ledger: Ledger, count: int, *, first: int = 0) -> ClaimedBatch:
    """Stage `count` leads and seal them into one batch."""
    stage(ledger, count, first=first)
    batch = seal(ledger, size=count)
    assert batch is not None
    return batch


def sent(ledger: Ledger, batch: ClaimedBatch, *, now: datetime = NOW) -> ClaimedBatch:
    """The same batch, once its sending has begun."""
    assert ledger.mark_sent(batch, endpoint=ENDPOINT, now=now, by=by("submit"))
    return batch


def answered(ledger: Ledger, count: int, *, first: int = 0) -> ClaimedBatch:
    """Stage, seal and send `count` leads; lead n gets the vendor's ID 1000 + n."""
    batch = sent(ledger, sealed(ledger, count, first=first))
    ids = [str(1000 + n) for n in range(first, first + count)]
    stored = ledger.record_answer(batch, ids, next_report_at=NOW + MINUTE, by=by("submit"))
    assert stored is AnswerStored.BY_POSITION
    return batch


def report(id_: int | str, status: str | None = "noAnswer", **more: Any) -> JobReport:
    """A report of the call job with this ID of the vendor's."""
    raw = {"jobStatus": status} | {name: str(value) for name, value in more.items()}
    return JobReport(**{"call_job_id": str(id_), "job_status": status, "raw": raw} | more)


def attempt(id_: int | str, number: int = 1, **more: Any) -> AttemptReport:
    """A report of one attempt."""
    return AttemptReport(
        call_job_id=str(id_), attempt_number=number, job_status="noAnswer", raw={}, **more
    )


def rows(ledger: Ledger, sql: str, **values: object) -> list[tuple[Any, ...]]:
    """What a query of the ledger's database gives."""
    with ledger._store.read() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def one(ledger: Ledger, sql: str, **values: object) -> Any:
    """The one value that a query gives."""
    ((value,),) = rows(ledger, sql, **values)
    return value


def states(ledger: Ledger) -> dict[str, str]:
    """Key to state of its newest job."""
    found = rows(
        ledger,
        "SELECT leads.key, call_jobs.state FROM call_jobs "
        "JOIN leads ON leads.id = call_jobs.lead_id ORDER BY call_jobs.id",
    )
    return dict(found)


def tally(ledger: Ledger) -> Counter[str]:
    """How many jobs are in each state."""
    return Counter(dict(rows(ledger, "SELECT state, count(*) FROM call_jobs GROUP BY state")))


def snapshot(ledger: Ledger, tables: Sequence[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that holds what was decided."""
    names = tables or (
        "attempts",
        "batches",
        "call_jobs",
        "campaigns",
        "job_counts",
        "journal",
        "leads",
        "passes",
        "rejections",
        "reports",
        "syncs",
    )
    return {name: sorted(rows(ledger, f"SELECT * FROM {name}"), key=repr) for name in names}


def replayed(ledger: Ledger, what: str = "job") -> dict[int, str]:
    """The state of each job (or batch) as the journal alone tells it, each move checked."""
    now: dict[int, str] = {}
    for first, last, members, old, new in rows(
        ledger,
        "SELECT first_id, last_id, members, from_state, to_state FROM journal "
        "WHERE what = :what AND from_state <> to_state ORDER BY id",
        what=what,
    ):
        start = "sealed" if what == "batch" else ""
        for id_ in range(first, last + 1) if members is None else orjson.loads(members):
            assert now.get(id_, start) == old, f"{what} {id_}: {now.get(id_)} is not {old}"
            now[id_] = new
    return now


def assert_consistent(ledger: Ledger) -> None:
    """Kept counts, journal and open jobs agree with the rows."""
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for sync, campaign, state, n in rows(
        ledger, "SELECT sync, campaign, state, count(*) FROM call_jobs GROUP BY 1, 2, 3"
    ):
        counted.setdefault((sync, campaign), {})[state] = n
    assert ledger.counts().jobs == counted
    assert replayed(ledger) == dict(rows(ledger, "SELECT id, state FROM call_jobs"))
    moved = replayed(ledger, "batch")
    for id_, state in rows(ledger, "SELECT id, state FROM batches"):
        assert moved.get(id_, "sealed") == state
    open_jobs = rows(
        ledger,
        "SELECT batches.id FROM batches WHERE open_jobs <> (SELECT count(*) FROM call_jobs "
        "WHERE batch_id = batches.id AND call_jobs.state = 'accepted')",
    )
    assert open_jobs == []
