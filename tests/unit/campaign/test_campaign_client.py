"""What each method sends, and what it gives back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import orjson
import pytest

from syncd.campaign.client import PAGE_MAX, REPORT_IDS_MAX, CampaignClient
from syncd.core.report import DateFilter
from syncd.errors import ConfigError, InDoubt, Transient

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BASE = "/api/calls/campaign/1.2.secret-token"
CRM = "/api/crmCalls/campaign/1.2.secret-token"


@pytest.fixture
def ask(make_client: Any) -> Callable[..., tuple[httpx.Request, Any]]:
    """The request that a call sends, and what it returns when the server gives this body."""

    def run(call: Callable[[CampaignClient], object], body: object) -> tuple[httpx.Request, Any]:
        seen: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(200, content=b"" if body is None else orjson.dumps(body))

        value = call(make_client(handle, token="1.2.secret-token"))
        (request,) = seen
        assert request.headers["User-Agent"].startswith("syncd/")
        assert "cookie" not in request.headers
        return request, value

    return run


def test_add_phones_sends_the_bytes_it_was_given(ask: Any) -> None:
    """The stored bytes and the stored key, letter by letter."""
    body = b'[ {"phone" : "12125550100"} ]\n'
    passed: list[int] = []
    request, ids = ask(
        lambda c: c.add_phones(body, key="K-1", before_first_byte=lambda: passed.append(1)),
        ["5", 6],
    )
    assert (request.method, request.url.path) == ("POST", f"{BASE}/addPhones")
    assert request.content == body
    assert request.headers["Idempotence-Key"] == "K-1"
    assert request.headers["Content-Type"] == "application/json"
    assert ids == ["5", "6"]
    assert passed == [1]


@pytest.mark.parametrize(("jobs", "most"), [(1, 4), (3, 12), (40_000, 100_000)])
def test_an_answer_has_not_any_number_of_ids(ask: Any, jobs: int, most: int) -> None:
    """More IDs than jobs can be matched through reports, four times as many; more are a doubt."""
    body = orjson.dumps([{"phone": "12125550100"}] * jobs)
    ids = [str(n) for n in range(most)]
    assert ask(lambda c: c.add_phones(body, key="K"), ids)[1] == ids
    with pytest.raises(InDoubt, match=f"unreadable: more than {most:,} IDs"):
        ask(lambda c: c.add_phones(body, key="K"), [*ids, "x"])


def test_add_phone_by_get_puts_all_into_the_query(ask: Any) -> None:
    """The plus of a zone is %2B03:00: a bare one would be read as a space."""
    request, job_id = ask(
        lambda c: c.add_phone(
            12125550100,
            payload={"name": "Ada & Eve", "città": "1+1"},
            gmt_zone="+03:00",
            key="K 1",
            method="GET",
        ),
        "77",
    )
    assert (request.method, request.url.path) == ("GET", f"{CRM}/addPhone")
    assert b"gmtZone=%2B03:00&" in request.url.query
    assert b"+" not in request.url.query
    assert dict(parse_qsl(request.url.query.decode())) == {
        "phone": "12125550100",
        "gmtZone": "+03:00",
        "name": "Ada & Eve",
        "città": "1+1",
        "Idempotence-Key": "K 1",
    }
    assert "Idempotence-Key" not in request.headers
    assert request.content == b""
    assert job_id == "77"


def test_add_phone_by_post_is_a_form(ask: Any) -> None:
    """The key is a header there."""
    request, job_id = ask(
        lambda c: c.add_phone("12125550100", payload={"a": "x y"}, gmt_zone="+03:00", key="K"), 77
    )
    assert (request.method, request.url.path) == ("POST", f"{CRM}/addPhone")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Idempotence-Key"] == "K"
    assert request.url.query == b""
    fields = dict(parse_qsl(request.content.decode()))
    assert fields == {"phone": "12125550100", "gmtZone": "+03:00", "a": "x y"}
    assert b"%2B03:00" in request.content or b"%2B03%3A00" in request.content
    assert job_id == "77"


@pytest.mark.parametrize("key", [None, "K"])
def test_test_add_phone(key: str | None, ask: Any) -> None:
    """The key is optional for a test call."""
    request, job_id = ask(lambda c: c.test_add_phone(12125550100, key=key), "7")
    assert (request.method, request.url.path) == ("GET", f"{CRM}/test/addPhone")
    expected = {"phone": "12125550100"} | ({} if key is None else {"Idempotence-Key": key})
    assert dict(parse_qsl(request.url.query.decode())) == expected
    assert job_id == "7"


@pytest.mark.parametrize("name", ["phone", "gmtZone", "Idempotence-Key"])
def test_a_payload_cannot_take_the_methods_own_names(name: str, make_client: Any) -> None:
    """It would change who is called."""
    client = make_client(lambda _: pytest.fail("sent"))
    with pytest.raises(ConfigError, match=name):
        client.add_phone(12125550100, payload={name: "x"}, key="K")


@pytest.mark.parametrize("key", ["", "a\nb", " a", "a ", "ключ", "x" * 256])
def test_a_key_that_a_header_would_change_is_a_bug(key: str, make_client: Any) -> None:
    """Another key is another request: the vendor would call again."""
    client = make_client(lambda _: pytest.fail("sent"))
    with pytest.raises(AssertionError, match="key"):
        client.add_phones(b"[]", key=key)


@pytest.mark.parametrize("phone", ["+12125550100", "", "12125550100 ", "١٢٣", "1&x=2"])
def test_a_phone_that_is_not_digits_is_a_bug(phone: str, make_client: Any) -> None:
    """Phones are normalised before they come here."""
    client = make_client(lambda _: pytest.fail("sent"))
    with pytest.raises(AssertionError, match="digits"):
        client.test_add_phone(phone)


def test_a_payload_of_other_things_than_texts_is_a_bug(make_client: Any) -> None:
    """Parameters are texts; a payload with types goes through addPhones."""
    client = make_client(lambda _: pytest.fail("sent"))
    with pytest.raises(AssertionError, match="texts"):
        client.test_add_phone(12125550100, payload={"n": 1})


def test_cancel_takes_ids_and_phones(ask: Any) -> None:
    """The ids of the cancelled jobs come back."""
    request, ids = ask(lambda c: c.cancel(ids=["1"], phones=[12125550100]), ["1", "2"])
    assert (request.method, request.url.path) == ("POST", f"{BASE}/callJob/cancel")
    assert orjson.loads(request.content) == {"ids": ["1"], "phones": ["12125550100"]}
    assert ids == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("job_reports", "callJob/getReport"),
        ("attempt_reports", "callAttempt/getReport"),
    ],
)
def test_reports_by_ids(name: str, path: str, ask: Any) -> None:
    """Only the list that was given is sent."""
    request, reports = ask(lambda c: getattr(c, name)(ids=["5"]), [{"callJobId": 5}])
    assert (request.method, request.url.path) == ("POST", f"{BASE}/{path}")
    assert orjson.loads(request.content) == {"ids": ["5"]}
    assert [report.call_job_id for report in reports] == ["5"]


@pytest.mark.parametrize("name", ["job_reports", "attempt_reports", "cancel"])
def test_asking_for_nothing_sends_nothing(name: str, make_client: Any) -> None:
    """An empty list of ids must never mean "all"."""
    assert getattr(make_client(lambda _: pytest.fail("sent")), name)() == []


@pytest.mark.parametrize("name", ["job_reports", "attempt_reports", "cancel"])
def test_requests_are_bounded(name: str, make_client: Any) -> None:
    """Longer lists are cut by the engine, which knows what is open."""
    client = make_client(lambda _: pytest.fail("sent"))
    with pytest.raises(AssertionError, match="cuts longer lists"):
        getattr(client, name)(ids=["1"] * REPORT_IDS_MAX, phones=[12125550100])


def test_job_reports_by_date(ask: Any) -> None:
    """Filter and page, and the items of the page."""
    request, reports = ask(
        lambda c: c.job_reports_by_date(DateFilter(created_from=AT), page=1, page_size=2),
        {"items": [{"callJobId": "5"}], "pagination": {"page": 1, "pageSize": 2}},
    )
    assert request.url.path == f"{BASE}/callJob/getReportByDate"
    assert orjson.loads(request.content) == {
        "filter": {"createdAtFrom": "2026-03-02T10:00:00.000Z"},
        "pagination": {"page": 1, "pageSize": 2},
    }
    assert [report.call_job_id for report in reports] == ["5"]


def test_attempt_reports_by_date(ask: Any) -> None:
    """Attempts are asked for by start and end."""
    request, reports = ask(
        lambda c: c.attempt_reports_by_date(DateFilter(started_from=AT, started_to=AT), page=0),
        {"items": []},
    )
    assert request.url.path == f"{BASE}/callAttempt/getReportByDate"
    assert set(orjson.loads(request.content)["filter"]) == {"startedAtFrom", "startedAtTo"}
    assert reports == []


def test_unfinished(ask: Any) -> None:
    """No filter: only the page."""
    request, reports = ask(lambda c: c.unfinished(page=3), {"items": [{"callJobId": "5"}]})
    assert request.url.path == f"{BASE}/callJob/getUnfinished"
    assert orjson.loads(request.content) == {"page": 3, "pageSize": 200}
    assert len(reports) == 1


@pytest.mark.parametrize(("page", "size"), [(-1, 1), (PAGE_MAX + 1, 1), (0, 0), (0, 201)])
def test_pages_are_bounded(page: int, size: int, make_client: Any) -> None:
    """Calls API, "Paging": 0 to 199, and 1 to 200 rows."""
    client = make_client(lambda _: pytest.fail("sent"))
    with pytest.raises(AssertionError):
        client.unfinished(page=page, page_size=size)


def test_a_filter_of_the_other_method_is_a_bug(make_client: Any) -> None:
    """The vendor would ignore it, and answer with everything."""
    client = make_client(lambda _: pytest.fail("sent"))
    with pytest.raises(AssertionError, match="no start"):
        client.job_reports_by_date(DateFilter(started_from=AT), page=0)
    with pytest.raises(AssertionError, match="no creation"):
        client.attempt_reports_by_date(DateFilter(created_to=AT), page=0)


def test_info_and_status(ask: Any) -> None:
    """Both are plain questions."""
    request, info = ask(lambda c: c.info(), {"id": 1, "status": "new"})
    assert (request.method, request.url.path) == ("GET", BASE)
    assert (info.id, info.status) == ("1", "new")
    request, status = ask(lambda c: c.status(), "inProcess")
    assert (request.method, request.url.path) == ("GET", f"{BASE}/status")
    assert status == "inProcess"


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
def test_control(verb: str, ask: Any) -> None:
    """An empty POST, an empty answer."""
    request, value = ask(lambda c: getattr(c, verb)(), None)
    assert (request.method, request.url.path) == ("POST", f"{BASE}/control/{verb}")
    assert (request.content, request.headers["Content-Length"]) == (b"", "0")
    assert value is None


def test_a_stop_while_waiting_sends_nothing(make_client: Any) -> None:
    """A daemon that is told to stop starts no new request."""
    stop = threading.Event()
    stop.set()
    client = make_client(lambda _: pytest.fail("sent"), stop=stop)
    with pytest.raises(Transient, match="syncd is stopping"):
        client.add_phones(b"[]", key="k", before_first_byte=pytest.fail)


def test_cookies_are_not_kept(make_client: Any) -> None:
    """A balancer's cookie in one answer is not sent with the next request."""
    seen: list[httpx.Headers] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, content=b'"new"', headers={"Set-Cookie": "a=b"})

    client = make_client(handle)
    client.status()
    client.status()
    assert "cookie" not in seen[1]
