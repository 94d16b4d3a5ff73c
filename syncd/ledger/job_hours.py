"""How many call jobs wait with which zones and hours: what `status` counts by hour.

One GROUP BY over the jobs that have not ended, however many there are; a window is read once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from syncd.core.call_job import JobState
from syncd.ledger.schema import call_jobs
from syncd.ledger.schema_windows import call_windows
from syncd.ledger.store import Store

#: What can still be called, and what is held, of which only the reason is of interest.
_WAITING = (JobState.HELD, JobState.STAGED, JobState.SEALED, JobState.ACCEPTED)
_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class JobsOfWindow:
    """Call jobs of one campaign that share zone and hours."""

    campaign: str
    held: bool
    jobs: int
    fields: str | None  #: members of a JSON object, as they are sent; None: the body has them all
    basis: str | None  #: JSON: what they were worked out from


class JobHours:
    """The zones and hours of the jobs that have not ended."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def by_window(self) -> Iterator[JobsOfWindow]:
        """Every window of these jobs, with how many have it."""
        with self._store.read() as connection:
            rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(_QUERY)
            for campaign, state, jobs, fields, basis in rows:
                yield JobsOfWindow(campaign, state == JobState.HELD, jobs, fields, basis)


def _query() -> Select[Any]:
    by = (call_jobs.c.campaign, call_jobs.c.state, call_jobs.c.window_id)
    grouped = (
        select(*by, func.count().label("jobs"))
        .where(call_jobs.c.state.in_(_WAITING))
        .group_by(*by)
        .subquery()
    )
    of_jobs = (grouped.c.campaign, grouped.c.state, grouped.c.jobs)
    return select(*of_jobs, call_windows.c.fields, call_windows.c.basis).outerjoin_from(
        grouped, call_windows, call_windows.c.id == grouped.c.window_id
    )


_QUERY = _query()
