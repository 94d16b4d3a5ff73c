"""Comparing the campaign's calls with the ledger: what a sweep asks and changes.

A call that no job names is given to a job that lacks its own, keeps a waiting job back, or is kept
as unknown. What becomes of it is judged in core/sweep.py, with the jobs locked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from syncd.clock import from_ms, to_ms
from syncd.core.call_job import JobState
from syncd.core.call_policy import CallPolicy
from syncd.core.erasure import ERASED_PHONE
from syncd.core.report import JobReport, is_redial, phone_of
from syncd.core.sweep import WAITING, Call, PhoneJob, SortedOut, sort_out
from syncd.ledger.found_calls import attach
from syncd.ledger.leases import check_lease
from syncd.ledger.look_ups import used_ids
from syncd.ledger.lost_calls import end_waiting
from syncd.ledger.moves import By
from syncd.ledger.parked import adopt_parked
from syncd.ledger.report_owner import ReportedJob
from syncd.ledger.schema import batches, call_jobs, campaigns, job_counts
from syncd.ledger.sql import chunks, upsert
from syncd.ledger.store import Store
from syncd.ledger.unknown_calls import UnknownCall, count_unknown, keep_unknown, list_unknown

#: Phones of one transaction.
_AT_ONCE = 200
_FOUND_LATER = "found in the reports later, by its phone"

_Jobs = Mapping[int, Sequence[PhoneJob]]


class Sweeps:
    """The verbs of a sweep; each is one transaction, or says so."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def swept_to(self, campaign: str) -> datetime | None:
        """Up to which `createdAt` the campaign's calls were compared; None: never."""
        query = select(campaigns.c.swept_to).where(campaigns.c.name == campaign)
        with self._store.read() as connection:
            ms = connection.execute(query).scalar()
        return None if ms is None else from_ms(ms)

    def set_swept_to(self, campaign: str, at: datetime, *, by: By) -> None:
        """Keep how far the calls were compared; it never goes back."""
        with self._store.write("sweep.note_end") as connection:
            check_lease(connection, by.lease)
            statement = upsert(connection.dialect.name, campaigns).values(
                name=campaign, swept_to=to_ms(at)
            )
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["name"],
                    set_={"swept_to": to_ms(at)},
                    where=func.coalesce(campaigns.c.swept_to, 0) < to_ms(at),
                )
            )

    def has_jobs(self, campaign: str) -> bool:
        """Whether the ledger has, or had, any job of the campaign."""
        query = select(job_counts.c.campaign).where(job_counts.c.campaign == campaign).limit(1)
        with self._store.read() as connection:
            return connection.execute(query).first() is not None

    def unsure_phones(self, campaign: str, *, limit: int) -> list[int]:
        """The phones of jobs that may have a call that nobody knows, the newest first."""
        waits = call_jobs.c.state.in_(sorted(WAITING)) & (call_jobs.c.generation > 1)
        query = (
            select(call_jobs.c.phone)
            .where(
                call_jobs.c.campaign == campaign,
                or_(call_jobs.c.state == JobState.PARKED, waits),
            )
            .order_by(call_jobs.c.id.desc())
            .limit(limit)
        )
        with self._store.read() as connection:
            return sorted({row[0] for row in connection.execute(query)} - {ERASED_PHONE})

    def keep_strangers(
        self, campaign: str, calls: Sequence[JobReport], *, by: By
    ) -> tuple[int, list[JobReport]]:
        """Keep the calls to phones that no lead has.

        Returns:
            How many of them are news, and the calls that no job names to phones of leads.
        """
        with self._store.read() as connection:
            unknown = _unnamed(connection, campaign, calls)
            known = _phones(connection, campaign, [phone_of(call) for call in unknown])
        theirs = [call for call in unknown if phone_of(call) not in known]
        ours = [call for call in unknown if phone_of(call) in known]
        if not theirs:
            return 0, ours
        with self._store.write("sweep.keep_strangers") as connection:
            check_lease(connection, by.lease)
            return len(keep_unknown(connection, campaign, theirs, to_lead=False, by=by)), ours

    def sort_out(
        self,
        campaign: str,
        calls: Sequence[JobReport],
        policies: Mapping[str, CallPolicy],
        *,
        by: By,
    ) -> Counter[str]:
        """Settle calls to phones of leads, some phones in each transaction.

        Counts `adopted`, `held_back`, `found`, `unknown_calls` and, among these, `second_calls`.

        Args:
            calls: all that the look showed, so that two calls to one phone are seen as two.
        """
        counts: Counter[str] = Counter()
        per_phone: dict[int, list[JobReport]] = {}
        for call in calls:
            phone = phone_of(call)
            assert phone is not None, "it is that of a lead"
            per_phone.setdefault(phone, []).append(call)
        for phones in chunks(sorted(per_phone), _AT_ONCE):
            some = [call for phone in phones for call in per_phone[phone]]
            with self._store.write("sweep.sort_out") as connection:
                check_lease(connection, by.lease)
                counts += _sort_out(connection, campaign, some, policies, by)
        return counts

    def unknown_count(self, campaign: str) -> int:
        """How many calls are kept that no job names."""
        return count_unknown(self._store, campaign)

    def unknown_calls(self, campaign: str, *, limit: int | None) -> list[UnknownCall]:
        """Those calls, noticed last first."""
        return list_unknown(self._store, campaign, limit=limit)


