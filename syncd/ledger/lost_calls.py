"""Calls that the campaign has and this ledger lost: after a restore nobody is called again.

A job that waits for its call becomes a duplicate of the call that was made. A call of a lead that
the ledger does not even know is kept as a duplicate of its own, so that its phone counts as called
when the source brings the lead again. A batch without an answer may have been sent since: it is in
doubt from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from syncd.clock import from_ms, to_ms
from syncd.core.call_job import CALLED_BEFORE, PHONE_KNOWN, BatchState, JobState
from syncd.core.sweep import WAITING
from syncd.ledger.intake_sql import INSERT_JOBS, INSERT_LEADS
from syncd.ledger.moves import By, batch_moved, jobs_moved, move_jobs
from syncd.ledger.recovery import needed_in
from syncd.ledger.schema import batches, call_jobs, is_open_batch, journal, leads, passes
from syncd.ledger.sql import take_ids
from syncd.ledger.store import Store

#: The sync of leads that only the campaign knew.
RECOVERED = "(recovered)"
#: Zone, ends, window and batch of a job whose lead is gone.
_UNKNOWN = (None,) * 5
_OPEN_ENDS = (JobState.SEALED, JobState.ACCEPTED, JobState.CLOSED, JobState.PARKED)

#: The outcome of a batch that may have been sent, or sent again, in what was lost.
SENDINGS_LOST = "sendings_lost"

#: The API is younger.
BEFORE_ALL_CALLS = datetime(2010, 1, 1, tzinfo=UTC)

#: (phone, ID) of a call.
Call = tuple[int, str]


class LostCalls:
    """What `syncd recover` asks and changes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def waiting_phones(self, campaign: str) -> list[int]:
        """The phones of jobs that wait for their call."""
        query = select(call_jobs.c.phone).where(
            call_jobs.c.campaign == campaign, call_jobs.c.state.in_(WAITING)
        )
        with self._store.read() as connection:
            return sorted({row[0] for row in connection.execute(query)})

    def newest_known(self, *, now: datetime) -> datetime:
        """When the newest pass began that the ledger knows from before its loss.

        One that knows of none may have lost anything: before all calls then. A recovery that was
        begun and killed is no such pass, nor is what ran since it was required.
        """
        required = select(func.max(journal.c.at)).where(
            journal.c.what == "ledger", journal.c.to_state == "recover"
        )
        with self._store.read() as connection:
            until = to_ms(now)
            if needed_in(connection) is not None:
                until = connection.execute(required).scalar() or until
            newest = select(func.max(passes.c.started_at)).where(
                passes.c.kind != "recover", passes.c.started_at < until
            )
            ms = connection.execute(newest).scalar()
        return BEFORE_ALL_CALLS if ms is None else from_ms(ms)

    def doubt_open(self, campaign: str, *, endpoint: str, by: By) -> int:
        """Batches without an answer may have been carried out in what was lost; how many they are.

        Their keys are as old as they are themselves, and the last sending was just now: so a key
        whose life is over is not used, and a look reaches as far as calls may have been made. A
        claim from before is overtaken.
        """
        with self._store.write("recovery.doubt") as connection:
            query = select(batches.c.id, batches.c.state).where(
                batches.c.campaign == campaign, is_open_batch
            )
            found = connection.execute(query.with_for_update()).all()
            for batch, state in found:
                connection.execute(
                    batches.update()
                    .where(batches.c.id == batch)
                    .values(
                        state=BatchState.SENT,
                        epoch=batches.c.epoch + 1,
                        ambiguous=batches.c.ambiguous + 1,
                        endpoint=func.coalesce(batches.c.endpoint, endpoint),
                        first_sent_at=func.coalesce(batches.c.first_sent_at, batches.c.created_at),
                        last_sent_at=by.at_ms,
                        outcome=func.coalesce(batches.c.outcome, SENDINGS_LOST),
                        absent_at=None,
                        leased_until=None,
                        next_at=None,
                    )
                )
                if state == BatchState.SEALED:
                    was, sent = BatchState.SEALED, BatchState.SENT
                    batch_moved(connection, batch, was, sent, why=SENDINGS_LOST, by=by)
        return len(found)

    def keep(self, campaign: str, calls: Sequence[Call], *, by: By) -> tuple[int, int]:
        """Keep these calls, each phone once: (jobs that are not called any more, new leads).

        One transaction; running it again changes nothing.
        """
        held_back = unknown = 0
        with self._store.write("recovery.keep") as connection:
            fresh: list[Call] = []
            for phone, call_job_id in sorted(dict(calls).items()):
                known, waiting = _jobs(connection, campaign, phone)
                if known:
                    continue
                if waiting:
                    held_back += len(waiting)
                    for state, job in waiting:
                        end_waiting(connection, campaign, job, state, by)
                else:
                    fresh.append((phone, call_job_id))
            unknown = len(fresh)
            if fresh:
                _insert(connection, campaign, fresh, by)
        return held_back, unknown


def _jobs(
    connection: Connection, campaign: str, phone: int
) -> tuple[bool, list[tuple[JobState, tuple[int, str]]]]:
    """Whether the ledger knows a call to the phone, and its jobs that wait for one."""
    rows = connection.execute(
        select(call_jobs.c.id, call_jobs.c.sync, call_jobs.c.state, call_jobs.c.reason).where(
            call_jobs.c.campaign == campaign, call_jobs.c.phone == phone
        )
    ).all()
    known = any(
        row.state in _OPEN_ENDS or (row.state == JobState.DUPLICATE and row.reason != PHONE_KNOWN)
        for row in rows
    )
    waiting = [(JobState(row.state), (row.id, row.sync)) for row in rows if row.state in WAITING]
    return known, waiting


def end_waiting(
    connection: Connection, campaign: str, job: tuple[int, str], state: JobState, by: By
) -> None:
    """A job that waits is not called any more: its phone was called, as the reports say."""
    move_jobs(
        connection,
        [job],
        campaign=campaign,
        old=state,
        new=JobState.DUPLICATE,
        why=CALLED_BEFORE,
        by=by,
        values={"reason": CALLED_BEFORE},
    )


def _insert(connection: Connection, campaign: str, calls: Sequence[Call], by: By) -> None:
    """A lead and a duplicate for each call whose lead is gone."""
    lead_ids = take_ids(connection, leads, len(calls))
    job_ids = take_ids(connection, call_jobs, len(calls))
    keys = [f"{campaign}/{call_job_id}" for _, call_job_id in calls]
    INSERT_LEADS(
        connection,
        rows=[(lead, key, 0, 0) for lead, key in zip(lead_ids, keys, strict=True)],
        sync=RECOVERED,
        origin=RECOVERED,
        seen_at=by.at_ms,
        pass_id=by.pass_id,
    )
    state = JobState.DUPLICATE
    INSERT_JOBS(
        connection,
        rows=[
            (job, lead, phone, state.value, CALLED_BEFORE, "{}", *_UNKNOWN)
            for job, lead, (phone, _) in zip(job_ids, lead_ids, calls, strict=True)
        ],
        sync=RECOVERED,
        campaign=campaign,
        generation=1,
        created_at=by.at_ms,
    )
    jobs_moved(
        connection,
        [(job, RECOVERED) for job in job_ids],
        campaign=campaign,
        old="",
        new=state,
        why=CALLED_BEFORE,
        by=by,
    )
