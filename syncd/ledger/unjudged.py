"""What earlier polls of a sync began and did not end: it counts with the next poll.

A poll that is judged at its end leaves jobs that wait as `judging`. One that was judged before it
was stored adds what each page starts to the sync's own row, in the transaction of the page, until
it ends: a kill in between loses nothing, and gives no poll a fresh start.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, Executable, bindparam, func, select

from syncd.core.guards import JUDGING
from syncd.ledger.schema import call_jobs, syncs
from syncd.ledger.schema_guards import is_held
from syncd.ledger.sql import Prepared, upsert, word
from syncd.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Unjudged:
    """What earlier polls of a sync began and did not end."""

    waiting: int = 0  #: jobs that a killed poll left as `judging`
    passed: int = 0  #: jobs that cut polls let go; they count until a poll comes to its end

    @property
    def jobs(self) -> int:
        return self.waiting + self.passed


def unjudged(store: Store, sync: str) -> Unjudged:
    """What a poll that begins now has to count with its own."""
    with store.read() as connection:
        waiting = _COUNT_WAITING(connection, of_sync=sync).scalar() or 0
        passed = _PASSED(connection, of_sync=sync).scalar() or 0
    return Unjudged(int(waiting), int(passed))


def note_started(connection: Connection, sync: str, jobs: int) -> None:
    """Count jobs that a page lets go, until the end of its poll."""
    if jobs:
        _ADD(connection, name=sync, jobs=jobs)


def end_poll(connection: Connection, sync: str, passed: int | None) -> None:
    """Keep what counts with the next poll; None: this one came to its end."""
    _END(connection, name=sync, jobs=passed)


def _keeping(dialect: str, *, add: bool) -> Executable:
    jobs = bindparam("jobs", type_=BigInteger)
    statement = upsert(dialect, syncs).values(name=bindparam("name"), unjudged=jobs)
    before = func.coalesce(syncs.c.unjudged, 0)
    return statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"unjudged": before + statement.excluded.unjudged if add else jobs},
    )


_COUNT_WAITING = Prepared(
    lambda _: select(func.count()).where(
        call_jobs.c.sync == bindparam("of_sync"), is_held, call_jobs.c.reason == word(JUDGING)
    )
)
_PASSED = Prepared(lambda _: select(syncs.c.unjudged).where(syncs.c.name == bindparam("of_sync")))
_ADD = Prepared(lambda dialect: _keeping(dialect, add=True))
_END = Prepared(lambda dialect: _keeping(dialect, add=False))
