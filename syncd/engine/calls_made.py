"""Which calls the campaign has: asked by date where the installation can, else by phone.

Only a whole answer counts: a page that is given twice, or a range that does not fit, says nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from syncd.campaign.client import PAGE_MAX, PAGE_SIZE_MAX, CampaignClient
from syncd.core.report import DateFilter, JobReport
from syncd.engine.asking import ask_by_phones
from syncd.engine.parts import Campaign
from syncd.errors import Transient, Unsupported

#: Below this a range is not halved any more.
RANGE_MIN = timedelta(seconds=1)
#: Of one look: a million calls.
REQUESTS_MAX = 5_000


def calls_between(
    campaign: Campaign,
    since: datetime,
    until: datetime,
    *,
    phones: Sequence[int],
    stop: threading.Event,
) -> list[JobReport]:
    """Every call that was created from `since` to `until`, or at least those to `phones`.

    Raises:
        Transient: the answer was not whole; ask again later.
    """
    if campaign.reports_by_date is not False:
        try:
            return by_date(campaign.client, since, until, stop=stop)
        except Unsupported:
            campaign.reports_by_date = False
    return [
        report
        for report in by_phone(campaign.client, phones)
        if report.created_at is None or since <= report.created_at <= until
    ]


def by_phone(client: CampaignClient, phones: Sequence[int]) -> list[JobReport]:
    """The calls to these phones; phones that the campaign does not know have none."""
    wanted = [str(phone) for phone in phones]
    return ask_by_phones(lambda part: client.job_reports(phones=part), wanted).found


def by_date(
    client: CampaignClient, since: datetime, until: datetime, *, stop: threading.Event
) -> list[JobReport]:
    """Every call created in the range, each once, whatever pages it takes.

    Raises:
        Transient: a page came twice, there are too many, or a stop was asked for.
        Unsupported: the installation has no reports by date.
    """
    calls: dict[str, JobReport] = {}
    ranges, requests = [(since, until)], 0
    while ranges:
        start, end = ranges.pop()
        rows, full = _range(client, start, end, stop)
        requests += PAGE_MAX + 1
        calls |= {row.call_job_id: row for row in rows}
        if full and (end - start <= RANGE_MIN or requests > REQUESTS_MAX):
            raise Transient("more calls in the reports than can be asked for")
        if full:
            middle = start + (end - start) / 2
            ranges += [(middle, end), (start, middle)]
    return list(calls.values())


def _range(
    client: CampaignClient, start: datetime, end: datetime, stop: threading.Event
) -> tuple[list[JobReport], bool]:
    """The rows of one range, and whether there may be more than a filter reaches."""
    rows: list[JobReport] = []
    seen: set[str] = set()
    dates = DateFilter(created_from=start, created_to=end)
    for number in range(PAGE_MAX + 1):
        if stop.is_set():
            raise Transient("stopped while looking through reports")
        page = client.job_reports_by_date(dates, page=number, page_size=PAGE_SIZE_MAX)
        ids = {row.call_job_id for row in page}
        if not ids.isdisjoint(seen):
            # Rows came in between two pages and moved them: others may have been jumped over.
            raise Transient("the pages of the reports moved while they were read")
        seen |= ids
        rows += page
        if len(page) < PAGE_SIZE_MAX:
            return rows, False
    return rows, True
