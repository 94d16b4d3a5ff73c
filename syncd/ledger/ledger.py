"""The complete list of verbs that touch the ledger; one verb is one transaction.

Here they stand in the order in which a lead passes through them. Nothing else uses the database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from syncd.core.call_job import JobState
from syncd.core.call_policy import DEFAULT, CallPolicy
from syncd.core.refused_batch import Rest
from syncd.core.report import AttemptReport, JobReport
from syncd.ledger import (
    answers,
    attempts,
    campaign_state,
    cancel,
    claims,
    cursors,
    history,
    intake,
    known,
    open_ends,
    outbox,
    passes,
    refusals,
    reports,
    sealing,
    views,
)
from syncd.ledger.found_calls import FoundCalls
from syncd.ledger.guards import Guards
from syncd.ledger.intake_page import IntakePage, IntakeResult
from syncd.ledger.job_hours import JobHours
from syncd.ledger.leases import Leases
from syncd.ledger.look_ups import LookUps
from syncd.ledger.lost_calls import LostCalls
from syncd.ledger.moves import By
from syncd.ledger.opened import OpenedLedger
from syncd.ledger.outbox import ClaimedBatch
from syncd.ledger.parked import Parked
from syncd.ledger.privacy import Privacy
from syncd.ledger.retries import Retries
from syncd.ledger.sealing import Within
from syncd.ledger.slices import Slices
from syncd.ledger.store import Store
from syncd.ledger.sweeps import Sweeps
from syncd.ledger.withdraw_verbs import Withdrawals


class Ledger(OpenedLedger):
    """Every verb of an opened ledger."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.found_calls = FoundCalls(store)  #: calls that the vendor had from elsewhere
        self.brake = campaign_state.Brake(store)  #: how a campaign is left alone, and let go again
        self.privacy = Privacy(store, self.id)  #: erase a person, purge what is old
        self.guards = Guards(store)  #: what is held before a person has agreed
        self.withdrawals = Withdrawals(store)  #: calls that must not be made, and their lists
        self.parked = Parked(store)  #: what only a person can decide
        self.retries = Retries(store)  #: what ended without a call, and goes again
        self.lost_calls = LostCalls(store)  #: what a restore forgot
        self.look_ups = LookUps(store)  #: what the reports tell of a doubt
        self.slices = Slices(store)  #: what goes on by itself, slice after slice
        self.sweeps = Sweeps(store)  #: the vendor's calls compared with ours
        self.job_hours = JobHours(store)  #: when open jobs may be called
        self.leases = Leases(store)  #: who works on it, and who holds what

    # poll
    def position(self, sync: str) -> cursors.SyncPosition:
        """How far a sync was read, and under which mapping."""
        return cursors.position(self._store, sync)

    def known_leads(
        self, sync: str, keys: Sequence[str], *, wide: bool = False
    ) -> dict[str, known.KnownLead]:
        """Which of these keys are leads already."""
        return known.known_leads(self._store, sync, keys, wide=wide)

    def taken_phones(
        self, campaign: str, phones: Sequence[int], policy: CallPolicy = DEFAULT, *, now_ms: int = 0
    ) -> set[int]:
        """Which of these phones have a call already that counts."""
        return intake.taken_phones(self._store, campaign, phones, policy, now_ms=now_ms)

    def store_page(self, page: IntakePage, *, by: By) -> IntakeResult:
        """Tx A. Leads, jobs ("" to staged, held or duplicate), rejections and the cursor."""
        return intake.store_page(self._store, self.id, page, by=by)

    def finish_poll(self, sync: str, mapping_digest: str, *, by: By) -> None:
        """The source was read to its end under this mapping."""
        cursors.finish_poll(self._store, sync, mapping_digest, by=by)

    # submit
    def seal_batch(
        self, campaign: str, *, phones_max: int, within: Within | None = None, now: datetime, by: By
    ) -> ClaimedBatch | None:
        """Tx B. Staged to sealed: a body and a key that never change, claimed by the caller."""
        return sealing.seal_batch(
            self._store, self.id, campaign, phones_max=phones_max, within=within, now=now, by=by
        )

    def mark_sent(self, batch: ClaimedBatch, *, endpoint: str, now: datetime, by: By) -> bool:
        """Tx B'. Sealed or sent to sent, before the first byte; False: overtaken, do not send."""
        marked = outbox.mark_sent(self._store, batch, endpoint=endpoint, now=now, by=by)
        return marked and self.witness.note_sending(now)

    def record_answer(
        self, batch: ClaimedBatch, ids: Sequence[str], *, next_report_at: datetime, by: By
    ) -> answers.AnswerStored:
        """Tx C. Sent to answered; jobs to accepted where position tells whose ID is whose."""
        return answers.record_answer(self._store, batch, ids, next_report_at=next_report_at, by=by)

    def record_refusal(
        self,
        batch: ClaimedBatch,
        *,
        why: str,
        guilty: Mapping[int, JobState] = refusals.NOBODY,
        rest: Rest = Rest.AGAIN,
        by: By,
    ) -> refusals.RefusalStored | None:
        """Tx C. Sent to refused, only when no sending was ambiguous; jobs end or go again."""
        return refusals.record_refusal(self._store, batch, why=why, guilty=guilty, rest=rest, by=by)

    def record_no_answer(
        self, batch: ClaimedBatch, *, in_doubt: bool, outcome: str, next_at: datetime
    ) -> bool:
        """Sent stays sent: the doubt, and when to ask again."""
        return outbox.record_no_answer(
            self._store, batch, in_doubt=in_doubt, outcome=outcome, next_at=next_at
        )

    # reconcile
    def claim_open_batch(
        self, campaign: str, *, after_id: int, now: datetime, holder: str | None = None
    ) -> ClaimedBatch | None:
        """Claim a sealed or sent batch that nobody alive holds, with a new epoch."""
        return claims.claim_open_batch(
            self._store, campaign, after_id=after_id, now=now, holder=holder
        )

    def let_go(
        self, batch: ClaimedBatch, *, next_at: datetime | None, clock_doubted: bool = False
    ) -> None:
        """Give a claim back without having sent."""
        claims.let_go(self._store, batch, next_at=next_at, clock_doubted=clock_doubted)

    def free_claims(self) -> None:
        """Forget claims of dead processes; only for the sole owner of an SQLite ledger."""
        claims.free_claims(self._store)

    def unmatched_batches(self, campaign: str) -> list[answers.Unmatched]:
        """Answered batches whose IDs wait to be matched through reports."""
        return answers.unmatched_batches(self._store, campaign)

    def match_answer(
        self,
        campaign: str,
        batch_id: int,
        phones: Mapping[int, str],
        *,
        every_id: bool = True,
        by: By,
    ) -> answers.Matched:
        """Sealed to accepted, duplicate or parked, by the phones of the answered IDs."""
        return answers.match_answer(
            self._store, campaign, batch_id, phones, every_id=every_id, by=by
        )

    # pull_reports
    def batches_due(self, campaign: str, *, now: datetime, limit: int) -> list[reports.BatchDue]:
        """Batches with open jobs that are due to be asked for."""
        return reports.batches_due(self._store, campaign, now=now, limit=limit)

    def open_call_job_ids(self, batch_id: int) -> list[str]:
        """Vendor IDs of a batch's open jobs."""
        return reports.open_call_job_ids(self._store, batch_id)

    def batch_asked(self, batch_id: int, *, next_report_at: datetime) -> None:
        """Not to be asked for again before then."""
        reports.batch_asked(self._store, batch_id, next_report_at=next_report_at)

    def store_reports(
        self, campaign: str, found: Sequence[JobReport], *, by: By
    ) -> reports.ReportCounts:
        """Keep reports; accepted to closed where one says so."""
        return reports.store_reports(self._store, campaign, found, by=by)

    def mismatched(self, campaign: str) -> int:
        """How many accepted jobs have an ID whose report names another phone."""
        return reports.mismatched(self._store, campaign)

    def attempts_due(self, campaign: str, *, limit: int) -> list[str]:
        """Vendor IDs with attempts that were not asked for yet."""
        return attempts.attempts_due(self._store, campaign, limit=limit)

    def store_attempts(
        self, campaign: str, asked: Sequence[str], found: Sequence[AttemptReport], *, by: By
    ) -> attempts.AttemptCounts:
        """Keep attempt reports of the IDs that were asked for, but none of another phone."""
        return attempts.store_attempts(self._store, campaign, asked, found, by=by)

    def walked_to(self, campaign: str) -> datetime | None:
        """Up to which `finishedAt` reports were walked by date."""
        return reports.walked_to(self._store, campaign)

    def set_walked_to(self, campaign: str, at: datetime) -> None:
        """Keep how far reports were walked by date."""
        reports.set_walked_to(self._store, campaign, at)

    def first_open_at(self, campaign: str) -> datetime | None:
        """When the oldest batch with open jobs was first sent."""
        return reports.first_open_at(self._store, campaign)

    # campaigns, and cancel
    def campaign_state(self, campaign: str) -> campaign_state.CampaignState:
        """Halted or not, and until when to wait."""
        return campaign_state.campaign_state(self._store, campaign)

    def halt(self, campaign: str, reason: str, *, by: By) -> bool:
        """Sending to halted; whether this is news."""
        return campaign_state.halt(self._store, campaign, reason, by=by)

    def resume_sending(self, campaign: str, *, by: By) -> None:
        """Halted to sending."""
        campaign_state.resume_sending(self._store, campaign, by=by)

    def wait_until(self, campaign: str, at: datetime) -> None:
        """Send nothing to the campaign before then."""
        campaign_state.wait_until(self._store, campaign, at)

    def cancellable(
        self, *, key: str | None = None, phone: int | None = None, sync: str | None = None
    ) -> list[cancel.Cancellable]:
        """Jobs that a cancel would end: held and staged here, accepted at the vendor."""
        return cancel.cancellable(self._store, key=key, phone=phone, sync=sync)

    def cancel_unsent(self, job_ids: Sequence[int], *, why: str, by: By) -> int:
        """Held or staged to cancelled; how many were still unsent."""
        return cancel.cancel_unsent(self._store, job_ids, why=why, by=by)

    def note_cancel(self, job_ids: Sequence[int], *, why: str, by: By) -> None:
        """Journal that the vendor was asked to cancel accepted jobs."""
        cancel.note_cancel(self._store, job_ids, why=why, by=by)

    def begin_pass(self, kind: str, target: str, *, now: datetime) -> int:
        """Note that a pass begins; its ID goes into the journal."""
        return passes.begin_pass(self._store, kind, target, now=now)

    def finish_pass(
        self, pass_id: int, *, outcome: str, counts: Mapping[str, int], now: datetime
    ) -> bool:
        """Note how a pass ended; whether it did nothing."""
        return passes.finish_pass(self._store, pass_id, outcome=outcome, counts=counts, now=now)

    def last_passes(self) -> list[passes.PassRow]:
        """The newest pass of each kind and target."""
        return passes.last_passes(self._store)

    def counts(self) -> views.Counts:
        """Kept counts of jobs and rejections."""
        return views.counts(self._store)

    def campaign_view(
        self, campaign: str, *, sent_before: datetime | None = None, endpoint: str | None = None
    ) -> open_ends.CampaignView:
        """What is open at one campaign, and how much of it can never be sent again."""
        return open_ends.campaign_view(
            self._store, campaign, sent_before=sent_before, endpoint=endpoint
        )

    def outcomes(self, campaign: str) -> dict[tuple[str, str | None], int]:
        """Reports counted by status and call result."""
        return views.outcomes(self._store, campaign)

    def leads(self, where: views.LeadFilter, *, limit: int | None) -> Iterator[views.LeadRow]:
        """Leads with state and outcome, streamed."""
        return views.iter_leads(self._store, where, limit=limit)

    def rejections(
        self,
        *,
        sync: str | None = None,
        key: str | None = None,
        masks: Collection[str] | None = None,
        limit: int | None,
    ) -> Iterator[views.RejectionRow]:
        """Unsettled rejections of this sync, this key, one of these masks, streamed."""
        return views.iter_rejections(self._store, sync=sync, key=key, masks=masks, limit=limit)

    def history(
        self, *, key: str | None = None, phone: int | None = None
    ) -> list[history.LeadHistory]:
        """Everything of the leads with this key or phone."""
        return history.history(self._store, key=key, phone=phone)
