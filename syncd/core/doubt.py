"""What to do with a batch that was sent and not answered: the decision, without any doing.

Inside the key's life the stored bytes go again with the stored key: the vendor then gives the
first answer and makes no new call (Calls API, Idempotence). Past it a repeat would call everybody
twice, so it is never sent again, only looked up. So is one that was refused after an ambiguous
sending: a 400 or 404 on a retry says nothing about what the first sending created.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

KEY_LIFE_HOURS = 24
#: A request may live this long in proxies, and clocks may differ: taken off the key's life.
KEY_MARGIN_HOURS = 4
#: 20 h after the *first* sending nothing of a batch is sent any more.
RESEND_WINDOW = timedelta(hours=KEY_LIFE_HOURS - KEY_MARGIN_HOURS)
#: Two requests with one key are never in flight together: a silent one may still be at work.
QUIET = timedelta(seconds=120)


#: The outcome of a sending that was refused while an earlier one was ambiguous begins so.
REFUSED_IN_DOUBT = "refused after an ambiguous sending"

#: Clocks are put right by less than this without a reason to doubt them.
CLOCK_ERROR = timedelta(minutes=5)


class Step(StrEnum):
    """What a batch without an answer needs next."""

    SEND = "send"  #: send the stored bytes with the stored key
    WAIT = "wait"  #: too early: the last sending may still be at work
    LOOK_UP = "look_up"  #: never send it again: only the campaign's reports tell what was created


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """What the decision looks at; all times aware UTC."""

    first_sent_at: datetime | None
    last_sent_at: datetime | None
    ambiguous: bool  #: some sending may have been carried out
    same_endpoint: bool  #: base URL and token are those it was first sent to
    clock_doubted: bool = False  #: the clock was once found before the first sending
    #: the vendor refused it after an ambiguous sending: that one may have created the calls
    refused_in_doubt: bool = False
    closes_at: datetime | None = None  #: the first `finishDateTime` of its jobs
    withdrawn: bool = False  #: one of its calls must not be made any more


def is_set_back(first_sent_at: datetime, now: datetime) -> bool:
    """Whether the clock stands before the first sending: then the key's age cannot be told."""
    return now < first_sent_at - CLOCK_ERROR


def decide(
    batch: OpenBatch,
    *,
    now: datetime,
    quiet: timedelta = QUIET,
    resend_window: timedelta = RESEND_WINDOW,
) -> Step:
    """Send, wait, or never send again and look it up."""
    # A key is only known to the campaign that it was sent to, and only for its life.
    if batch.first_sent_at is not None and (
        not batch.same_endpoint
        or now - batch.first_sent_at >= resend_window
        or batch.clock_doubted
        or is_set_back(batch.first_sent_at, now)
        or batch.refused_in_doubt
        or (batch.closes_at is not None and now >= batch.closes_at)
    ):
        return Step.LOOK_UP
    # Nothing of it has left: what is still to be called goes in another batch, without the others.
    if batch.withdrawn and batch.first_sent_at is not None and not batch.ambiguous:
        return Step.LOOK_UP
    if batch.ambiguous and batch.last_sent_at is not None and now < batch.last_sent_at + quiet:
        return Step.WAIT
    return Step.SEND
