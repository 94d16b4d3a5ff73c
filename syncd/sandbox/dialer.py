"""The dialer of one campaign: which number is called when, on virtual time.

Owns the queues. It works from event to event, so moving the clock by days costs what the calls
cost; and its result depends on the events only, never on how often or in which steps it is run.
Source: Calls API, How the dialer behaves.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from syncd.sandbox.jobs import CANCELED, IN_PROCESS, NOT_DONE, ON_RETRY, Attempt, Job
from syncd.sandbox.outcomes import NO_ANSWER, outcome
from syncd.sandbox.windows import FOREVER_MS

if TYPE_CHECKING:
    from syncd.sandbox.campaign import SandboxCampaign

DEFAULT_ATTEMPTS = 3
DEFAULT_RETRY_MS = 30 * 60_000
REDIAL_AFTER_MS = 60 * 60_000


class Dialer:
    """Calls the jobs of a campaign, at most `lines` at once."""

    def __init__(self, campaign: SandboxCampaign, *, lines: int, seed: int, now_ms: int) -> None:
        self._campaign = campaign
        self._lines = lines
        self._seed = seed
        self._now_ms = now_ms
        self.paused = False
        self.stopped = False
        # A job that waits is in exactly one of due and ready.
        self._due: list[tuple[int, int, Job]] = []
        self._ready: list[tuple[int, int, bool, int, int, Job]] = []
        self._active: list[tuple[int, int, Attempt]] = []
        self._deadlines: list[tuple[int, int, Job]] = []

    @property
    def calls_in_progress(self) -> int:
        """Calls that were dialled and have not ended."""
        return len(self._active)

    def add(self, job: Job, not_before_ms: int) -> None:
        """Takes a job; its hours are looked at when it is due, not here."""
        heappush(self._due, (not_before_ms, job.id, job))
        if job.hours.finish_ms < FOREVER_MS:
            heappush(self._deadlines, (job.hours.finish_ms, job.id, job))

    def run(self, until_ms: int) -> None:
        """Lets virtual time pass: everything that happens up to and including `until_ms`."""
        while True:
            if self._ready and not (self.paused or self.stopped):
                self._dial()
            next_ms = min(
                self._due[0][0] if self._due else FOREVER_MS,
                self._active[0][0] if self._active else FOREVER_MS,
                self._deadlines[0][0] if self._deadlines else FOREVER_MS,
            )
            if next_ms > until_ms:
                break
            self._now_ms = max(self._now_ms, next_ms)
            self._settle()
        self._now_ms = max(self._now_ms, until_ms)

    def cancel(self, job: Job) -> bool:
        """Cancels an open job; a call in progress is finished. False: there was nothing to cancel.

        Source: Calls API, callJob/cancel.
        """
        if job.finished_ms is not None or job.cancelled:
            return False
        if job.status == IN_PROCESS:
            job.cancelled = True
        else:
            self._campaign.close(job, CANCELED, self._now_ms)
        return True

    def stop(self) -> None:
        """Ends the campaign for good: what was not called ends as notDone."""
        self.stopped = True
        for job in list(self._campaign.open.values()):
            if job.status != IN_PROCESS:
                self._campaign.close(job, NOT_DONE, self._now_ms)

    def _settle(self) -> None:
        """What is due at this instant: first ends of calls, then deadlines, then starts."""
        now_ms = self._now_ms
        while self._active and self._active[0][0] <= now_ms:
            self._end(heappop(self._active)[2])
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            job = heappop(self._deadlines)[2]
            if job.finished_ms is None and job.status != IN_PROCESS:
                status = NO_ANSWER if job.attempts else NOT_DONE
                self._campaign.close(job, status, self._now_ms)
        while self._due and self._due[0][0] <= now_ms:
            job = heappop(self._due)[2]
            if job.finished_ms is None:
                self._place(job)

    def _place(self, job: Job) -> None:
        """Puts an open job where it waits: for its hours to open, or for a free line."""
        span = job.hours.span(self._now_ms)
        if span is None:
            return  # no permitted hour is left, and the finish will end it
        if span.opens_ms > self._now_ms:
            heappush(self._due, (span.opens_ms, job.id, job))
        else:
            settings = job.settings
            # Whose interval ends first goes first, and own parameters go before none.
            entry = (
                settings.priority,
                span.closes_ms,
                not settings.own,
                job.created_ms,
                job.id,
                job,
            )
            heappush(self._ready, entry)

    def _dial(self) -> None:
        """Fills the free lines."""
        now_ms = self._now_ms
        while self._ready and len(self._active) < self._lines:
            _, closes_ms, _, _, _, job = heappop(self._ready)
            if job.finished_ms is not None:
                continue
            if closes_ms <= now_ms:
                self._place(job)
                continue
            how = outcome(self._seed, job.phone, len(job.attempts) + 1, job.redial)
            attempt = Attempt(job, self._campaign.next_call(), now_ms, how)
            job.attempts = (*job.attempts, attempt)
            self._campaign.move(job, IN_PROCESS)
            self._campaign.dialled.append(attempt)
            heappush(self._active, (attempt.ended_ms, attempt.seq, attempt))

    def _end(self, attempt: Attempt) -> None:
        job, end_ms, how = attempt.job, attempt.ended_ms, attempt.outcome
        attempt.ended = True
        self._campaign.count_call(attempt)
        if how.status != NO_ANSWER:
            self._campaign.close(job, how.status, end_ms)
            if how.asks_for_redial and not (self.stopped or job.cancelled):
                self.add(self._campaign.redial(job, end_ms), end_ms + REDIAL_AFTER_MS)
        elif job.cancelled:
            self._campaign.close(job, CANCELED, end_ms)
        elif self.stopped or not self._may_retry(job, end_ms):
            self._campaign.close(job, NO_ANSWER, end_ms)
        else:
            self._campaign.move(job, ON_RETRY)
            heappush(self._due, (end_ms + _retry_ms(job), job.id, job))

    def _may_retry(self, job: Job, end_ms: int) -> bool:
        """Whether an attempt and a permitted hour for it are left."""
        if len(job.attempts) >= (job.settings.max_attempts or DEFAULT_ATTEMPTS):
            return False
        return job.hours.span(end_ms + _retry_ms(job)) is not None


def _retry_ms(job: Job) -> int:
    return job.settings.retry_ms or DEFAULT_RETRY_MS
