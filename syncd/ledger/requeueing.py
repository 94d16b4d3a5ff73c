"""Jobs that would be sent otherwise today: found by their windows, and queued again.

What was not sent gets the new window in place. What the vendor has, or may have, is cancelled
there, and a job with the new window waits for that, as where a row has changed: it goes only when
the reports say that nobody was called. Both are one transaction, so a kill leaves no half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, TextClause, and_, exists, select

from syncd.clock import from_ms, to_ms_or_none
from syncd.core.call_job import CALL_CAP, JobState
from syncd.core.call_times import horizon_end
from syncd.core.call_window import CallWindow
from syncd.core.guards import HELD_BY_GUARD, JUDGING
from syncd.core.renewal import Renewal, content_with
from syncd.core.requeue import Queued, Recheck
from syncd.core.withdrawal import HOURS_CHANGED, WAITS_FOR_CANCEL
from syncd.ledger.call_windows import bases_of
from syncd.ledger.moves import By, jobs_moved, move_jobs, write_journal
from syncd.ledger.schema import batches, call_jobs, is_accepted, is_open_batch, is_staged
from syncd.ledger.schema_guards import cancellations, is_held
from syncd.ledger.schema_windows import call_windows
from syncd.ledger.sql import take_ids
from syncd.ledger.store import Store
from syncd.ledger.withdrawals import withdraw_in

#: Jobs that are looked at in one transaction.
AT_ONCE = 500
_FIRST_GENERATION: Final = 1
_PAYLOAD: Final = '"payload":'
#: A day, and an hour in which clocks may differ and a request may be on its way.
_REPEAT_MS: Final = 25 * 3_600_000
#: Held for something else than their hours: they keep waiting for that.
_HELD_APART: Final = (*HELD_BY_GUARD, JUDGING, WAITS_FOR_CANCEL, CALL_CAP)


class Again(NamedTuple):
    """What looks at one sync's jobs, and what makes their new windows."""

    sync: str
    campaign: str
    recheck: Recheck
    renewal: Renewal


class OpenWindow(NamedTuple):
    """A window of open jobs, and one of the jobs that have it."""

    queued: Queued
    phone: int
    until: datetime | None
    jobs: int


class Requeueing:
    """The verbs of a requeue."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open_windows(self, again: Again) -> dict[int, OpenWindow]:
        """The windows of a sync's open jobs."""
        return open_windows(self._store, again)

    def open_jobs_of(self, again: Again, windows: Collection[int]) -> list[RowMapping]:
        """Open jobs with one of these windows."""
        return open_jobs_of(self._store, again, windows)

    def queue_again(self, again: Again, job_ids: Sequence[int], *, by: By) -> Counter[str]:
        """Staged and held: another window; sealed and accepted: to be cancelled, "" to held."""
        return queue_again(self._store, again, job_ids, by=by)


def open_windows(store: Store, again: Again) -> dict[int, OpenWindow]:
    """The windows of a sync's open jobs, each with how many have it."""
    found: dict[int, OpenWindow] = {}
    counts: Counter[int] = Counter()
    with store.read() as connection:
        for which in _OPEN:
            query = select(call_jobs.c.window_id, call_jobs.c.phone, call_jobs.c.ends_at).where(
                *_of(again), which, call_jobs.c.window_id.is_not(None)
            )
            for window, phone, ends_at in connection.execute(query):
                counts[window] += 1
                found.setdefault(window, OpenWindow(_NONE, phone, _at(ends_at), 0))
        rows = connection.execute(select(call_windows).where(call_windows.c.id.in_(found)))
        for row in rows.mappings():
            found[row["id"]] = found[row["id"]]._replace(
                queued=_queued(row), jobs=counts[row["id"]]
            )
    return found


def open_jobs_of(store: Store, again: Again, windows: Collection[int]) -> list[RowMapping]:
    """Open jobs with one of these windows: `id`, `phone`, `window_id`, `ends_at`."""
    columns = (call_jobs.c.id, call_jobs.c.phone, call_jobs.c.window_id, call_jobs.c.ends_at)
    wanted = set(windows)
    rows: list[RowMapping] = []
    with store.read() as connection:
        for which in _OPEN:
            query = select(*columns).where(*_of(again), which)
            found = connection.execute(query.execution_options(yield_per=1_000)).mappings()
            rows += [row for row in found if row["window_id"] in wanted]
    return rows


def queue_again(store: Store, again: Again, job_ids: Sequence[int], *, by: By) -> Counter[str]:
    """Give these jobs the windows of today, where they still differ.

    Counts `in_place`, `to_cancel`, `held` (no hours are known now), `unchanged`, and `too_soon`:
    the campaign would take what is added again for a repeat, and nobody would be called.
    """
    counts: Counter[str] = Counter()
    with store.write("job.queue_again") as connection:
        rows = _locked(connection, job_ids)
        bases = bases_of(connection, {row["window_id"] for row in rows})
        repeats = _repeats(connection, rows, by)
        counts["too_soon"] += len(repeats)
        for row in rows:
            if row["id"] in repeats:
                continue
            basis = again.recheck.basis(bases[row["window_id"]], row["phone"])
            until = _at(row["ends_at"])
            window = again.renewal.window(basis, row["phone"], until)
            ids = store.windows.ids(connection, [window], by)
            told = _Told(row, window, ids[window.digest], until)
            counts[_queue_one(connection, told, by)] += 1
        counts["unchanged"] += len(job_ids) - len(rows)
    return +counts


