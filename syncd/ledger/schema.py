"""The tables of the ledger, as the queries see them.

The schema itself is made by `migrations/` alone; a test compares the two on SQLite and PostgreSQL.
Every time is Unix milliseconds in UTC. Indexes are partial where only what is open is asked for,
so that a ledger of a million closed jobs is as quick as an empty one.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from syncd.core.call_job import BatchState, JobState

#: Conditions of the partial indexes. Queries must use these very words: with a bind parameter in
#: their place SQLite and PostgreSQL cannot know that the index answers.
STAGED = "state = 'staged'"
PENNED = "state = 'staged' AND pen IS NOT NULL"
ACCEPTED = "state = 'accepted'"
OPEN_BATCH = "state IN ('sealed', 'sent')"
OPEN_JOBS = "open_jobs > 0"
TO_FIND = "to_find > 0"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite's rowid must be declared INTEGER; PostgreSQL needs 64 bits.
Id = BigInteger().with_variant(Integer(), "sqlite")


def _states(values: type[JobState | BatchState]) -> str:
    return "state IN (" + ", ".join(f"'{value}'" for value in values) + ")"


meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

#: One row a sync: how far its source was read, under which mapping.
syncs = Table(
    "syncs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cursor", Text),  # JSON that only the source understands
    Column("mapping_digest", Text),
    Column("polled_at", BigInteger),
    Column("unjudged", BigInteger),  # jobs of polls that did not come to the source's end
)

#: One row a campaign: why it takes nothing now, and how far its reports were walked.
campaigns = Table(
    "campaigns",
    metadata,
    Column("name", Text, primary_key=True),
    Column("halted_reason", Text),
    Column("halted_at", BigInteger),
    Column("next_send_at", BigInteger),  # what a 429 asked for
    Column("reports_walked_to", BigInteger),  # finishedAt, by date
    Column("failures", Integer),  # sendings in a row without an answer
    Column("open_until", BigInteger),  # the breaker lets nothing through before then
    Column("held", Boolean),  # halted until a person releases it
    Column("released_at", BigInteger),
    Column(
        "swept_to", BigInteger
    ),  # createdAt, when the vendor's calls were last compared with ours
    Column("next_turn_at", BigInteger),  # microseconds; the bucket that instances share
)

passes = Table(
    "passes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("outcome", Text),
    Column("counts", Text),  # JSON
)
Index("ix_passes_kind_target", passes.c.kind, passes.c.target, passes.c.id)

leads = Table(
    "leads",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sync", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger),
    Column("pass_id", Id, nullable=False),
    Column("seen_in", Id),  # the last whole reading of the source that had it
    Column("withdrawn_at", BigInteger),  # it left its source, or is on a do-not-call list
    Column("watched_digest", BigInteger),  # of the columns whose change counts
)
Index("uq_leads_sync_key", leads.c.sync, leads.c.key, unique=True)

call_jobs = Table(
    "call_jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("lead_id", Id, ForeignKey("leads.id"), nullable=False),
    Column("sync", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("phone", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("body", Text, nullable=False),  # the JSON object of one addPhones item, without window
    Column("zone", Text),
    Column("finish_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("batch_id", Id, ForeignKey("batches.id")),
    Column("call_job_id", Text),  # the vendor's
    Column("pen", Id),  # staged apart: jobs of one pen make a batch of their own
    Column("duplicate_of", Id),  # the job that has the phone already
    Column("window_id", Id),  # of call_windows; NULL: all that is sent is in the body
    Column("ends_at", BigInteger),  # where finish_at is the end of a slice: the job's own end
    Column("follows", Id),  # the job whose next slice this is
    Column("due_at", BigInteger),  # of a held job: when it is looked at again by itself
    CheckConstraint(_states(JobState), name="state"),
    CheckConstraint("state <> 'accepted' OR call_job_id IS NOT NULL", name="accepted_has_id"),
    CheckConstraint(
        "state NOT IN ('sealed', 'accepted') OR batch_id IS NOT NULL", name="sent_has_batch"
    ),
)
Index("ix_call_jobs_lead_id", call_jobs.c.lead_id)
Index("ix_call_jobs_phone", call_jobs.c.phone)
Index(
    "ix_call_jobs_staged",
    call_jobs.c.campaign,
    call_jobs.c.id,
    sqlite_where=text(STAGED),
    postgresql_where=text(STAGED),
)
Index(
    "ix_call_jobs_pens",
    call_jobs.c.campaign,
    call_jobs.c.pen,
    sqlite_where=text(PENNED),
    postgresql_where=text(PENNED),
)
Index(
    "ix_call_jobs_batch_id",
    call_jobs.c.batch_id,
    sqlite_where=text("batch_id IS NOT NULL"),
    postgresql_where=text("batch_id IS NOT NULL"),
)
Index(
    "uq_call_jobs_open",
    call_jobs.c.campaign,
    call_jobs.c.call_job_id,
    unique=True,
    sqlite_where=text(ACCEPTED),
    postgresql_where=text(ACCEPTED),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body", LargeBinary),  # dropped once answered: the jobs keep their own
    Column("body_digest", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("job_ids", Text, nullable=False),  # JSON, in the order of the body
    Column("state", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("leased_until", BigInteger),
    Column("holder", Text),  # the instance whose claim it is; NULL: one that has no ID
    Column("endpoint", Text),  # fingerprint of base URL and token of the first sending
    Column("created_at", BigInteger, nullable=False),
    Column("first_sent_at", BigInteger),
    Column("last_sent_at", BigInteger),
    Column("sends", Integer, nullable=False),
    Column("ambiguous", Integer, nullable=False),  # sendings that may have been carried out
    Column("next_at", BigInteger),
    Column("outcome", Text),
    Column("answered_ids", Text),  # JSON, only when it was not as long as the request
    Column("open_jobs", Integer, nullable=False),
    Column("next_report_at", BigInteger),
    Column("looked_at", BigInteger),  # when its calls were last looked for in the reports
    Column("absent_at", BigInteger),  # the first whole look that found none of them
    Column("root", Id),  # of the batches that halves are made of: the batch whose refusal began it
    Column("splits", Integer),  # of a root: so many of its batches were halved
    Column("to_find", Integer),  # jobs whose calls the vendor had from elsewhere
    CheckConstraint(_states(BatchState), name="state"),
    CheckConstraint("state = 'sealed' OR first_sent_at IS NOT NULL", name="sent_has_time"),
    CheckConstraint("state NOT IN ('sealed', 'sent') OR body IS NOT NULL", name="open_has_body"),
)
Index("uq_batches_key", batches.c.key, unique=True)
Index(
    "ix_batches_open",
    batches.c.campaign,
    batches.c.id,
    sqlite_where=text(OPEN_BATCH),
    postgresql_where=text(OPEN_BATCH),
)
Index(
    "ix_batches_report",
    batches.c.campaign,
    batches.c.next_report_at,
    sqlite_where=text(OPEN_JOBS),
    postgresql_where=text(OPEN_JOBS),
)
Index(
    "ix_batches_unmatched",
    batches.c.campaign,
    sqlite_where=text("answered_ids IS NOT NULL"),
    postgresql_where=text("answered_ids IS NOT NULL"),
)

Index(
    "ix_batches_to_find",
    batches.c.campaign,
    sqlite_where=text(TO_FIND),
    postgresql_where=text(TO_FIND),
)

rejections = Table(
    "rejections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sync", Text, nullable=False),
    Column("ident", Text, nullable=False),  # "key:…" where the key is known, else "record:digest"
    Column("key", Text),
    Column("origin", Text, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("column", Text),
    Column("reason", Text, nullable=False),
    Column("masked", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger),
    Column("pass_id", Id, nullable=False),
)
Index("uq_rejections_sync_ident", rejections.c.sync, rejections.c.ident, unique=True)

#: Kept, not counted: each move adds and takes away in its own transaction.
job_counts = Table(
    "job_counts",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("campaign", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("jobs", BigInteger, nullable=False),
)

#: Append only: what moved, from, to, why, when, by which pass.
journal = Table(
    "journal",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("pass_id", Id),  # NULL: a person's command
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),  # job, batch, campaign, sync, ledger
    Column("first_id", Id),
    Column("last_id", Id),
    Column("members", Text),  # JSON list of IDs; NULL: every ID from first to last
    Column("target", Text),  # the name of a sync or campaign
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("why", Text, nullable=False),
)
Index("ix_journal_what_first_id", journal.c.what, journal.c.first_id)

is_staged = text(f"call_jobs.{STAGED}")
is_penned = text("call_jobs.state = 'staged' AND call_jobs.pen IS NOT NULL")
is_accepted = text(f"call_jobs.{ACCEPTED}")
is_open_batch = text(f"batches.{OPEN_BATCH}")
has_open_jobs = text(f"batches.{OPEN_JOBS}")
has_to_find = text(f"batches.{TO_FIND}")
