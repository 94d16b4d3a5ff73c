"""One campaign: its jobs by ID, by phone and by time.

Owns the indexes that reports are read from. Job IDs grow, and `created`, `closed`, `dialled` and
`ended` are in order of time, so that a page of any of them is found by bisection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from syncd.sandbox.dialer import Dialer
from syncd.sandbox.jobs import ON_RETRY, Attempt, Job
from syncd.sandbox.knobs import IdOrder
from syncd.sandbox.validate import Draft

FIRST_JOB_ID = 5_665_334_669
JOB_ID_STEP = 2
CAMPAIGN_ID_SPAN = 10_000_000_000
"""Each campaign counts in its own range, so that one campaign's calls never move another's IDs."""
FIRST_CAMPAIGN_ID = 1001


class SandboxCampaign:
    """What one token opens."""

    def __init__(self, index: int, token: str, *, lines: int, seed: int, now_ms: int) -> None:
        self.index = index
        self.id = FIRST_CAMPAIGN_ID + index
        self.token = token
        self.lines = lines
        self.made_ms = now_ms
        self.dialer = Dialer(self, lines=lines, seed=seed, now_ms=now_ms)
        self.jobs: dict[int, Job] = {}
        self.open: dict[int, Job] = {}
        self.created: list[Job] = []
        self.closed: list[Job] = []
        self.dialled: list[Attempt] = []
        self.ended: list[Attempt] = []
        self.talked_s = 0
        self.on_retry = 0
        self._latest: dict[str, Job] = {}
        self._next_id = FIRST_JOB_ID + index * CAMPAIGN_ID_SPAN

    @property
    def status(self) -> str:
        """new, planned, inProcess, paused or finished."""
        if self.dialer.stopped:
            return "finished"
        if self.dialer.paused:
            return "paused"
        if not self.created:
            return "new"
        return "inProcess" if self.dialled else "planned"

    # --- jobs -----------------------------------------------------------------------------------

    def make(
        self,
        draft: Draft,
        now_ms: int,
        key: str | None = None,
        *,
        test: bool = False,
        operator: bool = False,
    ) -> Job:
        """A new job of the API, or one that an operator made by hand, given to the dialer."""
        job = Job(self._next_id, draft.phone, draft.payload, draft.settings, now_ms)
        job.key = key
        job.test = test
        job.operator = operator
        self._keep(job)
        self.dialer.add(job, now_ms)
        return job

    def redial(self, job: Job, now_ms: int) -> Job:
        """The job of a call-back that the script asked for; the dialer decides when it is due."""
        again = Job(self._next_id, job.phone, job.payload, job.settings, now_ms)
        again.redial = (job.redial or 0) + 1
        again.test = job.test
        again.operator = job.operator
        self._keep(again)
        return again

    def of_phone(self, phone: str) -> Iterator[Job]:
        """All jobs of a phone, the newest first."""
        job = self._latest.get(phone)
        while job is not None:
            yield job
            job = job.older

    def is_duplicate(self, draft: Draft, since_ms: int) -> bool:
        """The 24 h rule: same phone, settings and payload, or the same phone twice without payload.

        Jobs made until `since_ms`, of test/addPhone, of call-backs and of operators do not count.
        """
        if draft.phone not in self._latest:
            return False
        for job in self.of_phone(draft.phone):
            if job.created_ms <= since_ms:
                return False
            if not job.counts or job.payload != draft.payload:
                continue
            if draft.payload is None or job.settings.canonical == draft.settings.canonical:
                return True
        return False

    def move(self, job: Job, status: str) -> None:
        """A change between open states."""
        self.on_retry += (status == ON_RETRY) - (job.status == ON_RETRY)
        job.status = status

    def close(self, job: Job, status: str, at_ms: int) -> None:
        """A final state."""
        self.move(job, status)
        job.finished_ms = at_ms
        del self.open[job.id]
        self.closed.append(job)

    def count_call(self, attempt: Attempt) -> None:
        """Notes the end of a call."""
        self.ended.append(attempt)
        if attempt.outcome.tag is not None:
            self.talked_s += attempt.outcome.duration_s

    def next_call(self) -> int:
        """The number of the next call in the ground truth, from 1."""
        return len(self.dialled) + 1

    def _keep(self, job: Job) -> None:
        self._next_id += JOB_ID_STEP
        job.older = self._latest.get(job.phone)
        self._latest[job.phone] = job
        self.jobs[job.id] = job
        self.open[job.id] = job
        self.created.append(job)

    # --- information ----------------------------------------------------------------------------

    def info(self) -> dict[str, object]:
        """The campaign information. Source: Calls API, Campaign information."""
        first = self.created[0].created_ms if self.created else None
        end = self.closed[-1].finished_ms if self.dialer.stopped and self.closed else None
        return {
            "id": self.id,
            "name": f"Sandbox campaign {self.id}",
            "projectName": "sandbox",
            "creationDate": self.made_ms,
            "botId": f"{self.id}-sandbox-bot",
            "status": self.status,
            "startTime": first,
            "endTime": end,
            "maxSimultaneousCalls": self.lines,
            "shortReport": {
                "totalNumbers": len(self.created),
                "processedNumbers": len(self.closed),
                "usedTalkingTime": self.talked_s,
                "usedAsrSeconds": self.talked_s // 2,
                "inProcessCalls": self.dialer.calls_in_progress,
                "retryCalls": self.on_retry,
            },
        }


def ordered_ids(jobs: Sequence[Job], order: IdOrder, seed: int) -> list[str]:
    """The IDs of new jobs as the answer lists them; shuffled, but always alike for one seed."""
    ids = [str(job.id) for job in jobs]
    if order == "reversed":
        ids.reverse()
    elif order == "shuffled":
        ids.sort(key=lambda id_: blake2b(f"{seed}:{id_}".encode(), digest_size=8).digest())
    return ids
