"""Each pass of a campaign one time, in the order in which one needs what the other did."""

from __future__ import annotations

from syncd.engine import pull_reports, reconcile, renew, submit, sweep, withdraw
from syncd.engine.parts import Campaign
from syncd.engine.passes import PassResult, Tools

#: The sweep before the submit: whoever turns out to have been called is not called again.
CAMPAIGN_PASSES = (reconcile, sweep, withdraw, renew, submit, pull_reports)


def work_campaign(campaign: Campaign, tools: Tools) -> list[PassResult]:
    """Settle what is open, send what is staged, and bring outcomes back."""
    results: list[PassResult] = []
    for pass_ in CAMPAIGN_PASSES:
        if tools.stop.is_set():
            break
        if pass_ in (sweep, withdraw, renew) and not pass_.has_work(campaign, tools):
            continue
        results.append(pass_.run_once(campaign, tools))
    return results
