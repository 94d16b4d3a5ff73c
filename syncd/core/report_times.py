"""When an open call job is asked for again: the older, the rarer."""

from __future__ import annotations

from datetime import datetime, timedelta

#: A quarter of the age: a call of four minutes ago is asked for each minute, one of a day each 6 h.
AGE_SHARE = 4
INTERVAL_MAX = timedelta(hours=6)


def next_report_at(now: datetime, *, sent_at: datetime, every: timedelta) -> datetime:
    """The instant from which jobs sent at `sent_at` are asked for again.

    Args:
        every: the campaign's `report_every`: never sooner than this.
    """
    return now + min(max(every, (now - sent_at) / AGE_SHARE), max(every, INTERVAL_MAX))
