"""More tables of the ledger: who works, what was stopped, whom not to call, what was erased.

Made by `migrations/` like all others (schema.py says more).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Table, Text, text

from syncd.ledger.schema import Id, batches, call_jobs, metadata

#: Who holds a sync or a campaign ("sync:crm", "campaign:welcome"); the epoch guards its writes.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),  # an instance's ID; empty: free
    Column("epoch", BigInteger, nullable=False),
    Column("taken_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("busy", Boolean, nullable=False),  # a pass is at work under it
)

#: The processes that work on this ledger, and when each was last heard of.
instances = Table(
    "instances",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),  # taken for dead from then on
)

#: As in schema.py: a query has to use these very words.
HELD = "state = 'held'"
Index(
    "ix_call_jobs_held",
    call_jobs.c.sync,
    call_jobs.c.reason,
    call_jobs.c.id,
    sqlite_where=text(HELD),
    postgresql_where=text(HELD),
)
is_held = text(f"call_jobs.{HELD}")
Index("ix_batches_created_at", batches.c.campaign, batches.c.created_at)

#: Each time a guard against a human mistake held jobs back.
trips = Table(
    "trips",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sync", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("guard", Text, nullable=False),
    Column("allowed", Float, nullable=False),
    Column("found", Float, nullable=False),
    Column("tripped_at", BigInteger, nullable=False),
    Column("approved_at", BigInteger),
    Column("approved_by", Text),
    Column("released", BigInteger),  # how many jobs the approval let go
)
Index(
    "ix_trips_sync",
    trips.c.sync,
    sqlite_where=text("approved_at IS NULL"),
    postgresql_where=text("approved_at IS NULL"),
)

#: Do-not-call lists as they were last read; a row that left its list keeps its dates.
suppressions = Table(
    "suppressions",
    metadata,
    Column("list", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # phone or key
    Column("value", Text, primary_key=True),
    Column("added_at", BigInteger, nullable=False),
    Column("gone_at", BigInteger),
    Column("seen_in", Id, nullable=False),  # the reading that last had it
)
Index("ix_suppressions_kind_value", suppressions.c.kind, suppressions.c.value)

#: Accepted jobs that are to be cancelled at the vendor, and the proof that they were.
cancellations = Table(
    "cancellations",
    metadata,
    Column("job_id", Id, ForeignKey("call_jobs.id"), primary_key=True),
    Column("why", Text, nullable=False),
    Column("wanted_at", BigInteger, nullable=False),
    Column("asked_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("answer", Text),
    Column("next_at", BigInteger),
    Column("add_again", Boolean, nullable=False),  # the row changed: call with the new content
)
Index(
    "ix_cancellations_open",
    cancellations.c.job_id,
    sqlite_where=text("answered_at IS NULL"),
    postgresql_where=text("answered_at IS NULL"),
)

#: Keyed digests of erased phones and keys: enough to never call again, too little to know whom.
tombstones = Table(
    "tombstones",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # phone or key
    Column("erased_at", BigInteger, nullable=False),
)
