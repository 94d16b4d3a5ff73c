"""Look up a batch that may never be sent again: its calls are adopted, staged anew, or parked.

look     every call that the campaign created while the batch may have been carried out
judge    core/look_up.py: adopt, wait, surely absent, or unclear
record   one guarded move of the batch and its jobs
"""

from __future__ import annotations

from syncd.core.doubt import is_set_back
from syncd.core.look_up import (
    LOOK_AGAIN,
    Look,
    LookedUp,
    Verdict,
    compare,
    is_settled,
    judge,
    next_look_at,
    range_of,
)
from syncd.core.report_times import next_report_at
from syncd.engine.calls_made import calls_between
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass
from syncd.ledger.outbox import ClaimedBatch
from syncd.observe import events, logs

_log = logs.get("engine")


def look_up(
    batch: ClaimedBatch, campaign: Campaign, running: Pass, *, may_go_again: bool = False
) -> None:
    """Look once, and record what that says; raises what the campaign and the ledger raise.

    Args:
        may_go_again: its key is alive, and only its campaign keeps it from being sent: unless all
            of its calls are found, it waits for that.
    """
    tools = running.tools
    now = tools.clock.now()
    try:
        look = _look(batch, campaign, running)
    except BaseException:
        tools.ledger.let_go(batch, next_at=None)
        raise
    looked_up = _looked_up(batch, campaign, running)
    verdict = judge(look, looked_up, now=now, settle=campaign.settle)
    _log.info(
        events.BATCH_LOOKED_UP,
        campaign=campaign.name,
        batch_id=batch.id,
        verdict=verdict.value,
        jobs=batch.size,
        found=len(look.found),
        several=len(look.several),
    )
    if may_go_again and verdict is not Verdict.ADOPT:
        running.counts["in_doubt"] += batch.size
        tools.ledger.let_go(batch, next_at=now + LOOK_AGAIN)
    elif verdict is Verdict.WAIT:
        _wait(batch, campaign, running, looked_up)
    elif verdict is Verdict.ABSENT:
        if tools.ledger.look_ups.record_absent(batch, by=running.by()):
            running.counts["restaged"] += batch.size
    else:
        _adopt(batch, campaign, running, look)


def _look(batch: ClaimedBatch, campaign: Campaign, running: Pass) -> Look:
    look_ups, clock = running.tools.ledger.look_ups, running.tools.clock
    assert batch.first_sent_at is not None
    assert batch.last_sent_at is not None
    phones = look_ups.sealed_phones(batch.id)
    since, until = range_of(
        batch.first_sent_at, batch.last_sent_at, now=clock.now(), settle=campaign.settle
    )
    calls = calls_between(campaign, since, until, phones=list(phones), stop=running.tools.stop)
    ids = [report.call_job_id for report in calls]
    return compare(phones, calls, used=look_ups.used_call_job_ids(campaign.name, ids))


def _looked_up(batch: ClaimedBatch, campaign: Campaign, running: Pass) -> LookedUp:
    assert batch.first_sent_at is not None
    assert batch.last_sent_at is not None
    set_back = is_set_back(batch.first_sent_at, running.tools.clock.now())
    return LookedUp(
        last_sent_at=batch.last_sent_at,
        absent_at=batch.absent_at,
        # Under another token another campaign may be seen: what is not there says nothing.
        trusted=batch.endpoint == campaign.endpoint and not (batch.clock_doubted or set_back),
    )


def _wait(batch: ClaimedBatch, campaign: Campaign, running: Pass, looked_up: LookedUp) -> None:
    """Too early: keep that it was looked for, and look again."""
    assert batch.first_sent_at is not None
    now = running.tools.clock.now()
    running.counts["in_doubt"] += batch.size
    running.tools.ledger.look_ups.note_look(
        batch,
        now=now,
        settled=is_settled(looked_up, now=now, settle=campaign.settle),
        next_at=next_look_at(looked_up, now=now, settle=campaign.settle),
        clock_doubted=batch.clock_doubted or is_set_back(batch.first_sent_at, now),
    )


def _adopt(batch: ClaimedBatch, campaign: Campaign, running: Pass, look: Look) -> None:
    now = running.tools.clock.now()
    assert batch.last_sent_at is not None
    ended = running.tools.ledger.look_ups.adopt(
        batch,
        look.found,
        next_report_at=next_report_at(
            now, sent_at=min(batch.last_sent_at, now), every=campaign.report_every
        ),
        by=running.by(),
    )
    running.counts.update(adopted=ended.accepted)
    if ended.parked:
        running.counts["parked"] += ended.parked
        _log.warning(
            events.BATCH_PARKED, campaign=campaign.name, batch_id=batch.id, jobs=ended.parked
        )
