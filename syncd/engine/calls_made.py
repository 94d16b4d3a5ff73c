"""Which calls the campaign has: asked by date where the installation can, else by phone.

Only a whole answer counts: a page that is given twice, or a range that does not fit, says nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncd.campaign.client import CampaignClient
from syncd.core.report import DateFilter, JobReport
from syncd.engine.asking import ask_by_phones
from syncd.engine.date_pages import Keep, Pages, middle_of
from syncd.engine.parts import Campaign
from syncd.errors import Transient, Unsupported
from syncd.observe import events, logs
from syncd.observe.steps import named

_log = logs.get("engine")


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
            lacks_dates(campaign)
    return [
        report
        for report in by_phone(campaign.client, phones)
        if report.created_at is None or since <= report.created_at <= until
    ]


def lacks_dates(campaign: Campaign) -> None:
    """The installation has no reports by date: say so once, and ask in another way from now on."""
    campaign.reports_by_date = False
    _log.info(events.METHOD_MISSED, campaign=campaign.name, method="getReportByDate")


def by_phone(client: CampaignClient, phones: Sequence[int]) -> list[JobReport]:
    """The calls to these phones; phones that the campaign does not know have none."""
    wanted = [str(phone) for phone in phones]
    ask = named("calls.ask_by_phone", client.job_reports)
    return ask_by_phones(lambda part: ask(phones=part), wanted).found


def by_date(
    client: CampaignClient, since: datetime, until: datetime, *, stop: threading.Event
) -> list[JobReport]:
    """Every call created in the range, each once; raises what `walk_created` raises."""
    calls: dict[str, JobReport] = {}

    def keep(rows: Sequence[JobReport]) -> None:
        calls.update({row.call_job_id: row for row in rows})

    walk_created(client, since, until, keep=keep, stop=stop)
    return list(calls.values())


def walk_created(
    client: CampaignClient,
    since: datetime,
    until: datetime,
    *,
    keep: Keep,
    stop: threading.Event,
) -> None:
    """Hand every call created in the range to `keep`, whatever pages it takes; some twice.

    Raises:
        Transient: a page came twice, there are too many, or a stop was asked for.
        Unsupported: the installation has no reports by date.
    """
    pages = Pages(client, stop)
    ranges = [(since, until)]
    while ranges:
        start, end = ranges.pop()
        full = pages.read(DateFilter(created_from=start, created_to=end), _Strict(keep).take)
        if stop.is_set():
            raise Transient("stopped while looking through reports")
        if not full:
            continue
        middle = middle_of(start, end)
        if middle is None or not pages.left:
            raise Transient("more calls in the reports than can be asked for")
        ranges += [(middle, end), (start, middle)]


@dataclass(slots=True)
class _Strict:
    """Takes the pages of one filter, each row once."""

    keep: Keep
    _seen: set[str] = field(default_factory=set)

    def take(self, rows: Sequence[JobReport]) -> None:
        ids = {row.call_job_id for row in rows}
        if not ids.isdisjoint(self._seen):
            # Rows came in between two pages and moved them: others may have been jumped over.
            raise Transient("the pages of the reports moved while they were read")
        self._seen |= ids
        self.keep(rows)
