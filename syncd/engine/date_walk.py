"""Walking job reports by `finishedAt`, past the limit of rows that one filter can reach.

A filter reaches 200 pages of 200 rows (Calls API, Paging) and gives no total. A range that fills
them all is halved. The walk keeps the vendor's own times, so a difference between our clock and
the vendor's loses nothing; an hour is walked twice, for reports that come late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.campaign.client import PAGE_MAX, PAGE_SIZE_MAX, CampaignClient
from syncd.core.report import DateFilter, JobReport
from syncd.errors import Unsupported

OVERLAP = timedelta(hours=1)
#: Below this a range is not halved any more: more rows than a filter reaches ended at once.
RANGE_MIN = timedelta(seconds=1)
#: Times of reports are milliseconds.
INSTANT = timedelta(milliseconds=1)


#: Of one walk: a million rows. A server without end is left for the other ways of asking.
REQUESTS_MAX = 5_000


@dataclass(slots=True)
class Budget:
    """How many requests a walk may still make."""

    left: int


def walk_finished(
    client: CampaignClient,
    *,
    since: datetime,
    keep: Callable[[Sequence[JobReport]], None],
    stop: threading.Event,
) -> datetime | None:
    """Hand every report that finished from `since` on (less the overlap) to `keep`.

    Returns:
        The newest `finishedAt` that was seen, or None when nothing was.

    Raises:
        Unsupported: the installation has no reports by date.
    """
    newest: datetime | None = None
    ranges: list[tuple[datetime, datetime | None]] = [(since - OVERLAP, None)]
    budget = Budget(REQUESTS_MAX)
    while ranges and not stop.is_set():
        start, end = ranges.pop()
        if not budget.left:
            return start  # everything before it was walked; the next pull goes on from here
        seen, full = _walk(client, start, end, keep, stop, budget)
        newest = max(filter(None, (newest, seen)), default=None)
        if not full or seen is None:
            continue
        last = end or seen
        if last - start > RANGE_MIN:
            middle = start + (last - start) / 2
            ranges += [(middle, end), (start, middle)]
        elif end is None:
            # So many rows ended at once (a stopped campaign) that only their IDs can tell the
            # rest of them; what ended later is still to be walked.
            ranges.append((last + INSTANT, None))
    return newest


def _walk(
    client: CampaignClient,
    start: datetime,
    end: datetime | None,
    keep: Callable[[Sequence[JobReport]], None],
    stop: threading.Event,
    budget: Budget,
) -> tuple[datetime | None, bool]:
    """The newest time seen in one range, and whether the range filled every page."""
    newest: datetime | None = None
    before: list[str] = []
    dates = DateFilter(finished_from=start, finished_to=end)
    for page in range(PAGE_MAX + 1):
        rows = client.job_reports_by_date(dates, page=page, page_size=PAGE_SIZE_MAX)
        budget.left -= 1
        ids = [row.call_job_id for row in rows]
        if ids and ids == before:
            raise Unsupported("the installation gives the same page again and again")
        before = ids
        if rows:
            keep(rows)
        ends = [row.finished_at for row in rows if row.finished_at is not None]
        newest = max([*ends, *([newest] if newest else [])], default=None)
        if len(rows) < PAGE_SIZE_MAX or stop.is_set():
            return newest, False
        if not budget.left:
            return newest, True
    return newest, True
