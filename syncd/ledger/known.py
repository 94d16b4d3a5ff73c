"""What the ledger has of the keys of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from syncd.core.call_job import JobState
from syncd.core.guards import JUDGING
from syncd.core.withdrawal import WAITS_FOR_CANCEL
from syncd.ledger.intake_sql import ANY_HELD, KNOWN, KNOWN_WIDE
from syncd.ledger.schema import call_jobs
from syncd.ledger.sql import as_json, one_of
from syncd.ledger.store import Store


class KnownLead(NamedTuple):
    """What the ledger has of a key."""

    id: int
    revision: int
    held_job: int | None = None
    watched: int | None = None  #: digest of the columns whose change counts
    withdrawn: bool = False  #: its row had left the source


def known_leads(
    store: Store, sync: str, keys: Sequence[str], *, wide: bool = False
) -> dict[str, KnownLead]:
    """Which of these keys the ledger has, with their revision and held job.

    Args:
        wide: with what only some policies ask for (`watched`, `withdrawn`).
    """
    with store.read() as connection:
        rows = (KNOWN_WIDE if wide else KNOWN).rows(connection, of_sync=sync, keys=list(keys))
        any_held = rows and ANY_HELD(connection, of_sync=sync).first()
        held = _held_jobs(connection, [row[1] for row in rows]) if any_held else {}
    if wide:
        return {
            key: KnownLead(lead, revision, held.get(lead), watched, left is not None)
            for key, lead, revision, watched, left in rows
        }
    return {key: KnownLead(lead, revision, held.get(lead)) for key, lead, revision in rows}


def _held_jobs(connection: Connection, lead_ids: Sequence[int]) -> dict[int, int]:
    rows = connection.execute(
        select(call_jobs.c.lead_id, call_jobs.c.id).where(
            one_of(connection.dialect.name, call_jobs.c.lead_id, as_json(lead_ids)),
            call_jobs.c.state == JobState.HELD,
            call_jobs.c.reason.not_in((JUDGING, WAITS_FOR_CANCEL)),
            # The rest of a call that was begun goes on as it is.
            call_jobs.c.follows.is_(None),
        )
    )
    return {row[0]: row[1] for row in rows}
