"""The vendor's JSON as whole bodies: what our requests say, and what an answer holds.

Must never judge a status code (answers.py does). Anything that cannot be read raises `Unreadable`,
which stays in this room; its text names fields and kinds, never a value.

Source: Calls API, "Methods", "Errors of addPhones" and "Reports".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from syncd.campaign.rows import Unreadable, attempt_report, campaign_info, job_report, kind, text
from syncd.core.report import AttemptReport, CampaignInfo, DateFilter, JobReport
from syncd.errors import VendorFault

_BOM = b"\xef\xbb\xbf"

#: The form of the vendor's types of errors: `phone.gmtZone.bad.format`, `invalid.dialer_priority`.
#: A gateway's own words do not have it: "Bad Request", "about:blank", "https://…" (RFC 9457).
#: It also keeps phones and tokens out, so that a type may be printed.
_FAULT_TYPE = re.compile(r"(?=.{1,60}$)[A-Za-z](?:[A-Za-z._-]|\d{1,3}(?!\d))*", re.ASCII)
_FAULT_FIELDS = frozenset({"type", "message", "phone", "phonesDuplicates"})


# --- what a request says


def ask_for(*, ids: Sequence[str], phones: Sequence[int | str]) -> bytes:
    """The body of getReport and cancel: either list, or both."""
    body: dict[str, list[str]] = {}
    if ids:
        body["ids"] = [str(each) for each in ids]
    if phones:
        body["phones"] = [str(each) for each in phones]
    return orjson.dumps(body)


def ask_page(*, page: int, page_size: int) -> bytes:
    """The body of getUnfinished."""
    return orjson.dumps({"page": page, "pageSize": page_size})


def ask_by_date(dates: DateFilter, *, page: int, page_size: int) -> bytes:
    """The body of getReportByDate; times as ISO 8601 in UTC, in milliseconds."""
    ends = {
        "createdAtFrom": dates.created_from,
        "createdAtTo": dates.created_to,
        "startedAtFrom": dates.started_from,
        "startedAtTo": dates.started_to,
        "finishedAtFrom": dates.finished_from,
        "finishedAtTo": dates.finished_to,
    }
    chosen = {name: _iso(at) for name, at in ends.items() if at is not None}
    return orjson.dumps({"filter": chosen, "pagination": {"page": page, "pageSize": page_size}})


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- what an answer holds


#: 50 for each of the 10,000 reports that fit in a body. A limit in bytes does not bound memory by
#: itself: 8 MiB of "[]," became 240 MB of empty lists.
VALUES_MAX = 500_000


def read_json(body: bytes) -> object:
    """Any JSON value; raises Unreadable on an empty, cut or other body (HTML, say)."""
    body = body.removeprefix(_BOM)
    if not body.strip():
        raise Unreadable("empty")
    # Each value but the first comes after one of these, so that so many are the most there can be.
    if body.count(b",") + body.count(b"[") + body.count(b"{") > VALUES_MAX:
        raise Unreadable(f"more than {VALUES_MAX:,} values")
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        if body.lstrip()[:1] == b"<":
            raise Unreadable("HTML") from None
        value = _read_mended(body)
    return value


def _read_mended(body: bytes) -> object:
    """JSON with half an emoji in it: call scripts cut texts, and one must not block all reports."""
    try:
        return _mended(json.loads(body.decode("utf-8", "replace"), parse_constant=_no_number))
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None


def _mended(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_mended(each) for each in value]
        case dict():
            return {_mended(name): _mended(each) for name, each in value.items()}
        case _:
            return value


def _no_number(name: str) -> object:
    raise ValueError(name)


#: No batch of ours is a tenth as long: an answer with more is nobody's answer to us.
IDS_MAX = 100_000
#: More IDs than jobs are kept, and matched through reports; not any number of them, for each is
#: asked for one day.
IDS_PER_JOB_MAX = 4


def ids_max(body: bytes) -> int:
    """The most IDs that an answer to this addPhones request may hold and still be read."""
    # Each job is an object: there are as many jobs as braces, or fewer.
    return min(IDS_MAX, IDS_PER_JOB_MAX * max(1, body.count(b"{")))


def read_ids(body: bytes, most: int = IDS_MAX) -> list[str]:
    """The IDs of created or cancelled call jobs, as given; of more than `most` none is made."""
    # Counted before they are made: each ID but the first comes after a comma.
    if body.removeprefix(_BOM).lstrip()[:1] == b"[" and body.count(b",") >= most:
        raise Unreadable(f"more than {most:,} IDs")
    value = read_json(body)
    if not isinstance(value, list):
        raise Unreadable(f"{kind(value)} instead of a list of IDs")
    return [_read_id(each) for each in value]


def read_one_id(body: bytes) -> str:
    """The one id that an addPhone method answers with."""
    return _read_id(read_json(body))


def _read_id(value: object) -> str:
    # A float is no id: orjson makes one of an integer beyond 64 bits, and its digits are lost.
    job_id = text(value)
    if not job_id:
        raise Unreadable(f"{kind(value)} instead of an id")
    return job_id


def read_status(body: bytes) -> str:
    """The campaign status, as given."""
    value = read_json(body)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{kind(value)} instead of a status")
    return value


def read_nothing(body: bytes) -> None:
    """The empty answer of a control method: nothing, or any JSON; but no page of a proxy."""
    if body.strip():
        read_json(body)


def read_job_reports(body: bytes) -> list[JobReport]:
    """One report for each call job asked for."""
    return [job_report(row, job_id) for row, job_id in _rows(read_json(body))]


def read_attempt_reports(body: bytes) -> list[AttemptReport]:
    """One report for each attempt of the call jobs asked for."""
    return [attempt_report(row, job_id) for row, job_id in _rows(read_json(body))]


def read_job_page(body: bytes, *, page: int, page_size: int) -> list[JobReport] | None:
    """One page of job reports; None when it is surely another page than the one asked for."""
    items = _page(body, page=page, page_size=page_size)
    return None if items is None else [job_report(row, job_id) for row, job_id in _rows(items)]


def read_attempt_page(body: bytes, *, page: int, page_size: int) -> list[AttemptReport] | None:
    """One page of attempt reports; None when it is surely another page than the one asked for."""
    items = _page(body, page=page, page_size=page_size)
    return None if items is None else [attempt_report(row, job_id) for row, job_id in _rows(items)]


def _page(body: bytes, *, page: int, page_size: int) -> list[object] | None:
    value = read_json(body)
    if not isinstance(value, dict):
        raise Unreadable(f"{kind(value)} instead of a page")
    items = value.get("items")
    if not isinstance(items, list):
        # Not an empty page: that one means "there is no more", and something is decided by it.
        raise Unreadable("a page without items")
    echo = value.get("pagination")
    said = echo if isinstance(echo, dict) else {}
    same = said.get("page", page) == page and said.get("pageSize", page_size) == page_size
    return items if same and len(items) <= page_size else None


def read_info(body: bytes) -> CampaignInfo:
    """The campaign's description; every field may be absent."""
    row = read_json(body)
    if not isinstance(row, dict):
        raise Unreadable(f"{kind(row)} instead of a campaign")
    return campaign_info(row)


