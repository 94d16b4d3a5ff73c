"""A definitive refusal of a batch: whom it ends, and how the others go again.

judge    core/refused_batch.py: the guilty are named, or to be found by halving, or nobody knows
record   one transaction: the guilty end, the rest are staged again, and the campaign may be held
tell     one line in the log, and one more when the campaign is held
"""

from __future__ import annotations

from collections import Counter

import orjson

from syncd.core.call_job import JobState
from syncd.core.refused_batch import Rest, Sentence, sentence
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass
from syncd.errors import Halted, Refused
from syncd.ledger.outbox import ClaimedBatch
from syncd.observe import events, logs

_log = logs.get("engine")

#: How the counts of a pass name what became of the jobs.
_COUNTED = {JobState.STAGED: "restaged"}


def end_refused(
    batch: ClaimedBatch, campaign: Campaign, running: Pass, error: Refused | Halted
) -> tuple[Counter[str], Halted | None] | None:
    """Record a refusal that proves that nothing was created.

    Returns:
        Jobs by what became of them, and the hold that it began, if so; None when another claimer
        has the batch.
    """
    judged = _judge(batch, error)
    stored = running.tools.ledger.record_refusal(
        batch, why=_why(error), guilty=judged.guilty, rest=judged.rest, by=running.by()
    )
    if stored is None:
        return None
    _log.warning(
        events.BATCH_REFUSED,
        campaign=campaign.name,
        batch_id=batch.id,
        type=_why(error),
        jobs=batch.size,
        rest=judged.rest.value,
    )
    jobs = Counter({_COUNTED.get(state, state.value): n for state, n in stored.jobs.items()})
    if stored.held is None:
        return jobs, None
    held = held_error(campaign.name, stored.held)
    _log.error(events.CAMPAIGN_HELD, campaign=campaign.name, reason=stored.held, hint=held.hint)
    running.halt_told = True
    return jobs, held


def held_error(campaign: str, reason: str) -> Halted:
    """What a pass says of a campaign that only a person can release."""
    return Halted(
        f'campaign "{campaign}" is held: {reason}',
        hint=f"find out what is wrong, then: syncd campaign release {campaign}",
        answers=True,
    )


def _judge(batch: ClaimedBatch, error: Refused | Halted) -> Sentence:
    if isinstance(error, Halted):
        return Sentence(Rest.AGAIN)
    fault = error.fault
    named = {*fault.phones_duplicates, fault.phone or ""}
    zones = {int(item["phone"]): item.get("gmtZone") for item in orjson.loads(batch.body)}
    return sentence(fault.type, named, zones)


def _why(error: Refused | Halted) -> str:
    return error.fault.type if isinstance(error, Refused) else error.what