def _repeats(connection: Connection, rows: Sequence[RowMapping], by: By) -> set[int]:
    """Jobs without a payload that were sent within the time in which a phone alone is a repeat.

    Calls API, "Idempotence and duplicates": the same phone with no payload, added again within 24
    hours, is ignored whatever its settings are.
    """
    sent = [row for row in rows if row["batch_id"] is not None and _PAYLOAD not in row["body"]]
    late = select(batches.c.id).where(
        batches.c.id.in_({row["batch_id"] for row in sent}),
        batches.c.last_sent_at > by.at_ms - _REPEAT_MS,
    )
    fresh = set(connection.scalars(late)) if sent else set()
    return {row["id"] for row in sent if row["batch_id"] in fresh}


class _Told(NamedTuple):
    row: RowMapping
    window: CallWindow
    window_id: int
    until: datetime | None  #: its own end, where it goes from slice to slice

    @property
    def columns(self) -> Mapping[str, Any]:
        """The columns of a job with the new window."""
        row, window = self.row, self.window
        own_end = self.until or _at(row["finish_at"])
        sliced = window.finish_at is not None
        if sliced and own_end is None:
            own_end = horizon_end(from_ms(to_ms_or_none(window.finish_at) or 0))
        return {
            "body": content_with(row["body"], window, own_end),
            "zone": window.gmt_zone,
            "window_id": self.window_id,
            "finish_at": to_ms_or_none(window.finish_at if sliced else own_end),
            "ends_at": to_ms_or_none(own_end) if sliced else None,
        }


def _locked(connection: Connection, job_ids: Sequence[int]) -> list[RowMapping]:
    """Those that are still open, the newest of their leads, and not to be cancelled already."""
    newer = call_jobs.alias("newer")
    query = (
        select(call_jobs)
        .where(
            call_jobs.c.id.in_(job_ids),
            call_jobs.c.state.in_(
                (JobState.HELD, JobState.STAGED, JobState.SEALED, JobState.ACCEPTED)
            ),
            ~exists().where(newer.c.lead_id == call_jobs.c.lead_id, newer.c.id > call_jobs.c.id),
            ~exists().where(cancellations.c.job_id == call_jobs.c.id),
        )
        .order_by(call_jobs.c.id)
        .with_for_update(of=call_jobs)
    )
    return list(connection.execute(query).mappings())


def _queue_one(connection: Connection, told: _Told, by: By) -> str:
    row = told.row
    state = JobState(row["state"])
    if state in (JobState.SEALED, JobState.ACCEPTED):
        _replace(connection, told, by)
        return "to_cancel"
    mine = call_jobs.update().where(call_jobs.c.id == row["id"])
    held = told.window.held
    why = HOURS_CHANGED if held is None else f"{HOURS_CHANGED}: {held}"
    if held is None:
        connection.execute(mine.values(**told.columns))
    elif state is JobState.HELD:  # without hours it must not go, whatever it waited for
        connection.execute(mine.values(reason=held, window_id=told.window_id, due_at=None))
    else:
        moved, values = [(row["id"], row["sync"])], {"reason": held, "window_id": told.window_id}
        old, new, campaign = JobState.STAGED, JobState.HELD, row["campaign"]
        move_jobs(
            connection, moved, campaign=campaign, old=old, new=new, why=why, by=by, values=values
        )
        return "held"
    write_journal(connection, "job", [row["id"]], old=state, new=state, why=why, by=by)
    return "in_place" if held is None else "held"


def _replace(connection: Connection, told: _Told, by: By) -> None:
    """Cancel the job at the vendor, and have one with the new window wait for that."""
    row, held = told.row, told.window.held
    withdraw_in(connection, [row["id"]], why=HOURS_CHANGED, by=by, add_again=held is None)
    (job_id,) = take_ids(connection, call_jobs, 1)
    reason = WAITS_FOR_CANCEL if held is None else held
    values = {
        **told.columns,
        "id": job_id,
        "lead_id": row["lead_id"],
        "sync": row["sync"],
        "campaign": row["campaign"],
        "generation": _FIRST_GENERATION,
        "phone": row["phone"],
        "state": JobState.HELD,
        "reason": reason,
        "created_at": by.at_ms,
    }
    connection.execute(call_jobs.insert().values(**values))
    jobs_moved(
        connection,
        [(job_id, row["sync"])],
        campaign=row["campaign"],
        old="",
        new=JobState.HELD,
        why=reason,
        by=by,
    )


def _of(again: Again) -> tuple[ColumnElement[bool], ...]:
    """The jobs of the sync, but for those that are to be cancelled."""
    wish = exists().where(cancellations.c.job_id == call_jobs.c.id)
    return (call_jobs.c.campaign == again.campaign, call_jobs.c.sync == again.sync, ~wish)


def _queued(row: RowMapping) -> Queued:
    return Queued(row["basis"], row["fields"], from_ms(row["made_at"]))


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


_NONE: Final = Queued("", "", from_ms(0))
_in_doubt = select(batches.c.id).where(is_open_batch)
#: Each answered by an index of its own.
_OPEN: Final[tuple[ColumnElement[bool] | TextClause, ...]] = (
    is_staged,
    is_accepted,
    and_(is_held, call_jobs.c.reason.in_(_HELD_APART)),
    call_jobs.c.batch_id.in_(_in_doubt),
)