def read_fault(body: bytes, *, names: tuple[str, ...] = ("type",)) -> VendorFault | None:
    """The vendor's own error body, or None: its type stands under the first of `names`.

    The methods say {"type", "message", …}; control methods say {"error", "message", "args"}.
    """
    try:
        row = read_json(body)
    except Unreadable:
        return None
    if not isinstance(row, dict):
        return None
    fault = next((row[name] for name in names if isinstance(row.get(name), str)), "")
    if not _FAULT_TYPE.fullmatch(fault):
        return None
    doubles = row.get("phonesDuplicates")
    known = [text(each) for each in doubles] if isinstance(doubles, list) else []
    return VendorFault(
        type=fault,
        message=text(row.get("message")) or "",
        phone=text(row.get("phone")),
        phones_duplicates=tuple(each for each in known if each is not None),
        extra={name: value for name, value in row.items() if name not in _FAULT_FIELDS},
    )


def _rows(value: object) -> list[tuple[dict[str, object], str]]:
    if not isinstance(value, list):
        raise Unreadable(f"{kind(value)} instead of a list of reports")
    rows = []
    for number, each in enumerate(value):
        job_id = text(each.get("callJobId")) if isinstance(each, dict) else None
        if not job_id:
            # Skipping it would lose an outcome in silence: better to ask again, and to say so.
            raise Unreadable(f"row {number} has no callJobId")
        rows.append((each, job_id))
    return rows
