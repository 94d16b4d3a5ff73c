"""The report methods: by ID or phone, and page by page.

Owns paging: a page is found by bisection or a bounded walk, whatever the size of the campaign. Only
a view that hides or turns rows looks at all of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

import orjson

from syncd.sandbox.campaign import SandboxCampaign
from syncd.sandbox.clock import parse_ms
from syncd.sandbox.jobs import Attempt, Job
from syncd.sandbox.knobs import Knobs
from syncd.sandbox.naming import named
from syncd.sandbox.refusals import bad_request
from syncd.sandbox.validate import read_json

PAGE: Final = (0, 199)
PAGE_SIZE: Final = (1, 200)
DEFAULT_PAGE: Final = 0
DEFAULT_PAGE_SIZE: Final = 20
_T = TypeVar("_T")
Range = tuple[int | None, int | None]


class View(NamedTuple):
    """What of a campaign reports show at `now_ms`, and in which order.

    `shift` rows have come before a page since the page before was read (negative: they have gone);
    with `repeat` the page before comes once more.
    """

    now_ms: int = 0
    lag_ms: int = 0
    spread_ms: int = 0
    newest_first: bool = False
    shift: int = 0
    repeat: bool = False

    @property
    def hides(self) -> bool:
        """Whether there are jobs that do not show yet."""
        return bool(self.lag_ms or self.spread_ms)

    @property
    def plain(self) -> bool:
        """Whether reports are what they are."""
        return not (self.hides or self.newest_first or self.shift or self.repeat)

    def shows(self, job: Job) -> bool:
        """Whether a job was made long enough ago; how long that is, hangs on its ID alone."""
        if not self.hides:
            return True
        digest = blake2b(str(job.id).encode(), digest_size=4).digest()
        late_ms = self.spread_ms * int.from_bytes(digest, "big") >> 32
        return job.created_ms + self.lag_ms + late_ms <= self.now_ms


PLAIN: Final = View()


def view_of(knobs: Knobs, now_ms: int, *, shift: int = 0, repeat: bool = False) -> View:
    """The view that the knobs give."""
    return View(
        now_ms,
        round(knobs.report_lag_seconds * 1000),
        round(knobs.report_lag_spread_seconds * 1000),
        knobs.report_order == "newest_first",
        shift,
        repeat,
    )


def jobs_named(campaign: SandboxCampaign, body: bytes, view: View = PLAIN) -> bytes:
    """A report for each named job. Source: Calls API, callJob/getReport."""
    return orjson.dumps([job.report() for job in named(campaign, body, view.shows)])


def attempts_named(campaign: SandboxCampaign, body: bytes, view: View = PLAIN) -> bytes:
    """A report for each attempt of the named jobs. Source: Calls API, callAttempt/getReport."""
    jobs = named(campaign, body, view.shows)
    return orjson.dumps([attempt.report() for job in jobs for attempt in job.attempts])


def jobs_by_date(campaign: SandboxCampaign, body: bytes, view: View = PLAIN) -> dict[str, object]:
    """Job reports whose creation and finish lie in the filter, both ends included.

    In order of the finish when the filter names it, else of the creation.
    Source: Calls API, callJob/getReportByDate.
    """
    request = _object(body)
    created, finished = _range(request, "createdAt"), _range(request, "finishedAt")
    if finished == (None, None):
        found = _between(campaign.created, created, lambda job: job.created_ms)
    else:
        done = _between(campaign.closed, finished, _finished_ms)
        found = done if created == (None, None) else [j for j in done if _in(j.created_ms, created)]
    if view.hides:
        found = [job for job in found if view.shows(job)]
    return _page(found, request.get("pagination"), Job.report, view)


def attempts_by_date(
    campaign: SandboxCampaign, body: bytes, view: View = PLAIN
) -> dict[str, object]:
    """Attempt reports by start and finish. Source: Calls API, callAttempt/getReportByDate."""
    request = _object(body)
    started, finished = _range(request, "startedAt"), _range(request, "finishedAt")
    if finished == (None, None):
        found = _between(campaign.dialled, started, lambda attempt: attempt.started_ms)
    else:
        done = _between(campaign.ended, finished, lambda attempt: attempt.ended_ms)
        found = done if started == (None, None) else [a for a in done if _in(a.started_ms, started)]
    if view.hides:
        found = [attempt for attempt in found if view.shows(attempt.job)]
    return _page(found, request.get("pagination"), Attempt.report, view)


def unfinished(campaign: SandboxCampaign, body: bytes, view: View = PLAIN) -> dict[str, object]:
    """Reports of jobs without finishedAt. Source: Calls API, callJob/getUnfinished."""
    pagination = _object(body)
    if not view.plain:
        shown = [job for job in campaign.open.values() if view.shows(job)]
        return _page(shown, pagination, Job.report, view)
    page, size = _pagination(pagination)
    jobs = islice(campaign.open.values(), page * size, (page + 1) * size)
    return _answer([job.report() for job in jobs], page, size)


def _object(body: bytes) -> dict[str, Any]:
    request = read_json(body) if body else {}
    if not isinstance(request, dict):
        raise bad_request("the body must be a JSON object")
    return request


def _range(request: dict[str, Any], name: str) -> Range:
    wanted = request.get("filter") or {}
    if not isinstance(wanted, dict):
        raise bad_request("filter must be an object")
    return _instant(wanted.get(f"{name}From")), _instant(wanted.get(f"{name}To"))


def _instant(value: object) -> int | None:
    """Milliseconds as a number, or ISO 8601 with zone."""
    if value is None or type(value) is int:
        return value
    try:
        return parse_ms(str(value))
    except (ValueError, OverflowError):
        raise bad_request("a date must be Unix milliseconds or ISO 8601 with zone") from None


def _between(items: Sequence[_T], within: Range, at: Callable[[_T], int]) -> Sequence[_T]:
    low, high = within
    first = 0 if low is None else bisect_left(items, low, key=at)
    last = len(items) if high is None else bisect_right(items, high, key=at)
    return items[first:last]


def _in(at_ms: int, within: Range) -> bool:
    low, high = within
    return (low is None or low <= at_ms) and (high is None or at_ms <= high)


def _finished_ms(job: Job) -> int:
    assert job.finished_ms is not None, "a closed job has its finish"
    return job.finished_ms


def _page(
    found: Sequence[_T],
    pagination: object,
    report: Callable[[_T], dict[str, object]],
    view: View,
) -> dict[str, object]:
    if pagination is not None and not isinstance(pagination, dict):
        raise bad_request("pagination must be an object")
    page, size = _pagination(pagination or {})
    if view.newest_first:
        found = found[::-1]
    first = max(0, (page - view.repeat) * size)
    if page:  # nothing can have moved before the first page
        first = max(0, first - view.shift)
    return _answer([report(item) for item in found[first : first + size]], page, size)


def _pagination(asked: dict[str, Any]) -> tuple[int, int]:
    page = _bounded(asked, "page", PAGE, DEFAULT_PAGE)
    return page, _bounded(asked, "pageSize", PAGE_SIZE, DEFAULT_PAGE_SIZE)


def _bounded(asked: dict[str, Any], name: str, limits: tuple[int, int], default: int) -> int:
    value = asked.get(name)
    if value is None:
        return default
    if type(value) is not int or not limits[0] <= value <= limits[1]:
        raise bad_request(f"{name} must be from {limits[0]} to {limits[1]}")
    return value


def _answer(items: list[dict[str, object]], page: int, size: int) -> dict[str, object]:
    return {"items": items, "pagination": {"page": page, "pageSize": size}}