def _unnamed(connection: Connection, campaign: str, calls: Sequence[JobReport]) -> list[JobReport]:
    """The calls that no job names; a call-back belongs to its call."""
    firsts = [call for call in calls if not is_redial(call)]
    ids = [call.call_job_id for call in firsts]
    used = used_ids(connection, campaign, ids)
    for some in chunks(ids):
        # What was erased keeps its ID and nothing else.
        erased = select(call_jobs.c.call_job_id).where(
            call_jobs.c.campaign == campaign,
            call_jobs.c.phone == ERASED_PHONE,
            call_jobs.c.call_job_id.in_(some),
        )
        used |= {row[0] for row in connection.execute(erased)}
    return [call for call in firsts if call.call_job_id not in used]


def _phones(connection: Connection, campaign: str, phones: Sequence[int | None]) -> set[int]:
    """Which of these phones leads of the campaign have."""
    found: set[int] = set()
    for some in chunks([phone for phone in phones if phone is not None]):
        query = select(call_jobs.c.phone).where(
            call_jobs.c.campaign == campaign, call_jobs.c.phone.in_(some)
        )
        found |= {row[0] for row in connection.execute(query)}
    return found


def _sort_out(
    connection: Connection,
    campaign: str,
    calls: Sequence[JobReport],
    policies: Mapping[str, CallPolicy],
    by: By,
) -> Counter[str]:
    counts: Counter[str] = Counter()
    per_phone: dict[int, list[JobReport]] = {}
    for call in _unnamed(connection, campaign, calls):
        per_phone.setdefault(phone_of(call) or 0, []).append(call)
    jobs = _jobs(connection, campaign, list(per_phone))
    for phone, unnamed in sorted(per_phone.items()):
        mine = jobs.get(phone, [])
        own = {job.call_job_id for job in mine}
        left = {call.call_job_id: call for call in unnamed if call.call_job_id not in own}
        if not left:
            continue
        asked = [Call(id_, call.created_at) for id_, call in sorted(left.items())]
        judged = sort_out(mine, asked, policies=policies, now=from_ms(by.at_ms))
        counts += _apply(connection, campaign, phone, judged, left, by)
    return counts


def _jobs(connection: Connection, campaign: str, phones: Sequence[int]) -> _Jobs:
    """Every job to these phones, locked until they are settled."""
    found: dict[int, list[PhoneJob]] = {}
    for some in chunks(phones):
        query = (
            select(call_jobs, batches.c.first_sent_at, batches.c.last_sent_at)
            .outerjoin(batches, batches.c.id == call_jobs.c.batch_id)
            .where(call_jobs.c.campaign == campaign, call_jobs.c.phone.in_(some))
            .order_by(call_jobs.c.id)
            .with_for_update(of=call_jobs)
        )
        for row in connection.execute(query):
            found.setdefault(row.phone, []).append(
                PhoneJob(
                    row.id,
                    row.sync,
                    JobState(row.state),
                    from_ms(row.created_at),
                    row.reason,
                    row.generation,
                    row.call_job_id,
                    row.batch_id,
                    None if row.first_sent_at is None else from_ms(row.first_sent_at),
                    None if row.last_sent_at is None else from_ms(row.last_sent_at),
                )
            )
    return found


def _apply(
    connection: Connection,
    campaign: str,
    phone: int,
    judged: SortedOut,
    calls: Mapping[str, JobReport],
    by: By,
) -> Counter[str]:
    counts: Counter[str] = Counter()
    if judged.adopts is not None:
        job = judged.adopts
        (id_,) = calls
        adopt_parked(
            connection,
            (job.id, job.sync),
            id_,
            campaign=campaign,
            batch_id=job.batch_id,
            next_report_at=from_ms(by.at_ms),
            why=_FOUND_LATER,
            by=by,
        )
        counts["adopted"] = 1
    for job in judged.held_back:
        end_waiting(connection, campaign, (job.id, job.sync), job.state, by)
    if judged.owner is not None:
        job = judged.owner
        owner = ReportedJob(job.id, job.sync, job.batch_id, JobState.DUPLICATE, phone)
        kept = attach(connection, campaign, [(owner, report) for report in calls.values()], by)
        counts["found"] = 0 if judged.held_back else kept
    news = keep_unknown(
        connection, campaign, [calls[call.id] for call in judged.unknown], to_lead=True, by=by
    )
    counts.update(held_back=len(judged.held_back), unknown_calls=len(news))
    counts["second_calls"] = len(news) if judged.second else 0
    return +counts
