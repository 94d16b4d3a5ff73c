"""Walking reports by date: nothing is lost between pages, halves and passes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from syncd.campaign.client import CampaignClient
from syncd.core.report import DateFilter, JobReport
from syncd.engine import date_pages, date_walk
from syncd.errors import Unsupported

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Vendor:
    """Only the one method: rows by `finishedAt`, both ends included, the oldest or newest first."""

    def __init__(self, ends: Sequence[datetime], *, newest_first: bool = False) -> None:
        rows = [JobReport(call_job_id=str(n), finished_at=end) for n, end in enumerate(ends)]
        self.rows = sorted(rows, key=_end, reverse=newest_first)
        self.requests = 0

    def job_reports_by_date(
        self, dates: DateFilter, *, page: int, page_size: int
    ) -> list[JobReport]:
        self.requests += 1
        assert page <= date_pages.PAGE_MAX
        since = dates.finished_from
        assert since is not None
        found = [
            row
            for row in self.rows
            if since <= _end(row) and (dates.finished_to is None or _end(row) <= dates.finished_to)
        ]
        return found[page * page_size : (page + 1) * page_size]


def _end(row: JobReport) -> datetime:
    assert row.finished_at is not None
    return row.finished_at


def walk(
    vendor: Vendor, *, stop: threading.Event | None = None, since: datetime = START
) -> tuple[set[str], datetime | None]:
    """The IDs that were handed over, and how far the walk came."""
    kept: set[str] = set()
    newest = date_walk.walk_finished(
        cast("CampaignClient", vendor),
        since=since,
        keep=lambda rows: kept.update(row.call_job_id for row in rows),
        stop=stop or threading.Event(),
    )
    return kept, newest


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a page, two pages a filter."""
    monkeypatch.setattr(date_pages, "PAGE_SIZE_MAX", 3)
    monkeypatch.setattr(date_pages, "PAGE_MAX", 1)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("rows", [0, 1, 3, 5, 6, 7, 12, 40])
@pytest.mark.parametrize("gap_s", [1, 60, 86_400])
def test_every_row_is_handed_over(rows: int, gap_s: int, newest_first: bool) -> None:
    """However many rows stand behind one filter and in whichever order, none is missed."""
    ends = [START + timedelta(seconds=n * gap_s) for n in range(rows)]
    kept, newest = walk(Vendor(ends, newest_first=newest_first))
    assert kept == {str(n) for n in range(rows)}
    assert newest == (ends[-1] if ends else None)


def test_rows_gather_at_one_end() -> None:
    """A crowd of a few seconds amid a month is halved down to."""
    crowd = [START + timedelta(days=20, seconds=n) for n in range(30)]
    ends = [START, *crowd, START + timedelta(days=31)]
    kept, newest = walk(Vendor(ends))
    assert len(kept) == 32
    assert newest == ends[-1]


def test_more_rows_at_one_instant_than_a_filter_reaches_end_the_halving() -> None:
    """Nothing can tell them apart: the walk ends, and what stands before and after is told."""
    ends = [START, *[START + timedelta(hours=5)] * 50, START + timedelta(hours=9)]
    vendor = Vendor(ends)
    kept, newest = walk(vendor)
    assert {"0", "51"} <= kept
    assert newest == ends[-1]
    assert vendor.requests < 200


def test_an_hour_is_walked_twice() -> None:
    """A report that came late, dated before the last walk's end, is still told."""
    kept, newest = walk(Vendor([START - timedelta(minutes=59), START - timedelta(minutes=61)]))
    assert kept == {"0"}
    assert newest == START - timedelta(minutes=59)


def test_a_stop_ends_the_walk_after_the_page_at_hand() -> None:
    """What was handed over stays; the rest is not asked for."""
    stop = threading.Event()
    vendor = Vendor([START + timedelta(minutes=n) for n in range(40)])
    real = vendor.job_reports_by_date

    def stopping(*args: Any, **named: Any) -> list[JobReport]:
        stop.set()
        return real(*args, **named)

    vendor.job_reports_by_date = stopping  # type: ignore[method-assign]
    kept, _ = walk(vendor, stop=stop)
    assert len(kept) == 3
    assert vendor.requests == 1


def test_a_row_without_an_end_moves_nothing() -> None:
    """An odd row is handed over and does not say how far the walk came."""
    vendor = Vendor([])
    vendor.job_reports_by_date = (  # type: ignore[method-assign]
        lambda _dates, *, page, page_size: [JobReport(call_job_id="1")] if page == 0 else []
    )
    assert walk(vendor) == ({"1"}, None)


def test_a_missing_method_is_told() -> None:
    """The caller has another way."""
    vendor = Vendor([])

    def lacking(*_args: Any, **_named: Any) -> list[JobReport]:
        message = "no such method"
        raise Unsupported(message)

    vendor.job_reports_by_date = lacking  # type: ignore[method-assign]
    with pytest.raises(Unsupported):
        walk(vendor)
