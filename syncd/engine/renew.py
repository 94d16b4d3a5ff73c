"""Renew: call jobs go on by themselves when their hours have come.

    push    a job ended in its slice of days, and its person was not reached: the next slice
    renew   a held job whose slice was over before it was sent, or that waits for a cap of calls

Nothing is asked of the vendor. Both work in steps of a few hundred jobs, each a transaction.
"""

from __future__ import annotations

from syncd.core.renewal import renewals
from syncd.engine.parts import Campaign
from syncd.engine.passes import PassResult, Tools, run_pass
from syncd.ledger.renewing import Hours


def has_work(campaign: Campaign, tools: Tools) -> bool:
    """Whether a job ended in its slice, or a held one is due."""
    now = tools.clock.now()
    return tools.ledger.slices.has_work(campaign.name, list(campaign.hours), now=now)


def run_once(campaign: Campaign, tools: Tools) -> PassResult:
    """Go through all that is due, until a stop is asked for."""
    with run_pass("renew", campaign.name, tools) as running:
        now = tools.clock.now()
        hours = Hours(renewals(campaign.hours, now), campaign.calls)
        for step in (tools.ledger.slices.push_next, tools.ledger.slices.renew):
            more = True
            while more and not tools.stop.is_set():
                counts = step(campaign.name, hours, now=now, by=running.by())
                more = counts.pop("looked", 0) > 0
                running.counts.update(counts)
    return running.result()
