"""Find the calls that the vendor had from elsewhere: `phone.duplicated` named our leads for them.

Each phone is asked for once. Exactly one call: its ID goes to the job, which stays a duplicate, and
its outcome is kept. None or several: nobody can say which, so the job keeps none.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.report import JobReport, is_redial, phone_of
from syncd.engine.asking import ask_by_phones
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass
from syncd.observe.steps import named

#: Refused batches looked at in one pass; the next pass looks at the next ones.
BATCHES_MAX = 20


def find_calls(campaign: Campaign, running: Pass) -> None:
    """Look for the calls of duplicates; raises what the campaign and the ledger raise."""
    tools = running.tools
    ask = named("duplicate.ask", campaign.client.job_reports)
    for _ in range(BATCHES_MAX):
        wanted = tools.ledger.found_calls.next_to_find(campaign.name)
        if wanted is None or tools.stop.is_set():
            return
        phones = [str(phone) for phone in wanted.jobs]
        told = ask_by_phones(lambda some: ask(phones=some), phones).found
        found = _alone(told)
        kept = tools.ledger.found_calls.record_found(campaign.name, wanted, found, by=running.by())
        running.counts["found"] += kept


def _alone(told: Sequence[JobReport]) -> dict[int, JobReport]:
    """The call of each phone that has exactly one; call-backs belong to their call."""
    calls: dict[int, dict[str, JobReport]] = {}
    for report in told:
        phone = phone_of(report)
        if phone is not None and not is_redial(report):
            calls.setdefault(phone, {})[report.call_job_id] = report
    return {
        phone: report for phone, some in calls.items() if len(some) == 1 for report in some.values()
    }
