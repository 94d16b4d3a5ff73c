"""What a client sees of each fault, over HTTP and without a socket, and what was done behind it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from syncd.sandbox.exchange import exchange
from syncd.sandbox.faults import KINDS, Fault
from syncd.sandbox.testing import running_sandbox
from tests.sandboxes import WAYS, Http, Reply, Way, way_to

A, B, C = (f"1212555011{number}" for number in range(3))
FIRST, SECOND = "5665334669", "5665334671"
BODY = f'["{FIRST}","{SECOND}"]'.encode()
MEGABYTE = 1 << 20


@pytest.fixture(params=WAYS)
def api(request: pytest.FixtureRequest) -> Iterator[Way]:
    """A sandbox without the rule for duplicates."""
    with way_to(request.param, duplicate_hours=0) as way:
        yield way


def jobs(api: Way) -> int:
    """How many jobs were made."""
    return len(api.box.jobs())


def under(api: Way, name: str, **fields: Any) -> Reply:
    """What comes of an addPhones of two under this fault."""
    assert api.fault(name, **fields) is not None
    return api.add(A, B, key="k")


# --- what does not arrive -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "end", "done"),
    [
        ("request_lost", "closed", 0),
        ("answer_lost", "closed", 2),
        ("reset", "reset", 0),
        ("late", "closed", 0),
    ],
)
def test_not_one_byte_comes(api: Way, name: str, end: str, done: int) -> None:
    """The client cannot tell which of them it was; the key brings the IDs of one set of jobs."""
    reply = under(api, name)
    assert (reply.status, reply.body, jobs(api)) == (None, b"", done)
    assert reply.end in {end, "closed"}, "a reset may look like a close to the client"
    assert api.add(A, B, key="k").body == BODY
    assert jobs(api) == 2


@pytest.mark.parametrize(("name", "done"), [("request_lost", 0), ("answer_lost", 2), ("late", 0)])
def test_silence_until_the_client_has_enough(name: str, done: int) -> None:
    """A close that comes later than the client waits is a timeout; the server goes on."""
    with way_to("http") as api:
        api.fault(name, seconds=60)
        url = f"{api.box.base_url}/api/calls/campaign/{api.box.token}/addPhones"
        with (
            httpx.Client(trust_env=False, verify=False, timeout=0.2) as hasty,
            pytest.raises(httpx.ReadTimeout),
        ):
            hasty.post(url, json=[{"phone": A}, {"phone": B}])
        assert jobs(api) == done
        assert api.add(C).status == 200


def test_silence_that_ends_before_the_client_leaves(api: Way) -> None:
    """It is a close like any other."""
    reply = under(api, "answer_lost", seconds=0.01)
    assert (reply.status, reply.end, jobs(api)) == (None, "closed", 2)


def test_a_reset_in_the_middle_of_an_answer(api: Way) -> None:
    """The work is done, and at most half of the body comes."""
    reply = under(api, "reset_mid_answer")
    assert reply.end == "reset"
    assert BODY.startswith(reply.body)
    assert len(reply.body) <= len(BODY) // 2
    assert jobs(api) == 2


def test_a_truncated_answer(api: Way) -> None:
    """Content-Length tells of more than what comes before the close."""
    reply = under(api, "truncated")
    assert (reply.status, reply.body, reply.end) == (200, BODY[: len(BODY) // 2], "closed")


def test_half_of_a_json_text(api: Way) -> None:
    """For HTTP it is whole."""
    reply = under(api, "half_json")
    assert (reply.status, reply.body, reply.end) == (200, BODY[: len(BODY) // 2], "whole")


def test_a_trickled_body(api: Way) -> None:
    """Byte by byte, and whole at the end."""
    assert under(api, "trickled", seconds=0.001).body == BODY


def test_a_slow_answer_is_said_in_seconds_and_parts() -> None:
    """Without a socket nobody waits: the time that it would take is told."""
    with way_to("direct") as api:
        for name, told in (("slow", (5, 10)), ("trickled", (0.2 * len(BODY), len(BODY)))):
            api.fault(name)
            path = f"/api/calls/campaign/{api.box.token}/addPhones"
            body = json.dumps([{"phone": A}, {"phone": B}]).encode()
            seen = api.box.exchange("POST", path, body=body, headers={"idempotence-key": "k"})
            assert (seen.seconds, seen.parts) == told


def test_a_connection_that_was_idle_is_closed_at_the_next_request() -> None:
    """The first request of a connection passes, the second is reset and not carried out."""
    with way_to("http") as api:
        api.box.faults.add(Fault("keep_alive_closed"))
        assert api.add(A).status == 200
        assert api.add(B).status is None
        assert jobs(api) == 1
        assert api.add(B).status == 200


def test_without_a_socket_the_caller_says_that_a_connection_was_used() -> None:
    """Only then the fault fits."""
    with way_to("direct") as api:
        api.fault("keep_alive_closed")
        path = f"/api/calls/campaign/{api.box.token}/status"
        assert api.box.exchange("GET", path).end == "whole"
        assert api.box.exchange("GET", path, reused=True).end == "reset"
        assert api.box.exchange("GET", path, reused=True).end == "whole"


# --- late delivery --------------------------------------------------------------------------------


def test_a_parked_request_is_carried_out_later(api: Way) -> None:
    """At its own virtual time, whoever looks first; then the log tells of it."""
    under(api, "late", delay_seconds=100)
    api.wait(99)
    assert jobs(api) == 0
    assert api.box.verdict()["requests_parked"] == 1
    api.wait(3600)
    assert api.box.verdict()["requests_parked"] == 0
    now_ms = api.box.book.now_ms()
    assert [now_ms - job.created_ms for job in api.box.jobs()] == [3599_000] * 2
    assert api.add(A, B, key="k").body == BODY
    log = api.box.requests.entries()
    told = [(entry["fault"], entry["status"], entry.get("late")) for entry in log]
    assert told == [("late", None, None), (None, 200, True), (None, 200, None)]
    assert log[1]["at"] == "2026-11-23T08:01:40.000Z"


def test_a_late_request_and_its_resend_make_one_set_of_jobs(api: Way) -> None:
    """While the key is remembered; when it was forgotten meanwhile, people are called twice."""
    under(api, "late", delay_seconds=7200)
    assert api.add(A, B, key="k").body == BODY
    api.turn(key_hours=1)
    api.wait(3000)
    assert jobs(api) == 2
    api.wait(7200)
    assert jobs(api) == 4


def test_a_late_request_meets_what_happened_meanwhile(api: Way) -> None:
    """A campaign that was stopped takes nothing, and nobody is told."""
    under(api, "late", delay_seconds=60)
    api.post("control/stop")
    api.wait(60)
    assert jobs(api) == 0
    assert api.box.requests.entries()[-1]["status"] == 400


def test_every_method_can_be_late(api: Way) -> None:
    """A stop that nobody waits for any more stops the campaign."""
    api.fault("late", path="control/stop", delay_seconds=60)
    assert api.post("control/stop").status is None
    assert api.add(A).status == 200
    api.wait(60)
    assert api.add(B).json["type"] == "invalid.call.task.state"


def test_requests_that_are_due_together_keep_their_order(api: Way) -> None:
    """The first that was sent is the first that arrives."""
    api.fault("late", count=2, delay_seconds=60)
    api.add(A, key="k")
    api.add(B, key="k")
    api.wait(60)
    assert [job.phone for job in api.box.jobs()] == [A]


def test_a_late_request_with_a_bad_query(api: Way) -> None:
    """What cannot be read has no key, and is refused when it arrives."""
    api.fault("late", delay_seconds=1)
    path = f"/api/crmCalls/campaign/{api.box.token}/addPhone?phone=%FF"
    assert api.ask("GET", path, b"", {}).status is None
    api.wait(1)
    assert api.box.jobs() == []
    assert api.box.requests.entries()[-1]["status"] == 400


def test_a_reset_loses_what_is_parked(api: Way) -> None:
    """The first day again."""
    under(api, "late", delay_seconds=60)
    api.box.world.reset()
    api.wait(60)
    assert jobs(api) == 0


# --- statuses and bodies --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "body", "done"),
    [
        ("empty_200", 200, b"", 2),
        ("null_200", 200, b"null", 2),
        ("list_200", 200, b"[]", 2),
        ("html_200", 200, b"<html>", 2),
        ("html_502", 502, b"<html>", 0),
        ("http_400_unreadable", 400, b'{"type": "phone', 0),
        ("http_500", 500, b'{"type":"internal', 0),
        ("http_500_after", 500, b'{"type":"internal', 2),
        ("answer", 200, b"", 0),
    ],
)
def test_other_answers(api: Way, name: str, status: int, body: bytes, done: int) -> None:
    """Status, body, and whether the work was done."""
    reply = under(api, name)
    assert (reply.status, jobs(api)) == (status, done)
    assert reply.body.startswith(body)
    assert ("html" in reply.headers["content-type"]) == name.startswith("html")


@pytest.mark.parametrize(
    ("name", "answered"),
    [
        ("short_answer", [SECOND]),
        ("long_answer", [FIRST, SECOND, "5665334672"]),
        ("double_answer", [FIRST, FIRST]),
        ("reversed_answer", [SECOND, FIRST]),
        ("worded_ids", [f"job-{FIRST}", f"job-{SECOND}"]),
        ("huge_ids", [10**30 + int(FIRST), 10**30 + int(SECOND)]),
    ],
)
def test_ids_that_lie(api: Way, name: str, answered: list[object]) -> None:
    """Two jobs were made; what the list says of them is something else."""
    reply = under(api, name)
    assert json.loads(reply.body) == answered
    assert jobs(api) == 2
    assert api.add(A, B, key="k").body == BODY


def test_a_batch_of_one_can_be_doubled(api: Way) -> None:
    """Then it is one longer."""
    api.fault("double_answer")
    assert api.add(A).json == [FIRST, FIRST]


@pytest.mark.parametrize("name", ["long_answer", "worded_ids", "huge_ids", "double_answer"])
def test_what_is_no_list_of_ids_stays_readable(api: Way, name: str) -> None:
    """Reports, pages and single values are none of their business, or keep their shape."""
    api.add(A)
    for path, value in (("callJob/getReport", {"phones": [A]}), ("callJob/getUnfinished", {})):
        api.fault(name)
        assert api.post(path, value).status == 200
    api.fault(name)
    assert api.post("control/pause").body == b""


@pytest.mark.parametrize("name", ["http_429", "http_503"])
@pytest.mark.parametrize(
    ("wait", "header"),
    [
        (7, "7"),
        (0.5, "0.5"),
        (-1, "-1"),
        (10**9, "1000000000"),
        ("Mon, 23 Nov 2026 08:05:00 GMT", "Mon, 23 Nov 2026 08:05:00 GMT"),
        ("soon", "soon"),
        ("", ""),
    ],
)
def test_retry_after(api: Way, name: str, wait: float | str, header: str) -> None:
    """Seconds, a date or nonsense, as it was asked for."""
    reply = under(api, name, retry_after=wait)
    assert reply.status == int(name.removeprefix("http_"))
    assert reply.headers["retry-after"] == header
    assert jobs(api) == 0


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_points_to_the_same_path_elsewhere(api: Way, status: int) -> None:
    """Token and query are in the location: who follows hands them over."""
    api.fault("redirect", status=status, location="http://evil.invalid:8080")
    path = f"/api/crmCalls/campaign/{api.box.token}/addPhone?phone={A}"
    reply = api.ask("GET", path, b"", {})
    assert (reply.status, reply.headers["location"]) == (status, f"http://evil.invalid:8080{path}")
    assert jobs(api) == 0


def test_a_redirect_leads_nowhere_by_default(api: Way) -> None:
    """To a host that does not exist."""
    reply = under(api, "redirect")
    assert reply.status == 307
    assert reply.headers["location"].startswith("http://elsewhere.invalid/api/calls/campaign/")


def test_a_client_that_follows_is_seen_at_the_other_host() -> None:
    """A second sandbox is the other host: its log shows whether a token came there."""
    with way_to("http") as api, running_sandbox() as other:
        assert isinstance(api, Http)
        api.fault("redirect", location=other.base_url)
        url = f"{api.box.base_url}/api/calls/campaign/{api.box.token}/addPhones"
        with httpx.Client(trust_env=False, verify=False, follow_redirects=True) as careless:
            careless.post(url, json=[{"phone": A}])
        assert [entry["method"] for entry in other.requests.entries()] == ["POST"]


def test_a_gzip_bomb(api: Way) -> None:
    """A small body that becomes a large one, and JSON at that."""
    reply = under(api, "gzip_bomb", megabytes=2.5)
    assert reply.headers["content-encoding"] == "gzip"
    assert len(reply.body) < 10_000
    unpacked = zlib.decompress(reply.body, 31)
    assert len(unpacked) == 2.5 * MEGABYTE + 2
    assert json.loads(unpacked) == []
    assert jobs(api) == 2


def test_a_gzip_bomb_is_fifty_megabytes_by_default() -> None:
    """In fifty kilobytes."""
    with way_to("direct") as api:
        reply = under(api, "gzip_bomb")
    packer = zlib.decompressobj(31)
    assert len(reply.body) < 64 * 1024
    assert len(packer.decompress(reply.body)) == 50 * MEGABYTE + 2


def test_a_huge_answer(api: Way) -> None:
    """Blanks before the body, uncompressed."""
    reply = under(api, "huge_answer", megabytes=2)
    assert (len(reply.body), reply.json) == (2 * MEGABYTE + len(BODY), [FIRST, SECOND])


def test_a_scripted_answer(api: Way) -> None:
    """Any status, body, type and headers; a JSON value or a text."""
    page = {
        "status": 413,
        "body": "<html>",
        "content_type": "text/html",
        "headers": {"X-Why": "so"},
    }
    reply = under(api, "answer", **page)
    assert (reply.status, reply.body) == (413, b"<html>")
    assert (reply.headers["content-type"], reply.headers["x-why"]) == ("text/html", "so")
    assert under(api, "answer", body={"a": [1, None]}, done=True).json == {"a": [1, None]}
    assert jobs(api) == 2


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["getReportByDate", "getUnfinished"])
@pytest.mark.parametrize(
    ("fault", "second"),
    [
        ({"name": "page_shifted"}, slice(1, 3)),
        ({"name": "page_shifted", "rows": 2}, slice(0, 2)),
        ({"name": "page_shifted", "rows": 9}, slice(0, 2)),
        ({"name": "page_shifted", "rows": -1}, slice(3, 5)),
        ({"name": "page_repeated"}, slice(0, 2)),
    ],
)
def test_pages_that_move(api: Way, method: str, fault: dict[str, Any], second: slice) -> None:
    """Rows came, rows went, or a page comes twice; the first page is as it is."""
    ids = api.add(*(f"121255501{number}" for number in range(20, 26))).json
    for page, expected in ((0, slice(0, 2)), (1, second)):
        api.fault(**fault)
        assert api.page(method, page=page, pageSize=2) == ids[expected]
    assert api.page(method, page=1, pageSize=2) == ids[2:4]


def test_pages_of_attempts_move_too(api: Way) -> None:
    """The third paged method."""
    api.add(A, B)
    asked = {"pagination": {"page": 1, "pageSize": 1}}
    phones = []
    for name in ("page_repeated", None):
        if name:
            api.fault(name)
        told = api.post("callAttempt/getReportByDate", asked).json
        phones += [item["phone"] for item in told["items"]]
    assert phones == [A, B]


# --- refusals -------------------------------------------------------------------------------------


def test_a_refusal_as_the_script_has_it(api: Way) -> None:
    """Status and body; by default one that says nothing."""
    error = {"type": "phone.bad.format", "message": "no", "phone": "19999999999"}
    reply = under(api, "refused", error=error)
    assert (reply.status, reply.json) == (400, error)
    assert under(api, "refused").json["type"] == "bad.request"
    assert under(api, "refused", status=404, error={"type": "invalid.token"}).status == 404
    assert jobs(api) == 0
    assert [entry["status"] for entry in api.box.requests.entries()] == [400, 400, 404]


def test_one_phone_is_refused_in_whatever_batch(api: Way) -> None:
    """For ever, as a number is that its country does not know."""
    api.fault("refused", count=None, where=B, error={"type": "phone.bad.format", "phone": B})
    assert [api.add(A, B).status, api.add(B, C).status, api.add(A, C).status] == [400, 400, 200]
    assert api.box.faults.waiting()[0]["count"] is None


def test_the_knobs_hold_for_scripted_refusals(api: Way) -> None:
    """A known key is answered before the check; a refusal is remembered if refusals are."""
    assert api.add(A, B, key="k").body == BODY
    assert under(api, "refused").body == BODY
    api.turn(key_check="after_validation", cache_refusals=True)
    assert under(api, "refused").status == 400
    assert api.add(A, B, key="k").body == BODY
    api.fault("refused", error={"type": "quota.exceeded"})
    assert api.add(C, key="new").json == {"type": "quota.exceeded"}
    assert api.add(C, key="new").json == {"type": "quota.exceeded"}
    assert jobs(api) == 2


def test_every_method_can_refuse(api: Way) -> None:
    """Adding one by GET, reports, cancelling and controlling as well."""
    api.add(A)
    for path in ("callJob/getReport", "callJob/cancel", "control/stop"):
        api.fault("refused", error={"type": "never.heard.of"})
        assert api.post(path, {"phones": [A]}).json == {"type": "never.heard.of"}
    api.fault("refused", error={"type": "never.heard.of"})
    assert api.add_one(phone=B).json == {"type": "never.heard.of"}
    assert jobs(api) == 1
    assert api.post("control/pause").status == 200


# --- the queue ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "reset", "seconds": 1},
        {"name": "late", "done": True},
        {"name": "late", "delay_seconds": -1},
        {"name": "late", "delay_seconds": "1"},
        {"name": "http_429", "retry_after": "1\r\nX: y"},
        {"name": "http_429", "retry_after": None},
        {"name": "redirect", "status": 99},
        {"name": "redirect", "location": "http://ä"},
        {"name": "refused", "error": "phone.bad.format"},
        {"name": "answer", "headers": {"X": 1}},
        {"name": "answer", "headers": {"X": "a\nb"}},
        {"name": "answer", "headers": []},
        {"name": "page_shifted", "rows": 1.5},
        {"name": "gzip_bomb", "megabytes": True},
        {"name": "reset", "where": 1},
    ],
)
def test_a_bad_fault_is_refused(api: Way, fields: dict[str, Any]) -> None:
    """Fields of other faults, wrong types, and headers that would not be one line."""
    assert api.hand("faults", fields) is None
    assert api.box.faults.waiting() == []


@pytest.mark.parametrize("name", list(KINDS))
def test_a_fault_shows_what_it_takes(name: str) -> None:
    """Its own fields with their defaults, beside those of all."""
    shown = Fault(name).public()
    common = {"name", "count", "path", "where", "skip", "done"}
    assert set(shown) == common | set(KINDS[name].takes)
    assert {field: shown[field] for field in KINDS[name].takes} == dict(KINDS[name].takes)


def test_a_fault_waits_for_its_body(api: Way) -> None:
    """Requests without the text pass, and do not count for `skip`."""
    api.fault("http_500", where=B, skip=1)
    assert [api.add(A).status, api.add(B).status, api.add(A).status] == [200, 200, 200]
    assert api.add(A, B).status == 500
    assert api.add(B).status == 200


def test_a_request_without_a_socket_can_be_too_large() -> None:
    """As the server says it when somebody sends more than anybody may."""
    with way_to("direct") as api:
        path = f"/api/calls/campaign/{api.box.token}/addPhones"
        seen = exchange(api.box.world, "POST", path, body=None)
    assert seen.answer is not None
    assert seen.answer.status == 413


def test_both_ways_are_one_way() -> None:
    """The same requests have the same answers, and leave the same jobs."""
    told = []
    for name in WAYS:
        with way_to(name, id_order="shuffled", report_lag_spread_seconds=600) as api:
            replies = [api.add(A, B, C, key="k"), api.add("1"), under(api, "huge_ids")]
            api.wait(300)
            replies += [api.post("callJob/getReportByDate"), api.ask("GET", "/nowhere", b"", {})]
            replies.append(api.ask("DELETE", f"/api/calls/campaign/{api.box.token}", b"", {}))
            made = [(str(job.id), job.phone, job.status) for job in api.box.jobs()]
            told.append(([(reply.status, reply.body) for reply in replies], made))
    assert told[0] == told[1]
