"""One value, one row of the vendor's JSON: to a time, a count, a report.

Owns field names and forms of time. Must never drop a field that it does not know: reports keep the
whole row in `raw`. A known field of another type than the contract's is None, and stands in `raw`.

Source: Calls API, "Reports". Times are seen as Unix milliseconds and specified as ISO 8601.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.core.report import AttemptReport, CampaignInfo, JobReport, ShortReport

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MENDED = "\N{REPLACEMENT CHARACTER}"
_MS_DIGITS_MAX = 17  # more than the year 9999 needs; int() of more digits costs time


class Unreadable(Exception):
    """The body is not what the contract says; the text says how, without any value of it."""


def read_time(value: object) -> datetime | None:
    """Unix milliseconds, as a number or digits, or ISO 8601 (no zone: UTC). Else None."""
    if isinstance(value, str):
        text = value.strip()
        if not text.removeprefix("-").isdecimal():
            return _read_iso(text)
        if len(text) > _MS_DIGITS_MAX:
            return None
        value = int(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        return None


def _read_iso(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _is_finite(value: float) -> bool:
    """Whether it is a number that a float can hold; JSON may give integers of any length."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def text(value: object) -> str | None:
    """A text, or an integer as its digits; else None. A NUL, which no database takes, is mended."""
    if isinstance(value, str):
        return value.replace("\0", _MENDED)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: object) -> float | None:
    """A finite number as it is; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if _is_finite(value) else None


def count(value: object) -> int | None:
    """A whole number; else None."""
    given = number(value)
    return int(given) if given is not None and given == int(given) else None


def _any(value: object) -> object:
    return value


def kind(value: object) -> str:
    """What a value is, for a message that must not hold the value."""
    if value is None:
        return "null"
    return {dict: "an object", list: "a list", str: "a text", bool: "true or false"}.get(
        type(value), "a number"
    )


_Reader = Callable[[object], object]

_CALL_FIELDS: Mapping[str, tuple[str, _Reader]] = {
    "phone": ("phone", text),
    "jobStatus": ("job_status", text),
    "startedAt": ("started_at", read_time),
    "finishedAt": ("finished_at", read_time),
    "callDuration": ("call_duration", number),
    "redialNumber": ("redial_number", count),
    "callResult": ("call_result", text),
    "tagName": ("tag_name", text),
    "tagPayload": ("tag_payload", _any),
    "reportData": ("report_data", _any),
}
_JOB_FIELDS: Mapping[str, tuple[str, _Reader]] = {
    **_CALL_FIELDS,
    "attemptsCount": ("attempts_count", count),
    "createdAt": ("created_at", read_time),
}
_ATTEMPT_FIELDS: Mapping[str, tuple[str, _Reader]] = {
    **_CALL_FIELDS,
    "attemptNumber": ("attempt_number", count),
}
_INFO_FIELDS: Mapping[str, tuple[str, _Reader]] = {
    "id": ("id", text),
    "name": ("name", text),
    "projectName": ("project_name", text),
    "botId": ("bot_id", text),
    "status": ("status", text),
    "creationDate": ("creation_date", read_time),
    "startTime": ("start_time", read_time),
    "endTime": ("end_time", read_time),
    "maxSimultaneousCalls": ("max_simultaneous_calls", count),
}
_SHORT_FIELDS: Mapping[str, tuple[str, _Reader]] = {
    "totalNumbers": ("total_numbers", count),
    "processedNumbers": ("processed_numbers", count),
    "usedTalkingTime": ("used_talking_time", count),
    "usedAsrSeconds": ("used_asr_seconds", count),
    "inProcessCalls": ("in_process_calls", count),
    "retryCalls": ("retry_calls", count),
}


def _fields(
    row: Mapping[str, object], readers: Mapping[str, tuple[str, _Reader]]
) -> dict[str, Any]:
    return {ours: read(row.get(theirs)) for theirs, (ours, read) in readers.items()}


def job_report(row: Mapping[str, object], job_id: str) -> JobReport:
    """A row of `callJob/getReport` and its paged likes."""
    return JobReport(call_job_id=job_id, **_fields(row, _JOB_FIELDS), raw=row)


def attempt_report(row: Mapping[str, object], job_id: str) -> AttemptReport:
    """A row of `callAttempt/getReport` and its paged like."""
    return AttemptReport(call_job_id=job_id, **_fields(row, _ATTEMPT_FIELDS), raw=row)


def campaign_info(row: Mapping[str, object]) -> CampaignInfo:
    """The campaign information; every field may be absent."""
    short = row.get("shortReport")
    counters = _fields(short, _SHORT_FIELDS) if isinstance(short, dict) else {}
    return CampaignInfo(**_fields(row, _INFO_FIELDS), short_report=ShortReport(**counters), raw=row)
