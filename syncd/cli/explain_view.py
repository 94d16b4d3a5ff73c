"""How a lead's story is shown to a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from rich.console import Console

from syncd.cli import common, job_hours_view
from syncd.cli.explaining import Explanation
from syncd.cli.tables import cell, console, fact_table, new_table, time_of
from syncd.core.call_job import ID_OF_ANOTHER_JOB, REPORT_OF_ANOTHER_PHONE, JobState

#: What a state means for the person who asks.
MEANING: Mapping[str, str] = {
    JobState.HELD: "waits for a person or a change; nothing was sent",
    JobState.STAGED: "waits to be sent",
    JobState.SEALED: "is being sent, or was sent without an answer yet",
    JobState.ACCEPTED: "the campaign has it; the call has not ended",
    JobState.CLOSED: "the call job has ended",
    JobState.REFUSED: "the vendor refused it; nobody was called",
    JobState.DUPLICATE: "its phone has a call already",
    JobState.PARKED: "the vendor refused its batch and named nobody; nobody was called",
    JobState.EXPIRED: "its finishDateTime passed before it could be sent",
    JobState.CANCELLED: "withdrawn before it was sent",
}
#: A job that is parked for this reason is not one of a refused batch.
MEANING_OF_ANOTHER_ID = "nobody can know whether it was called: a person has to look"
#: Nor is an accepted job, whose report is not its own, one that simply waits.
MEANING_OF_ANOTHER_PHONE = "the report of its ID names another phone: a person has to look"

_STRANGE = (
    "what would hold for a phone that is no lead: `syncd zones - --phone phone`, and give it a line"
    ' "phone" and a line with the phone'
)


def print_explanation(explanation: Explanation, *, as_json: bool) -> None:
    """Print everything that was found."""
    if as_json:
        common.print_json(
            {
                "asked": explanation.asked,
                "as": explanation.as_what,
                "leads": [as_data(lead) for lead in explanation.leads],
                "rejections": explanation.rejections,
                "perhaps": explanation.perhaps,
            }
        )
        return
    out = console()
    for number, lead in enumerate(explanation.leads):
        if number:
            out.print()
        _print_lead(lead, out)
    if not explanation.leads:
        common.say("there is no such lead")
    if explanation.strange:
        common.say(f"hint: {_STRANGE}")
    if explanation.rejections:
        _print_rejections(explanation, out)


def as_data(lead: Mapping[str, Any]) -> dict[str, Any]:
    """The documented JSON shape: `body` and `raw` become objects, letter by letter."""
    jobs = [
        {
            **job,
            "body": orjson.Fragment(job["body"]),
            **{
                name: [{**row, "raw": orjson.Fragment(row["raw"])} for row in job[name]]
                for name in ("reports", "attempts")
            },
        }
        for job in lead["jobs"]
    ]
    unknown = [{**row, "raw": orjson.Fragment(row["raw"])} for row in lead["unknown_calls"]]
    return {**lead, "jobs": jobs, "unknown_calls": unknown}


def meaning(state: str, reason: str | None) -> str:
    """What the state of a call job means for the person who asks."""
    if state == JobState.PARKED and reason == ID_OF_ANOTHER_JOB:
        return MEANING_OF_ANOTHER_ID
    if state == JobState.ACCEPTED and reason == REPORT_OF_ANOTHER_PHONE:
        return MEANING_OF_ANOTHER_PHONE
    return MEANING.get(state, "")


def _print_lead(lead: Mapping[str, Any], out: Console) -> None:
    mapping = lead["mapping"]
    facts = [
        ("lead", f"{lead['key']} of sync {lead['sync']}"),
        ("from", f"{lead['origin']} line {lead['line']}"),
        ("seen (UTC)", f"{time_of(lead['seen_at'])} by pass {lead['pass_id']}"),
        ("changed (UTC)", time_of(lead["changed_at"])),
    ]
    if mapping is None:
        facts.append(("mapping", "the configuration does not name this sync any more"))
    else:
        region = f", region {mapping['default_region']}" if mapping["default_region"] else ""
        key, phone = (" ".join(mapping[name]) for name in ("key", "phone"))
        facts.append(("mapping", f"key from {key}, phone from {phone}{region}"))
    out.print(fact_table(facts))
    for job in lead["jobs"]:
        _print_job(job, out)
    for row in lead["unknown_calls"]:
        told = (
            f"{cell(row['call_job_id'])} in campaign {row['campaign']}, {cell(row['job_status'])}"
        )
        noticed = f"noticed {time_of(row['noticed_at'])} UTC"
        out.print()
        out.print(f"unknown call {told}, {noticed}: no lead has it", soft_wrap=True)


def _print_job(job: Mapping[str, Any], out: Console) -> None:
    state = f"{job['state']}: {meaning(job['state'], job['reason'])}"
    reason = f" ({job['reason']})" if job["reason"] else ""
    out.print()
    out.print(
        fact_table(
            [
                ("call job", f"{job['phone']} for campaign {job['campaign']}"),
                ("state", state + reason),
                ("zone", job_hours_view.zone_text(job["window"]) or "unknown"),
                *job_hours_view.facts(job["window"]),
                ("vendor's id", job["call_job_id"]),
                ("duplicate of", _first(job["duplicate_of"])),
                *_cancellation_facts(job["cancellation"]),
                *_batch_facts(job["batch"]),
            ]
        )
    )
    batch = job["batch"]
    label = "sent as" if batch is not None and batch["first_sent_at"] else "to send"
    out.print(f"{label}      {job['body']}", soft_wrap=True)
    job_hours_view.print_week(job, out)
    _print_events(job, out)
    _print_outcome(job, out)


def _first(first: Mapping[str, Any] | None) -> str | None:
    if first is None:
        return None
    return f"{cell(first['key'])} of sync {first['sync']}, for campaign {first['campaign']}"


def _cancellation_facts(wish: Mapping[str, Any] | None) -> list[tuple[str, object]]:
    """The proof: why and when it was to be cancelled, when the vendor was asked, what came."""
    if wish is None:
        return []
    asked = f"asked {time_of(wish['asked_at'])}" if wish["asked_at"] else "not asked yet"
    answer = cell(wish["answer"]) if wish["answer"] else "no answer yet"
    at = f" {time_of(wish['answered_at'])}" if wish["answered_at"] else ""
    return [
        ("to cancel (UTC)", f"{time_of(wish['wanted_at'])}: {cell(wish['why'])}"),
        ("at the vendor", f"{asked}; {answer}{at}"),
    ]


def _batch_facts(batch: Mapping[str, Any] | None) -> list[tuple[str, object]]:
    if batch is None:
        return []
    times = "once" if batch["sends"] == 1 else f"{batch['sends']} times, last"
    sends = f"sent {times} {time_of(batch['last_sent_at'])} UTC"
    return [
        (
            "batch",
            f"{batch['id']} ({batch['state']}) of {batch['size']}, "
            + (sends if batch["sends"] else "not sent"),
        ),
        ("batch key", batch["key"]),
    ]


def _print_events(job: Mapping[str, Any], out: Console) -> None:
    table = new_table("when (UTC)", "what", "why", "by")
    events: list[tuple[datetime, str, str, str]] = []
    for move in job["moves"]:
        by = move["actor"] if move["pass_id"] is None else f"{move['actor']} {move['pass_id']}"
        what = f"{move['what']} {move['from'] or 'new'} ▶ {move['to']}"
        events.append((move["at"], what, move["why"], by))
    for at, what, why, by in sorted(events, key=lambda event: event[0]):
        table.add_row(time_of(at), what, cell(why), by)
    out.print()
    out.print(table)


def _print_outcome(job: Mapping[str, Any], out: Console) -> None:
    if job["attempts"]:
        table = new_table("attempt", "began (UTC)", "began (local)", "seconds", "how it ended")
        for row in job["attempts"]:
            redial = f" (call-back {row['redial_number']})" if row["redial_number"] else ""
            table.add_row(
                f"{row['attempt_number']}{redial}",
                time_of(row["started_at"]),
                row["started_local"] or "zone unknown",
                cell(row["call_duration_s"]),
                cell(" ".join(filter(None, (row["job_status"], row["call_result"])))),
            )
        out.print()
        out.print(table)
    for row in job["reports"]:
        outcome = " ".join(filter(None, (row["job_status"], row["call_result"])))
        tries = f", {row['attempts_count']} attempts" if row["attempts_count"] is not None else ""
        ended = f", ended {time_of(row['finished_at'])} UTC" if row["finished_at"] else ", open"
        redial = f"call-back {row['redial_number']}: " if row["redial_number"] else ""
        out.print(f"outcome {redial}{cell(outcome)}{tries}{ended}", soft_wrap=True)


def _print_rejections(explanation: Explanation, out: Console) -> None:
    if explanation.perhaps:
        common.say("it may be among these rejections: their values have the same mask")
    table = new_table("rejected", "key", "column", "value (masked)", "from", "line")
    for row in explanation.rejections:
        table.add_row(
            row["reason"],
            cell(row["key"]),
            cell(row["column"]),
            cell(row["masked"]),
            cell(row["origin"]),
            str(row["line"]),
        )
    out.print(table)
