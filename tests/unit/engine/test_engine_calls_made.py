"""Which calls were made: a look is whole, or it says nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from syncd.campaign.client import CampaignClient
from syncd.core.report import DateFilter, JobReport
from syncd.engine import date_pages
from syncd.engine.calls_made import by_date
from syncd.errors import Transient

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
END = START + timedelta(days=2)


class Vendor:
    """Rows by `createdAt`, both ends included, the newest first."""

    def __init__(self, times: Sequence[datetime]) -> None:
        self.rows = [JobReport(call_job_id=str(n), created_at=at) for n, at in enumerate(times)]
        self.arrives: list[JobReport] = []  #: one more row before each page
        self.requests = 0

    def job_reports_by_date(
        self, dates: DateFilter, *, page: int, page_size: int
    ) -> list[JobReport]:
        self.requests += 1
        if page and self.arrives:
            self.rows.append(self.arrives.pop())
        start, end = dates.created_from, dates.created_to
        assert start is not None
        assert end is not None
        found = [row for row in self.rows if row.created_at and start <= row.created_at <= end]
        found.sort(key=lambda row: (row.created_at, int(row.call_job_id)), reverse=True)
        return found[page * page_size : (page + 1) * page_size]


def look(vendor: Vendor, *, stop: threading.Event | None = None) -> set[str]:
    calls = by_date(cast("CampaignClient", vendor), START, END, stop=stop or threading.Event())
    assert len({call.call_job_id for call in calls}) == len(calls)
    return {call.call_job_id for call in calls}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a page, two pages a filter."""
    monkeypatch.setattr(date_pages, "PAGE_SIZE_MAX", 3)
    monkeypatch.setattr(date_pages, "PAGE_MAX", 1)


@pytest.mark.parametrize("rows", [0, 1, 3, 6, 7, 40])
def test_every_call_of_the_range_is_told_once(rows: int) -> None:
    """However many stand behind one filter."""
    times = [START + timedelta(minutes=n) for n in range(rows)]
    vendor = Vendor([*times, START - timedelta(seconds=1), END + timedelta(seconds=1)])
    assert look(vendor) == {str(n) for n in range(rows)}


def test_n17_a_look_whose_pages_shift_is_none() -> None:
    """A row that comes in between two pages moves them, so that one could be jumped over."""
    vendor = Vendor([START + timedelta(minutes=n) for n in range(5)])
    vendor.arrives = [JobReport(call_job_id="99", created_at=START + timedelta(hours=1))]
    with pytest.raises(Transient, match="moved"):
        look(vendor)
    assert look(vendor) == {"0", "1", "2", "3", "4", "99"}


def test_n17_a_look_whose_pages_come_twice_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that gives its first page again and again tells nothing, and is not asked on."""
    vendor = Vendor([START + timedelta(minutes=n) for n in range(5)])
    real = vendor.job_reports_by_date
    monkeypatch.setattr(
        vendor,
        "job_reports_by_date",
        lambda dates, *, page, page_size: real(dates, page=page * 0, page_size=page_size),
    )
    with pytest.raises(Transient, match="moved"):
        look(vendor)
    assert vendor.requests == 2


def test_more_calls_than_can_be_told_apart_are_no_look() -> None:
    """Seven calls of one instant stand behind a filter of six."""
    with pytest.raises(Transient, match="more calls"):
        look(Vendor([START + timedelta(hours=1)] * 7))


def test_a_stop_is_no_look() -> None:
    """What was read until then is not taken for all there is."""
    stop = threading.Event()
    stop.set()
    vendor = Vendor([START + timedelta(minutes=n) for n in range(5)])
    with pytest.raises(Transient, match="stopped"):
        look(vendor, stop=stop)
    assert vendor.requests == 1
