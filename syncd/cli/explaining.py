"""The material of `syncd explain`: a lead's history as plain data.

`body` and `raw` are JSON as text, letter by letter as it was sent or came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from syncd.app import App
from syncd.cli.finding import phones_of
from syncd.cli.job_hours import item_of, window_data
from syncd.cli.list_view import rejection_data
from syncd.clock import from_ms
from syncd.config.settings import Settings
from syncd.core import zone
from syncd.core.masking import mask_phone
from syncd.ledger.history import JobHistory, LeadHistory
from syncd.ledger.views import RejectionRow

#: A phone that is no lead may stand in a few rejections; of more, the rest is not shown.
REJECTIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a key or a phone led to."""

    asked: str
    as_what: str | None  #: "key", "phone", or None when there is no such lead
    leads: list[dict[str, Any]]
    rejections: list[dict[str, Any]]
    #: the rejections are only known to have a phone of the same mask
    perhaps: bool = False
    #: a valid phone was asked for, and nothing is known of it
    strange: bool = False


def look_up(asked: str, app: App) -> Explanation:
    """The leads with this key, else with this phone; else rejections that may be meant."""
    now = app.tools.clock.now()
    by_key = [_lead(one, app.settings, now) for one in app.ledger.history(key=asked)]
    rejected = _rejections(app.ledger.rejections(key=asked, limit=REJECTIONS_MAX))
    if by_key or rejected:
        return Explanation(asked, "key" if by_key else None, by_key, rejected)
    phones = phones_of(asked, app.settings)
    histories = (one for phone in phones for one in app.ledger.history(phone=phone))
    by_phone = [_lead(one, app.settings, now) for one in histories]
    if by_phone:
        return Explanation(asked, "phone", by_phone, [])
    if not any(one.isdecimal() for one in asked):
        return Explanation(asked, None, [], [])
    masks = {mask_phone(asked), *(mask_phone(phone) for phone in phones)}
    alike = _rejections(app.ledger.rejections(masks=masks, limit=REJECTIONS_MAX))
    return Explanation(asked, None, [], alike, perhaps=bool(alike), strange=bool(phones))


def _rejections(rows: Iterable[RejectionRow]) -> list[dict[str, Any]]:
    return [rejection_data(row) for row in rows]


def _lead(history: LeadHistory, settings: Settings, now: datetime) -> dict[str, Any]:
    lead = history.lead
    sync = settings.syncs.get(lead["sync"])
    spec = None if sync is None else sync.map.to_spec()
    return {
        "sync": lead["sync"],
        "key": lead["key"],
        "origin": lead["origin"],
        "line": lead["line"],
        "seen_at": from_ms(lead["seen_at"]),
        "changed_at": _at(lead["changed_at"]),
        "pass_id": lead["pass_id"],
        # As it is now; the body below is what it was when the lead was mapped.
        "mapping": None
        if spec is None
        else {
            "source": settings.syncs[lead["sync"]].source,
            "key": spec.key,
            "phone": spec.phone,
            "default_region": spec.default_region,
            "payload": sorted(spec.payload),
            "fields": sorted(spec.fields),
        },
        "jobs": [_job(one, now) for one in history.jobs],
        "unknown_calls": [
            {
                "campaign": row["campaign"],
                "call_job_id": row["call_job_id"],
                "job_status": row["job_status"],
                "finished_at": _at(row["finished_at"]),
                "noticed_at": _at(row["stored_at"]),
                "raw": row["raw"],
            }
            for row in history.unknown_calls
        ],
    }


def _job(history: JobHistory, now: datetime) -> dict[str, Any]:
    job = history.job
    item = item_of(history)
    return {
        "id": job["id"],
        "campaign": job["campaign"],
        "phone": f"+{job['phone']}",
        "state": job["state"],
        "reason": job["reason"],
        "generation": job["generation"],
        "zone": job["zone"],
        "finish_at": _at(job["finish_at"]),
        "body": item,
        "window": window_data(history, item, now),
        "call_job_id": job["call_job_id"],
        "duplicate_of": history.first,
        "cancellation": _cancellation(history.cancellation),
        "batch": None if history.batch is None else _batch(history.batch),
        "moves": [
            {
                "at": move.at,
                "what": move.what,
                "from": move.from_state,
                "to": move.to_state,
                "why": move.why,
                "actor": move.actor,
                "pass_id": move.pass_id,
            }
            for move in history.moves
        ],
        "reports": [_report(row) for row in history.reports],
        "attempts": [_attempt(row, job["zone"]) for row in history.attempts],
    }


def _cancellation(wish: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if wish is None:
        return None
    return {
        "why": wish["why"],
        "wanted_at": _at(wish["wanted_at"]),
        "asked_at": _at(wish["asked_at"]),
        "answered_at": _at(wish["answered_at"]),
        "answer": wish["answer"],
    }


def _batch(batch: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": batch["id"],
        "key": batch["key"],
        "state": batch["state"],
        "size": batch["size"],
        "body_sha256": batch["body_digest"],
        "sends": batch["sends"],
        "ambiguous_sends": batch["ambiguous"],
        "first_sent_at": _at(batch["first_sent_at"]),
        "last_sent_at": _at(batch["last_sent_at"]),
        "next_at": _at(batch["next_at"]),
        "outcome": batch["outcome"],
    }


def _report(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "call_job_id": row["call_job_id"],
        "redial_number": row["redial_number"],
        "job_status": row["job_status"],
        "call_result": row["call_result"],
        "attempts_count": row["attempts_count"],
        "call_duration_s": row["call_duration_s"],
        "started_at": _at(row["started_at"]),
        "finished_at": _at(row["finished_at"]),
        "stored_at": _at(row["stored_at"]),
        "raw": row["raw"],
    }


def _attempt(row: Mapping[str, Any], zone_text: str | None) -> dict[str, Any]:
    started, finished = _at(row["started_at"]), _at(row["finished_at"])
    return {
        "call_job_id": row["call_job_id"],
        "redial_number": row["redial_number"],
        "attempt_number": row["attempt_number"],
        "job_status": row["job_status"],
        "call_result": row["call_result"],
        "call_duration_s": row["call_duration_s"],
        "started_at": started,
        "started_local": local_text(started, zone_text),
        "finished_at": finished,
        "finished_local": local_text(finished, zone_text),
        "raw": row["raw"],
    }


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


def local_text(at: datetime | None, zone_text: str | None) -> str | None:
    """An instant in the lead's zone as ISO 8601 with its offset, or None without a zone."""
    known = None if zone_text is None else zone.parse(zone_text)
    if at is None or known is None:
        return None
    if isinstance(known, int):
        local = at.astimezone(timezone(timedelta(seconds=known)) if known else UTC)
    else:
        local = at.astimezone(zone.load(known))
    return local.isoformat(timespec="seconds")
