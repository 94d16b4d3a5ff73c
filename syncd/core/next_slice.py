"""Whether a call job whose slice of days is over goes on in the next one, and with how much.

A judgement only. The dialer ends a job with its `finishDateTime`, or earlier when no permitted
hour is left before it: as `notDone` where nobody was called, else as `noAnswer`. A job that had an
answer, a number that does not exist, and one that somebody cancelled are over.

Source: Calls API, "How the dialer behaves".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import orjson

_ATTEMPTS: Final = "maxAttempts"
_INTERVAL: Final = "retryIntervalInMinutes"
#: The dialer has stopped before its attempts were used up, if any are left.
_CUT_SHORT: Final = frozenset({"notDone", "noAnswer"})
_OVER: Final = frozenset(
    {
        "longCallWithResult",
        "longCallWithNoResult",
        "nonexistentNumber",
        "canceled",
        "cancelledByUser",
    }
)


@dataclass(frozen=True, slots=True)
class EndedSlice:
    """A job that was sent for one slice, and the report of its end."""

    status: str
    attempts: int | None  #: that were made; None: the report does not say
    finished_at: datetime | None
    slice_end: datetime
    own_end: datetime
    body: str  #: its content, JSON


class Rest(NamedTuple):
    """What is left of a job."""

    body: str  #: the content of the next slice's job, JSON
    since: datetime  #: it must not be called before, aware


def rest_of(ended: EndedSlice, now: datetime) -> Rest | None:
    """What the next slice's job has to do, or None: the job is over.

    Without `maxAttempts` nobody knows here how many attempts the campaign makes: then a job goes
    on only when nobody was called at all. Better an attempt too few than one too many. The dialer
    may end a job long before its slice does, so the next one begins with the next slice, and as
    long after the last call as its content asks for.
    """
    if ended.own_end <= now or ended.status in _OVER:
        return None
    item = orjson.loads(ended.body)
    wanted = item.get(_ATTEMPTS)
    made = ended.attempts
    if made is None:
        made = 0 if ended.status == "notDone" else wanted or 1
    if ended.status not in _CUT_SHORT and not _reached_its_end(ended):
        return None
    if not made:
        return Rest(ended.body, ended.slice_end)
    if wanted is None or made >= wanted:
        return None
    body = orjson.dumps({**item, _ATTEMPTS: wanted - made}).decode()
    waits = timedelta(minutes=item.get(_INTERVAL, 0))
    again = _next_hour((ended.finished_at or now) + waits)
    return Rest(body, max(ended.slice_end, again) if waits else ended.slice_end)


def _next_hour(at: datetime) -> datetime:
    """The hour that begins then or next: what is the same for many jobs is one window."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour if hour == at else hour + timedelta(hours=1)


def _reached_its_end(ended: EndedSlice) -> bool:
    return ended.finished_at is not None and ended.finished_at >= ended.slice_end
