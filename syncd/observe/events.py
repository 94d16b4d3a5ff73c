"""Every name of a log line, once: `noun.verb_past`, with its meaning and its fields.

docs/reference/events.md is made from this table. A name is a promise to those who search and alert
on it. No field may hold a token, a URL or a phone; `redact.py` is the net below, not the permit.
"""

from __future__ import annotations

from typing import Final, Literal

Level = Literal["debug", "info", "warning", "error"]


class Event(str):
    """The name of an event: a text that also knows its level, its meaning and its fields."""

    __slots__ = ("fields", "level", "meaning")

    level: Level
    meaning: str
    fields: tuple[str, ...]


ALL: Final[dict[str, Event]] = {}


def _event(name: str, level: Level, meaning: str, fields: str = "") -> Event:
    assert name not in ALL, f"{name} is there twice"
    event = Event(name)
    event.level = level
    event.meaning = meaning
    event.fields = tuple(fields.split())
    ALL[name] = event
    return event


# The process.
DAEMON_STARTED = _event(
    "daemon.started", "info", "The daemon runs; its schedule is set.", "version pid syncs campaigns"
)
DAEMON_DRAINED = _event(
    "daemon.drained",
    "info",
    "A stop was asked for, and the work under way has ended.",
    "duration_s",
)
DRAIN_OVERRAN = _event(
    "drain.overran",
    "warning",
    "Work under way did not end in time; the process leaves it, which is as safe as a kill.",
    "duration_s",
)
DAEMON_STOPPED = _event("daemon.stopped", "info", "The daemon has ended.", "exit_code")
STOP_REQUESTED = _event(
    "stop.requested", "info", "A signal asked for an end; nothing new is begun.", "signal"
)
CONFIG_WARNED = _event(
    "config.warned", "warning", "The configuration is valid and unwise.", "key what hint"
)
PROCESS_CRASHED = _event(
    "process.crashed",
    "error",
    "An error that nobody expected ended the process or a thread, or came from its clearing up.",
)

# The ledger.
LEDGER_FAILED = _event(
    "ledger.failed",
    "error",
    "The ledger could not be read or written; nothing is sent.",
    "reason where hint",
)

# Several instances.
LEASE_OBTAINED = _event(
    "lease.obtained",
    "info",
    "This instance works on a sync or a campaign from now on.",
    "lease epoch",
)
HEARTBEAT_MISSED = _event(
    "heartbeat.missed",
    "warning",
    "The leases of this instance could not be renewed; when that lasts, others take its work over.",
    "reason",
)

# Passes.
PASS_FINISHED = _event(
    "pass.finished",
    "info",
    "A pass has ended; each of its counts is a field more. One that did nothing is at debug.",
    "kind target pass_id outcome duration_ms error hint unread",
)
PASS_FAILED = _event(
    "pass.failed",
    "error",
    "A pass ended with an error; what it had committed stays. `again`: the same as before.",
    "kind target error hint again",
)
PASS_LEFT = _event(
    "pass.left",
    "debug",
    "A pass was due that another instance does.",
    "kind target reason",
)
PASS_OVERLAPPED = _event(
    "pass.overlapped",
    "debug",
    "A pass was due while the one before was still at work; it is left out.",
    "kind target",
)
PASS_OVERRAN = _event(
    "pass.overran",
    "warning",
    "A pass is at work for more than 15 minutes: much to do, or it hangs. The others go on.",
    "kind target duration_s",
)

# poll.
SOURCE_GUESSED = _event(
    "source.guessed",
    "warning",
    "A file leaves open how it is to be read, and a guess was made; `option` settles it.",
    "sync file option hint",
)

# Guards.
GUARD_TRIPPED = _event(
    "guard.tripped",
    "warning",
    "A guard holds call jobs until a person has approved them; none of them is sent.",
    "sync campaign guard unit allowed found jobs hint",
)
GUARD_APPROVED = _event(
    "guard.approved",
    "info",
    "A person let held call jobs go, or dropped them.",
    "sync who released duplicate dropped",
)

JOBS_REQUEUED = _event(
    "jobs.requeued",
    "info",
    "A person had open jobs queued again with the zones and hours of today.",
    "sync campaign who in_place to_cancel held too_soon unchanged",
)

JOBS_RETRIED = _event(
    "jobs.retried",
    "info",
    "A person let jobs go again that had ended without a call; `held`: a tripwire holds them.",
    "sync campaign who jobs held",
)

