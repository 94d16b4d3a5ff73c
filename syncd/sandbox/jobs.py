"""Call jobs and their attempts, and the reports that the vendor gives of them.

Owns the shapes of reports. Times are Unix milliseconds as JSON numbers.
"""

from __future__ import annotations

from typing import Final

from syncd.sandbox.outcomes import Outcome
from syncd.sandbox.settings import JobSettings
from syncd.sandbox.windows import Hours

PLANNED: Final = "planned"
IN_PROCESS: Final = "inProcess"
ON_RETRY: Final = "onRetry"
NOT_DONE: Final = "notDone"
CANCELED: Final = "canceled"


class Job:
    """One intention to call one number."""

    __slots__ = (
        "attempts",
        "cancelled",
        "created_ms",
        "finished_ms",
        "hours",
        "id",
        "key",
        "older",
        "operator",
        "payload",
        "phone",
        "redial",
        "settings",
        "status",
        "test",
    )

    def __init__(
        self, id_: int, phone: str, payload: str | None, settings: JobSettings, created_ms: int
    ) -> None:
        self.id = id_
        self.phone = phone
        self.payload = payload
        self.settings = settings
        self.created_ms = created_ms
        self.hours: Hours = settings.hours(phone)
        self.status = PLANNED
        self.attempts: tuple[Attempt, ...] = ()
        self.finished_ms: int | None = None
        self.redial: int | None = None
        self.cancelled = False  # asked for while a call was in progress
        self.test = False
        self.operator = False  # a person at the vendor made it by hand
        self.key: str | None = None
        self.older: Job | None = None  # the job of the same phone that was added before

    @property
    def counts(self) -> bool:
        """Whether it is an ordinary job of the API: no test, no call-back, nothing by hand."""
        return not self.test and self.redial is None and not self.operator

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of the last attempt that ended."""
        ended = [attempt.outcome for attempt in self.attempts if attempt.ended]
        return ended[-1] if ended else None

    def report(self) -> dict[str, object]:
        """A job report. Source: Calls API, Reports."""
        last = self.outcome
        report: dict[str, object] = {
            "attemptsCount": len(self.attempts),
            "callDuration": last.duration_s if last and _talked(last) else 0,
            "callJobId": str(self.id),
            "createdAt": self.created_ms,
            "finishedAt": self.finished_ms,
            "jobStatus": self.status,
            "phone": self.phone,
            "redialNumber": self.redial,
            "reportData": last.data if last else None,
            "tagName": last.tag if last else None,
            "tagPayload": None,
        }
        if self.attempts:
            report["startedAt"] = self.attempts[0].started_ms
            report["callResult"] = last.result if last else None
        return report


class Attempt:
    """One dialled call. `inside` is judged when it is dialled, by the wall clock of the zone."""

    __slots__ = ("ended", "ended_ms", "inside", "job", "number", "outcome", "seq", "started_ms")

    def __init__(self, job: Job, seq: int, started_ms: int, outcome: Outcome) -> None:
        self.job = job
        self.seq = seq
        self.number = len(job.attempts) + 1
        self.started_ms = started_ms
        self.outcome = outcome
        self.ended = False
        self.ended_ms = started_ms + outcome.duration_s * 1000
        self.inside = job.hours.inside(started_ms)

    def report(self) -> dict[str, object]:
        """An attempt report. Source: Calls API, Reports."""
        end = self.outcome if self.ended else None
        return {
            "attemptNumber": self.number,
            "callDuration": end.duration_s if end and _talked(end) else 0,
            "callJobId": str(self.job.id),
            "callResult": end.result if end else None,
            "finishedAt": self.ended_ms if end else None,
            "jobStatus": end.status if end else IN_PROCESS,
            "phone": self.job.phone,
            "redialNumber": self.job.redial,
            "reportData": end.data if end else None,
            "startedAt": self.started_ms,
            "tagName": end.tag if end else None,
            "tagPayload": None,
        }


def _talked(outcome: Outcome) -> bool:
    return outcome.tag is not None
