"""Recover: after a restore or a failover, look for calls that the ledger lost, before any sending.

doubt  batches that the ledger has no answer to: they may have been sent in what was lost
look   every call that the campaign has since a time before the loss
keep   jobs that wait for such a call are not called again; leads that are gone count as called
"""

from __future__ import annotations

from datetime import datetime

from syncd.core.look_up import CLOCK_MARGIN
from syncd.core.report import is_redial, phone_of
from syncd.engine.calls_made import by_date, by_phone
from syncd.engine.parts import Campaign
from syncd.engine.passes import PassResult, Tools, run_pass
from syncd.errors import ConfigError, Unsupported

#: Calls of one transaction.
_AT_ONCE = 500


def run_once(
    campaign: Campaign, tools: Tools, *, since: datetime, ask_by_phone: bool = False
) -> PassResult:
    """Compare the campaign's calls with the ledger.

    Counts `calls`, `held_back`, `unknown`, and `doubted`: batches that only a look-up can settle.

    Args:
        since: before the first commit that may be lost, aware UTC.
        ask_by_phone: where calls cannot be listed by date, ask for the phones of waiting jobs only.
    """
    with run_pass("recover", campaign.name, tools) as running:
        ledger = tools.ledger
        doubted = ledger.lost_calls.doubt_open(
            campaign.name, endpoint=campaign.endpoint, by=running.by()
        )
        if doubted:
            running.counts["doubted"] = doubted
        if ask_by_phone:
            calls = by_phone(campaign.client, ledger.lost_calls.waiting_phones(campaign.name))
        else:
            until = tools.clock.now() + CLOCK_MARGIN
            try:
                calls = by_date(campaign.client, since, until, stop=tools.stop)
            except Unsupported:
                raise ConfigError(
                    f'campaign "{campaign.name}" cannot list its calls by date',
                    hint="`syncd recover --by-phone` asks for the leads that the ledger still has;"
                    " those that it lost whole may be called again",
                ) from None
        used = ledger.look_ups.used_call_job_ids(
            campaign.name, [report.call_job_id for report in calls]
        )
        made = [
            (phone, report.call_job_id)
            for report in calls
            if (phone := phone_of(report)) is not None
            and report.call_job_id not in used
            and not is_redial(report)
        ]
        running.counts["calls"] = len(calls)
        for first in range(0, len(made), _AT_ONCE):
            some = made[first : first + _AT_ONCE]
            held_back, unknown = ledger.lost_calls.keep(campaign.name, some, by=running.by())
            running.counts.update(held_back=held_back, unknown=unknown)
    return running.result()
