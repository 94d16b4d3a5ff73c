"""What a look into the campaign's reports says of a batch in doubt: a judgement, without any doing.

Reports lag, and a request may lie in a proxy for a while, so that nothing was found proves nothing
until the batch has settled and two whole looks agree. Whatever stays unclear is a person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.core.report import JobReport, is_redial, phone_of

#: The longest life of a request in proxies, the lag of reports and the error of clocks together.
SETTLE = timedelta(hours=2)
#: Between the two looks that have to agree.
LOOK_AGAIN = timedelta(minutes=10)
#: Until it has settled, a batch is looked up so often.
LOOK_EVERY = timedelta(minutes=30)
#: A request that was given up may still be carried out so much later.
REQUEST_LIFE = timedelta(hours=1)
#: A look is wider by so much on both sides: the clock of who sent dated the sendings, and a call
#: outside the range would be taken for one that was not made.
CLOCK_MARGIN = timedelta(hours=1)


class Verdict(StrEnum):
    """What to do with a batch that was looked up."""

    ADOPT = "adopt"  #: every job has its call: take the IDs
    WAIT = "wait"  #: too early to say
    ABSENT = "absent"  #: surely nothing was created: stage again, as a new generation
    UNCLEAR = "unclear"  #: adopt what was found, park the rest


@dataclass(frozen=True, slots=True)
class Look:
    """What one whole look found of a batch's phones."""

    size: int  #: jobs in the batch
    found: Mapping[int, str] = field(default_factory=dict)  #: phone to the ID of its one call
    several: frozenset[int] = frozenset()  #: phones with more than one call that may be ours


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the judgement has to know of the batch; times aware UTC."""

    last_sent_at: datetime
    absent_at: datetime | None  #: the first whole look after it had settled
    #: same base URL and token, and a clock that can be believed: what is not seen is not there
    trusted: bool


def compare(
    phones: Iterable[int], reports: Iterable[JobReport], *, used: frozenset[str] | set[str]
) -> Look:
    """Match the phones of a batch with calls that no other job has.

    Args:
        reports: of every call that was created while the batch may have been carried out.
        used: IDs that other jobs of the ledger have.
    """
    wanted = set(phones)
    calls: dict[int, set[str]] = {}
    for report in reports:
        phone = phone_of(report)
        if phone in wanted and not is_redial(report) and report.call_job_id not in used:
            calls.setdefault(phone, set()).add(report.call_job_id)
    found = {phone: min(ids) for phone, ids in calls.items() if len(ids) == 1}
    several = frozenset(phone for phone, ids in calls.items() if len(ids) > 1)
    return Look(len(wanted), found, several)


def judge(look: Look, batch: LookedUp, *, now: datetime, settle: timedelta = SETTLE) -> Verdict:
    """Adopt, wait, stage again, or leave it to a person."""
    if len(look.found) == look.size:
        return Verdict.ADOPT
    if not is_settled(batch, now=now, settle=settle) or batch.absent_at is None:
        return Verdict.WAIT
    if now < batch.absent_at + LOOK_AGAIN:
        return Verdict.WAIT
    if not look.found and not look.several and batch.trusted:
        return Verdict.ABSENT
    return Verdict.UNCLEAR


def range_of(
    first_sent_at: datetime,
    last_sent_at: datetime,
    *,
    now: datetime,
    settle: timedelta = SETTLE,
) -> tuple[datetime, datetime]:
    """From when to when the calls of a batch may have been created, as the vendor's clock says.

    A longer settle time is set where requests live longer, so that the range grows with it: a call
    beyond its end would be taken for one that was not made.
    """
    life = max(REQUEST_LIFE, settle - (SETTLE - REQUEST_LIFE))
    until = min(last_sent_at + life, max(now, last_sent_at)) + CLOCK_MARGIN
    return min(first_sent_at, now) - CLOCK_MARGIN, until


def is_settled(batch: LookedUp, *, now: datetime, settle: timedelta = SETTLE) -> bool:
    """Whether no request of the batch can still be carried out, or be missing in the reports."""
    return now >= batch.last_sent_at + settle


def next_look_at(batch: LookedUp, *, now: datetime, settle: timedelta = SETTLE) -> datetime:
    """When a batch that has to wait is looked up again."""
    if is_settled(batch, now=now, settle=settle):
        return now + LOOK_AGAIN
    return min(now + LOOK_EVERY, batch.last_sent_at + settle)
