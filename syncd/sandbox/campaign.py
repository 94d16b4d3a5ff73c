"""One campaign: its jobs by ID, by phone, by time, and its key memory.

Owns the indexes that reports are read from. Job IDs grow, and `created`, `closed`, `dialled` and
`ended` are in order of time, so that a page of any of them is found by bisection.
"""

from __future__ import annotations

from collections.abc import Iterator

from syncd.sandbox.dialer import Dialer
from syncd.sandbox.jobs import ON_RETRY, Attempt, Job
from syncd.sandbox.validate import Draft

FIRST_JOB_ID = 5_665_334_669
JOB_ID_STEP = 2
CAMPAIGN_ID_SPAN = 10_000_000_000
"""Each campaign counts in its own range, so that one campaign's calls never move another's IDs."""
FIRST_CAMPAIGN_ID = 1001
KEY_LIFE_MS = 24 * 3600 * 1000
DUPLICATE_LIFE_MS = 24 * 3600 * 1000


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
        self._keys: dict[str, tuple[int, bytes]] = {}
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

    def make(self, draft: Draft, now_ms: int, key: str | None = None, *, test: bool = False) -> Job:
        """A new job of the API, given to the dialer."""
        job = Job(self._next_id, draft.phone, draft.payload, draft.settings, now_ms)
        job.key = key
        job.test = test
        self._keep(job)
        self.dialer.add(job, now_ms)
        return job

    def redial(self, job: Job, now_ms: int) -> Job:
        """The job of a call-back that the script asked for; the dialer decides when it is due."""
        again = Job(self._next_id, job.phone, job.payload, job.settings, now_ms)
        again.redial = (job.redial or 0) + 1
        again.test = job.test
        self._keep(again)
        return again

    def of_phone(self, phone: str) -> Iterator[Job]:
        """All jobs of a phone, the newest first."""
        job = self._latest.get(phone)
        while job is not None:
            yield job
            job = job.older

    def is_duplicate(self, draft: Draft, now_ms: int) -> bool:
        """The 24 h rule: same phone, settings and payload, or the same phone twice without payload.

        Jobs of test/addPhone and of call-backs do not count.
        """
        if draft.phone not in self._latest:
            return False
        for job in self.of_phone(draft.phone):
            if job.created_ms <= now_ms - DUPLICATE_LIFE_MS:
                return False
            if job.test or job.redial is not None or job.payload != draft.payload:
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

    # --- keys -----------------------------------------------------------------------------------

    def remembered(self, key: str | None, now_ms: int) -> bytes | None:
        """The first answer to this key when it was given less than 24 h ago.

        Source: Calls API, Idempotence and duplicates.
        """
        while self._keys:
            oldest = next(iter(self._keys))
            if self._keys[oldest][0] > now_ms - KEY_LIFE_MS:
                break
            del self._keys[oldest]
        found = self._keys.get(key) if key else None
        return found[1] if found else None

    def remember(self, key: str | None, answer: bytes, now_ms: int) -> None:
        """Keeps a successful answer for 24 h; a request without a key is not remembered."""
        if key:
            self._keys[key] = (now_ms, answer)

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
