"""Walking job reports by `finishedAt`, past the limit of rows that one filter can reach.

A range that fills its filter is halved. The walk keeps the vendor's own times, so a difference
between our clock and the vendor's loses nothing; an hour is walked twice, for reports that come
late.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncd.campaign.client import CampaignClient
from syncd.core.report import DateFilter, JobReport
from syncd.engine.date_pages import Keep, Pages, middle_of
from syncd.errors import Unsupported

OVERLAP = timedelta(hours=1)
#: Times of reports are milliseconds.
INSTANT = timedelta(milliseconds=1)


def walk_finished(
    client: CampaignClient, *, since: datetime, keep: Keep, stop: threading.Event
) -> datetime | None:
    """Hand every report that finished from `since` on (less the overlap) to `keep`.

    Returns:
        The newest `finishedAt` that was seen, or None when nothing was.

    Raises:
        Unsupported: the installation has no reports by date.
    """
    newest: datetime | None = None
    ranges: list[tuple[datetime, datetime | None]] = [(since - OVERLAP, None)]
    pages = Pages(client, stop)
    while ranges and not stop.is_set():
        start, end = ranges.pop()
        if not pages.left:
            return start  # everything before it was walked; the next pull goes on from here
        seen = _Seen(keep)
        full = pages.read(DateFilter(finished_from=start, finished_to=end), seen.take)
        newest = max(filter(None, (newest, seen.newest)), default=None)
        if not full or seen.newest is None:
            continue
        last = end or seen.newest
        middle = middle_of(start, last)
        if middle is not None:
            ranges += [(middle, end), (start, middle)]
        elif end is None:
            # So many rows ended at once (a stopped campaign) that only their IDs can tell the
            # rest of them; what ended later is still to be walked.
            ranges.append((last + INSTANT, None))
    return newest


@dataclass(slots=True)
class _Seen:
    """What one range showed so far."""

    keep: Keep
    newest: datetime | None = None
    _before: list[str] = field(default_factory=list)

    def take(self, rows: Sequence[JobReport]) -> None:
        ids = [row.call_job_id for row in rows]
        if ids and ids == self._before:
            raise Unsupported("the installation gives the same page again and again")
        self._before = ids
        if rows:
            self.keep(rows)
        ends = [row.finished_at for row in rows if row.finished_at is not None]
        self.newest = max([*ends, *([self.newest] if self.newest else [])], default=None)