SUPPRESSION_MISREAD = _event(
    "suppression.misread",
    "warning",
    "Records of a do-not-call list hold neither a valid phone nor a key: they bar nobody.",
    "list records hint",
)
SUPPRESSION_SHRUNK = _event(
    "suppression.shrunk",
    "warning",
    "Much of a do-not-call list is missing: all of it stays in force.",
    "list missing listed hint",
)
LEADS_MISSED = _event(
    "leads.missed",
    "warning",
    "Rows of open leads are no longer in the source, and no call was withdrawn: the reading was not"
    " whole, or too many left at once.",
    "sync leads open_leads reason hint",
)

# submit.
BATCH_ANSWERED = _event(
    "batch.answered",
    "debug",
    "The vendor took a batch and gave IDs.",
    "campaign batch_id jobs ids",
)
ANSWER_SHORTENED = _event(
    "answer.shortened",
    "warning",
    "The vendor gave fewer IDs than jobs: duplicates; who is whose is looked up.",
    "campaign batch_id jobs ids",
)
BATCH_REFUSED = _event(
    "batch.refused",
    "warning",
    "The vendor refused a batch; nothing was added. `rest` says how the jobs go again that it does"
    " not end: `again`, in `halves`, or after a `hold`.",
    "campaign batch_id type jobs rest",
)
BATCH_DOUBTED = _event(
    "batch.doubted",
    "warning",
    "A batch was sent and no definitive answer came; it is asked again with the same key.",
    "campaign batch_id jobs sends reason",
)
SEND_DEFERRED = _event(
    "send.deferred",
    "warning",
    "Nothing left us, or nothing was done; it is tried again later.",
    "campaign batch_id reason retry_after_s",
)
CAMPAIGN_HALTED = _event(
    "campaign.halted",
    "error",
    "The campaign takes nothing until a person acts: unknown token, or stopped.",
    "campaign reason hint",
)

CAMPAIGN_HELD = _event(
    "campaign.held",
    "error",
    "Batches are refused, and no lead is known to be at fault: nothing is sent until a person has"
    " looked and released the campaign (`syncd campaign release`).",
    "campaign reason hint",
)
CAMPAIGN_RESUMED = _event(
    "campaign.resumed", "info", "A halted campaign takes batches again.", "campaign"
)

# reconcile.
BATCH_LOOKED_UP = _event(
    "batch.looked_up",
    "info",
    "A batch that may never be sent again was looked for in the campaign's reports.",
    "campaign batch_id verdict jobs found several",
)
BATCH_PARKED = _event(
    "batch.parked",
    "warning",
    "The reports do not tell surely what became of these jobs: a person decides (`syncd parked`).",
    "campaign batch_id jobs",
)
BATCH_RESENT = _event(
    "batch.resent",
    "info",
    "A batch in doubt was sent again, byte for byte, with its key.",
    "campaign batch_id jobs",
)

# sweep.
CALLS_NOTICED = _event(
    "calls.noticed",
    "warning",
    "The campaign has calls that the ledger did not know: they were given to jobs that lacked their"
    " ID (`adopted`, `found`), keep jobs from being sent (`held_back`), or are nobody's"
    " (`unknown_calls`); `second_calls` of these are to people who have another call.",
    "campaign adopted held_back found unknown_calls second_calls",
)

# pull_reports.
METHOD_MISSED = _event(
    "method.missed",
    "info",
    "This installation lacks a method; the other way is taken.",
    "campaign method",
)
REPORT_MISMATCHED = _event(
    "report.mismatched",
    "warning",
    "Reports name another phone than the call jobs with their IDs; they close nothing. `job_ids`"
    " are syncd's own, the first few.",
    "campaign jobs job_ids",
)

# Other programs' lines.
REQUEST_FINISHED = _event(
    "request.finished", "debug", "A request to the vendor has ended.", "campaign method status ms"
)


def table() -> str:
    """docs/reference/events.md: one row for each event."""
    rows = [
        f"| `{event}` | {event.level} | {event.meaning} |"
        f" {', '.join(f'`{name}`' for name in event.fields)} |"
        for event in ALL.values()
    ]
    head = [
        "# Log events",
        "",
        "Generated from `syncd/observe/events.py` by `make docs`; do not edit.",
        "",
        "Logs go to stderr: lines for people on a terminal, else one JSON object a line. Each has",
        "`event` (a name below), `level`, `ts` (ISO 8601, UTC) and `room` (the part of syncd);",
        "a line of a library has its own words in `event`, and `logger`.",
        "Tokens, the segment of a URL after `/campaign/`, and phones are masked.",
        "",
        "| event | level | meaning | fields |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows]) + "\n"
