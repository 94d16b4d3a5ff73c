"""What the vendor says about calls: reports as values, and whether a call job is still open.

Owns the shapes and that one judgement. Must never parse JSON (campaign/wire.py does), read a clock
or drop what it does not know: `raw` is the whole row as the vendor gave it.

Source: Calls API, "Reports". Field names are the vendor's in snake case; times are aware UTC,
`call_duration` is in seconds. A field that is absent, null or of another type is None here and
stands in `raw` as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime

#: No end yet: planned, being called, or waiting for another attempt.
OPEN_STATUSES = frozenset({"planned", "inProcess", "onRetry"})

#: E.164 has 15; more is no phone, and no database's number.
PHONE_DIGITS_MAX = 15

#: The end of a call job. The vendor's `unknown` is not here: it says nothing about an end.
CLOSED_STATUSES = frozenset(
    {
        "longCallWithResult",
        "longCallWithNoResult",
        "noAnswer",
        "nonexistentNumber",
        "notDone",
        "canceled",
        "cancelledByUser",
        "technicalError",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """The state of one call job. `redial_number` is None on the first, then 1, 2 …."""

    call_job_id: str
    phone: str | None = field(default=None, repr=False)
    job_status: str | None = None
    attempts_count: int | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    call_duration: float | None = None
    redial_number: int | None = None
    call_result: str | None = None
    tag_name: str | None = None
    tag_payload: object = field(default=None, repr=False)
    report_data: object = field(default=None, repr=False)
    raw: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptReport:
    """One attempt of a call job. `call_result` is free text that the call script sets."""

    call_job_id: str
    phone: str | None = field(default=None, repr=False)
    attempt_number: int | None = None
    job_status: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    call_duration: float | None = None
    redial_number: int | None = None
    call_result: str | None = None
    tag_name: str | None = None
    tag_payload: object = field(default=None, repr=False)
    report_data: object = field(default=None, repr=False)
    raw: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortReport:
    """The campaign's own counters; `used_talking_time` in the vendor's unit."""

    total_numbers: int | None = None
    processed_numbers: int | None = None
    used_talking_time: int | None = None
    used_asr_seconds: int | None = None
    in_process_calls: int | None = None
    retry_calls: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignInfo:
    """The campaign as the vendor describes it. `status` is kept as it came."""

    id: str | None = None
    name: str | None = None
    project_name: str | None = None
    bot_id: str | None = None
    status: str | None = None
    creation_date: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    max_simultaneous_calls: int | None = None
    short_report: ShortReport = ShortReport()
    raw: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateFilter:
    """Which reports to list. Job reports know created and finished, attempts started and finished.

    Whether the vendor counts the ends in is not published: ask for overlapping ranges.
    """

    created_from: datetime | None = None
    created_to: datetime | None = None
    started_from: datetime | None = None
    started_to: datetime | None = None
    finished_from: datetime | None = None
    finished_to: datetime | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            at: datetime | None = getattr(self, each.name)
            assert at is None or at.tzinfo is not None, f"{each.name} is naive: it has no instant"


def is_open(report: JobReport | AttemptReport) -> bool:
    """Whether the call job may still change.

    A status that was never heard of, or none, is open until `finished_at` is set.
    """
    if report.job_status in OPEN_STATUSES:
        return True
    if report.job_status in CLOSED_STATUSES:
        return False
    return report.finished_at is None


def is_redial(report: JobReport) -> bool:
    """Whether the report is of a call-back that the script asked for: a job of the vendor's own."""
    return bool(report.redial_number)


def phone_of(report: JobReport | AttemptReport) -> int | None:
    """The phone as a number; None for anything that no phone can be."""
    text = report.phone or ""
    return (
        int(text) if text.isascii() and text.isdigit() and len(text) <= PHONE_DIGITS_MAX else None
    )
