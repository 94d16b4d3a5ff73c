"""Every move between states: the guarded UPDATE and its bookkeeping, in one transaction.

`move_jobs` does both. A verb with an UPDATE of its own (prepared, or with other columns) calls
`check_all_moved`, then `jobs_moved`. The journal and the kept counts thus never disagree with the
rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import BindParameter, Connection, Executable, Table, bindparam

from syncd.core.call_job import BATCH_TRANSITIONS, BatchState, JobState, check_move
from syncd.core.lease import Lease
from syncd.errors import Transient
from syncd.ledger.schema import call_jobs, job_counts, journal
from syncd.ledger.sql import Prepared, chunks, upsert

NOTHING_ELSE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class By:
    """Who makes a move, and when: a pass, or a person's command."""

    actor: str  #: "poll", "submit", …, or "cli:cancel"
    at_ms: int
    pass_id: int | None = None
    lease: Lease | None = None  #: the lease that the pass works under
    holder: str | None = None  #: the instance, where several work on the ledger


def move_jobs(
    connection: Connection,
    jobs: Sequence[tuple[int, str]],
    *,
    campaign: str,
    old: JobState,
    new: JobState,
    why: str,
    by: By,
    values: Mapping[str, object] = NOTHING_ELSE,
) -> None:
    """Move all these jobs from `old` to `new`, journal and count them; or raise, and move none.

    Args:
        jobs: (job ID, sync) of each.
        values: other columns that change with the state.

    Raises:
        Transient: one of them is not in `old` any more; the transaction has to be rolled back.
    """
    moved = 0
    for some in chunks([job for job, _ in jobs]):
        moved += connection.execute(
            call_jobs.update()
            .where(call_jobs.c.id.in_(some), call_jobs.c.state == old)
            .values(state=new, **values)
        ).rowcount
    check_all_moved(moved, len(jobs), old=old, new=new)
    jobs_moved(connection, jobs, campaign=campaign, old=old, new=new, why=why, by=by)


def check_all_moved(moved: int, wanted: int, *, old: JobState, new: JobState) -> None:
    """Raise Transient, so that all is rolled back, when another process moved some of the jobs."""
    if moved != wanted:
        raise Transient(f"{wanted - moved} of {wanted} jobs left {old} before they became {new}")


def jobs_moved(
    connection: Connection,
    moved: Sequence[tuple[int, str]],
    *,
    campaign: str,
    old: JobState | str,
    new: JobState,
    why: str,
    by: By,
) -> None:
    """Journal and count jobs that went from `old` to `new`.

    Args:
        moved: (job ID, sync) of each.
    """
    if not moved:
        return
    check_move(old, new)
    write_journal(
        connection, "job", [job for job, _ in moved], old=str(old), new=new, why=why, by=by
    )
    per_sync = Counter(sync for _, sync in moved)
    deltas = {(sync, campaign, str(new)): n for sync, n in per_sync.items()}
    if old:
        deltas |= {(sync, campaign, str(old)): -n for sync, n in per_sync.items()}
    _add_counts(connection, deltas)


def batch_moved(
    connection: Connection, batch_id: int, old: BatchState, new: BatchState, *, why: str, by: By
) -> None:
    """Journal a batch's move."""
    assert new in BATCH_TRANSITIONS[old], f"no arrow from {old} to {new}"
    write_journal(connection, "batch", [batch_id], old=old, new=new, why=why, by=by)


def write_journal(
    connection: Connection,
    what: str,
    ids: Iterable[int],
    *,
    old: str,
    new: str,
    why: str,
    by: By,
    target: str | None = None,
) -> None:
    """One line of the journal for a set of IDs that made the same move for the same reason."""
    ordered = sorted(ids)
    first, last = (ordered[0], ordered[-1]) if ordered else (None, None)
    gapless = not ordered or ordered[-1] - ordered[0] + 1 == len(ordered)
    _WRITE_JOURNAL(
        connection,
        at=by.at_ms,
        pass_id=by.pass_id,
        actor=by.actor,
        what=what,
        first_id=first,
        last_id=last,
        members=None if gapless else ordered,
        target=target,
        from_state=str(old),
        to_state=str(new),
        why=why,
    )


def _add_counts(connection: Connection, deltas: dict[tuple[str, str, str], int]) -> None:
    # One order for everybody, so that two transactions never wait for each other crosswise.
    _ADD_COUNTS.many(
        connection,
        [
            {"sync": sync, "campaign": campaign, "state": state, "jobs": n}
            for (sync, campaign, state), n in sorted(deltas.items())
        ],
    )


def _insert_of_all(table: Table) -> Executable:
    return table.insert().values(_named(table))


def _named(table: Table) -> dict[str, BindParameter[Any]]:
    """A parameter of the same name for each column but the ID."""
    return {c.name: bindparam(c.name) for c in table.c if c.name != "id"}


def _adding(dialect: str) -> Executable:
    statement = upsert(dialect, job_counts).values(_named(job_counts))
    return statement.on_conflict_do_update(
        index_elements=["sync", "campaign", "state"],
        set_={"jobs": job_counts.c.jobs + statement.excluded.jobs},
    )


_WRITE_JOURNAL = Prepared(lambda _: _insert_of_all(journal))
_ADD_COUNTS = Prepared(_adding)
