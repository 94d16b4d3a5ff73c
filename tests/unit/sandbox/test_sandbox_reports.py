"""Reports by ID, by date and page by page."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from syncd.sandbox import reports
from syncd.sandbox.clock import iso_ms
from syncd.sandbox.refusals import RefusalError

NEW_JOB = {
    "attemptsCount": 0,
    "callDuration": 0,
    "finishedAt": None,
    "jobStatus": "planned",
    "redialNumber": None,
    "reportData": None,
    "tagName": None,
    "tagPayload": None,
}


def ask(method: Any, desk: Any, **body: Any) -> list[dict[str, Any]]:
    """The items of a paged method."""
    desk.book.now_ms()
    return list(method(desk.campaign, orjson.dumps(body))["items"])


def phones(count: int, first: int = 0) -> list[dict[str, str]]:
    """Jobs for ordinary numbers."""
    return [{"phone": f"4477009{number:05}"} for number in range(first, first + count)]


@pytest.fixture
def three_days(desk: Any) -> Any:
    """A desk where ten jobs were added on each of three days."""
    for day in range(3):
        desk.add(*phones(10, first=100 * day))
        desk.wait(hours=24)
    return desk


def test_a_new_job_has_the_shape_that_was_seen(desk: Any) -> None:
    """Exactly the fields of the recorded answer; times are numbers."""
    (id_,) = desk.add({"phone": "12125550101", "startDateTime": "2027-01-01T00:00:00Z"})
    created = {"callJobId": id_, "createdAt": desk.book.now_ms(), "phone": "12125550101"}
    assert desk.report(id_) == {**NEW_JOB, **created}


def test_an_attempt_report_has_all_its_fields(desk: Any) -> None:
    """While the call lasts it is inProcess without an end; then it has its outcome."""
    desk.add({"phone": "12125550190"})
    (attempt,) = ask(reports.attempts_by_date, desk)
    assert (attempt["jobStatus"], attempt["finishedAt"]) == ("inProcess", None)
    desk.wait(minutes=5)
    (attempt,) = ask(reports.attempts_by_date, desk)
    assert attempt.keys() == {
        *("callJobId", "phone", "attemptNumber", "redialNumber", "jobStatus", "callResult"),
        *("callDuration", "startedAt", "finishedAt", "tagName", "tagPayload", "reportData"),
    }
    assert attempt["finishedAt"] - attempt["startedAt"] == attempt["callDuration"] * 1000


def test_pages_together_hold_everything_once(three_days: Any) -> None:
    """Page by page every job comes once, in the order of creation; past the end nothing."""
    seen: list[str] = []
    page = 0
    while items := ask(reports.jobs_by_date, three_days, pagination={"page": page, "pageSize": 7}):
        assert len(items) <= 7
        seen += [item["callJobId"] for item in items]
        page += 1
    assert seen == [str(job.id) for job in three_days.campaign.created]


def test_the_default_page_has_twenty(three_days: Any) -> None:
    """Page 0 and pageSize 20 when nothing is said, and the answer tells them."""
    three_days.book.now_ms()
    answer = reports.jobs_by_date(three_days.campaign, b"")
    assert answer["pagination"] == {"page": 0, "pageSize": 20}
    assert len(ask(reports.jobs_by_date, three_days, pagination=None)) == 20


def test_a_filter_includes_both_its_ends(three_days: Any) -> None:
    """CreatedAt from and to, as milliseconds or ISO 8601."""
    created = three_days.campaign.created[10].created_ms
    for instant in (created, iso_ms(created)):
        wanted = {"createdAtFrom": instant, "createdAtTo": instant}
        assert len(ask(reports.jobs_by_date, three_days, filter=wanted)) == 10
    assert ask(reports.jobs_by_date, three_days, filter={"createdAtTo": created - 86_400_001}) == []


def test_filters_of_creation_and_finish_hold_together(three_days: Any) -> None:
    """With both filters a job must fit both."""
    created = three_days.campaign.created[10].created_ms
    done = ask(
        reports.jobs_by_date,
        three_days,
        filter={"finishedAtFrom": created, "createdAtTo": created},
        pagination={"pageSize": 200},
    )
    expected = {
        str(job.id)
        for job in three_days.campaign.created
        if job.finished_ms and job.finished_ms >= created and job.created_ms <= created
    }
    assert {item["callJobId"] for item in done} == expected
    assert [item["finishedAt"] for item in done] == sorted(item["finishedAt"] for item in done)


def test_attempts_by_start_and_finish(three_days: Any) -> None:
    """The attempt filters work as those of jobs do."""
    dialled = three_days.campaign.dialled
    middle = dialled[len(dialled) // 2].started_ms
    wanted = {"startedAtFrom": middle, "finishedAtFrom": middle}
    found = ask(reports.attempts_by_date, three_days, filter=wanted, pagination={"pageSize": 200})
    assert len(found) == sum(call.started_ms >= middle for call in dialled)
    by_finish = ask(
        reports.attempts_by_date,
        three_days,
        filter={"finishedAtTo": middle},
        pagination={"pageSize": 200},
    )
    assert len(by_finish) == sum(call.ended_ms <= middle for call in dialled)


def test_unfinished_jobs_are_those_without_a_finish(desk: Any) -> None:
    """What has ended leaves the list."""
    later = {"startDateTime": "2027-01-01T00:00:00Z"}
    desk.add({"phone": "12125550190"}, {"phone": "12125550191", **later})
    assert len(ask(reports.unfinished, desk)) == 2
    desk.wait(hours=1)
    assert [item["phone"] for item in ask(reports.unfinished, desk)] == ["12125550191"]
    assert ask(reports.unfinished, desk, page=1, pageSize=1) == []


@pytest.mark.parametrize(
    "pagination",
    [
        {"page": -1},
        {"page": 200},
        {"pageSize": 0},
        {"pageSize": 201},
        {"page": "0"},
        {"page": True},
    ],
)
def test_the_limits_of_paging_are_kept(desk: Any, pagination: dict[str, Any]) -> None:
    """Page 0 to 199, size 1 to 200: anything else is a 400, for all three methods."""
    for method, body in (
        (reports.jobs_by_date, {"pagination": pagination}),
        (reports.attempts_by_date, {"pagination": pagination}),
        (reports.unfinished, pagination),
    ):
        with pytest.raises(RefusalError) as caught:
            ask(method, desk, **body)
        assert caught.value.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'{"filter": []}'.replace(b"[]", b"[1]"),
        b'{"pagination": [1]}',
        b'{"filter": {"createdAtFrom": "yesterday"}}',
        b'{"filter": {"createdAtTo": "2026-11-23T08:00:00"}}',
        b'{"filter": {"finishedAtTo": 1.5}}',
    ],
)
def test_a_bad_filter_is_a_bad_request(desk: Any, body: bytes) -> None:
    """Shapes and dates that nobody understands are refused."""
    with pytest.raises(RefusalError):
        reports.jobs_by_date(desk.campaign, body)


def test_campaign_information_counts(desk: Any) -> None:
    """All fields of the contract; numbers of the short report add up."""
    desk.add({"phone": "12125550190"}, {"phone": "12125550192"}, {"phone": "12125550198"})
    desk.wait(minutes=5)
    info = desk.campaign.info()
    assert info.keys() == {
        *("id", "name", "projectName", "creationDate", "botId", "status", "startTime", "endTime"),
        *("maxSimultaneousCalls", "shortReport"),
    }
    short = info["shortReport"]
    assert (short["totalNumbers"], short["processedNumbers"], short["inProcessCalls"]) == (3, 2, 1)
    assert short["usedTalkingTime"] > 0
