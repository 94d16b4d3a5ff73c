"""Every page of the job reports that a filter of dates names, and what to do when it is too wide.

A filter reaches 200 pages of 200 rows (Calls API, Paging) and gives no total: one that fills them
all may hide more, and its range is halved.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.campaign.client import PAGE_MAX, PAGE_SIZE_MAX, CampaignClient
from syncd.core.report import DateFilter, JobReport
from syncd.observe.steps import named

#: Below this a range is not halved any more.
RANGE_MIN = timedelta(seconds=1)
#: Of one walk: a million rows. A server without end is left for the other ways of asking.
REQUESTS_MAX = 5_000

#: Takes the rows of one page.
Keep = Callable[[Sequence[JobReport]], None]


@dataclass(slots=True)
class Pages:
    """Asks for page after page, with one budget of requests for all filters."""

    client: CampaignClient
    stop: threading.Event
    left: int = REQUESTS_MAX  #: requests that may still be made

    def read(self, dates: DateFilter, keep: Keep) -> bool:
        """Hand each page to `keep`, until a short one or a stop; whether there may be more rows."""
        ask = named("reports.ask_by_date", self.client.job_reports_by_date)
        for number in range(PAGE_MAX + 1):
            rows = ask(dates, page=number, page_size=PAGE_SIZE_MAX)
            self.left -= 1
            keep(rows)
            if len(rows) < PAGE_SIZE_MAX or self.stop.is_set():
                return False
            if not self.left:
                return True
        return True


def middle_of(start: datetime, end: datetime) -> datetime | None:
    """Where a range is halved; None when it is too short."""
    return start + (end - start) / 2 if end - start > RANGE_MIN else None
