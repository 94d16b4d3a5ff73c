"""The table of zones and hours that call jobs share, and what asks for jobs by their time.

Made by `migrations/` like all others (schema.py says more).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text, text

from syncd.ledger.schema import Id, call_jobs, metadata

#: Zones and hours, each once, however many jobs have them. Rows never change.
call_windows = Table(
    "call_windows",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("fields", Text, nullable=False),  # members of a JSON object, as they are sent
    Column("basis", Text, nullable=False),  # JSON: what they were worked out from
    Column("made_at", BigInteger, nullable=False),  # when the pass began that made it
)
Index("uq_call_windows_digest", call_windows.c.digest, unique=True)

#: As in schema.py: a query has to use these very words.
DUE = "state = 'held' AND due_at IS NOT NULL"
CUT = "state = 'closed' AND ends_at IS NOT NULL"
_FOLLOWS = "follows IS NOT NULL"
#: Held jobs that are looked at again by themselves.
Index(
    "ix_call_jobs_due",
    call_jobs.c.campaign,
    call_jobs.c.due_at,
    sqlite_where=text(DUE),
    postgresql_where=text(DUE),
)
#: Jobs that ended in a slice, not looked at yet: afterwards they have no own end any more.
Index(
    "ix_call_jobs_cut",
    call_jobs.c.campaign,
    call_jobs.c.id,
    sqlite_where=text(CUT),
    postgresql_where=text(CUT),
)
Index(
    "uq_call_jobs_follows",
    call_jobs.c.follows,
    unique=True,
    sqlite_where=text(_FOLLOWS),
    postgresql_where=text(_FOLLOWS),
)
is_due = text("call_jobs.state = 'held' AND call_jobs.due_at IS NOT NULL")
is_cut = text("call_jobs.state = 'closed' AND call_jobs.ends_at IS NOT NULL")
