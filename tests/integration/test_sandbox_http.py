"""Every method of the vendor's API over a real socket, as the contract writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from syncd.sandbox.clock import parse_ms
from syncd.sandbox.testing import RunningSandbox, running_sandbox

START_MS = parse_ms("2026-11-23T08:00:00Z")
PHONE = "12125550190"
LATER = {"startDateTime": "2027-01-01T00:00:00Z"}


class Caller:
    """Requests to one campaign of one sandbox."""

    def __init__(self, box: RunningSandbox, http: httpx.Client) -> None:
        self.box = box
        self.http = http
        self.calls = f"{box.base_url}/api/calls/campaign/{box.token}"
        self.crm = f"{box.base_url}/api/crmCalls/campaign/{box.token}"

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A POST with a JSON body."""
        return self.http.post(f"{self.calls}/{path}", json=body, headers=headers)

    def add(self, *items: Any, key: str | None = None) -> httpx.Response:
        """A POST addPhones."""
        return self.post("addPhones", list(items), **({"Idempotence-Key": key} if key else {}))

    def requests(self) -> list[dict[str, Any]]:
        """The log of requests."""
        return list(self.http.get(f"{self.box.base_url}/_sandbox/requests").json()["items"])


@pytest.fixture
def api() -> Iterator[Caller]:
    """A sandbox on Monday morning, whose clock only the test moves."""
    with (
        running_sandbox(start_ms=START_MS, tokens=("1.2.secret", "3.4.other")) as box,
        httpx.Client(trust_env=False, verify=False) as http,
    ):
        yield Caller(box, http)


def test_add_phones_answers_ids_in_order(api: Caller) -> None:
    """A JSON array of decimal texts; the key header gives the first answer again."""
    first = api.add({"phone": PHONE}, {"phone": 12125550191, "maxAttempts": 0}, key="k")
    assert (first.status_code, first.headers["content-type"]) == (200, "application/json")
    assert first.json() == ["5665334669", "5665334671"]
    assert api.add({"phone": "12125550192"}, key="k").content == first.content


def test_errors_of_add_phones_have_their_exact_bodies(api: Caller) -> None:
    """`type`, `message` and the extra fields, with status 400."""
    answer = api.add({"phone": PHONE}, {"phone": PHONE})
    assert answer.status_code == 400
    assert answer.json() == {
        "type": "phone.duplicated",
        "message": "phone is duplicated",
        "phone": PHONE,
        "phonesDuplicates": [PHONE],
    }


def test_an_unknown_token_is_404_for_every_method(api: Caller) -> None:
    """The body says `invalid.token`, whichever method is called."""
    strange = f"{api.box.base_url}/api/calls/campaign/nobody"
    crm = f"{api.box.base_url}/api/crmCalls/campaign/nobody"
    answers = [
        api.http.post(f"{strange}/{path}", json={})
        for path in (
            *("addPhones", "callJob/cancel", "callJob/getReport", "callAttempt/getReport"),
            *("callJob/getReportByDate", "callAttempt/getReportByDate", "callJob/getUnfinished"),
            *("control/pause", "control/resume", "control/stop"),
        )
    ]
    answers += [api.http.get(url) for url in (strange, f"{strange}/status", f"{crm}/addPhone")]
    for answer in answers:
        assert answer.status_code == 404
        assert answer.json().keys() == {"type", "message"}
        assert answer.json()["type"] == "invalid.token"


@pytest.mark.parametrize("base", ["calls", "crm"])
def test_add_phone_by_get(api: Caller, base: str) -> None:
    """Other parameters become the payload; zone and key are read from the query."""
    zone = quote("+03:00", safe="")
    url = f"{getattr(api, base)}/addPhone?phone={PHONE}&gmtZone={zone}&name=J%C3%BCrgen&x="
    first = api.http.get(f"{url}&Idempotence-Key=k")
    assert first.json() == "5665334669"
    assert api.http.get(f"{url}&Idempotence-Key=k").json() == "5665334669"
    job = api.http.get(f"{api.box.base_url}/_sandbox/jobs").json()["items"][0]
    assert job["payload"] == {"name": "Jürgen", "x": ""}
    assert (job["zone"], job["key"]) == ("+03:00", "k")


def test_a_plus_that_is_not_encoded_is_a_space(api: Caller) -> None:
    """`gmtZone=+03:00` in a query means a space, and is refused."""
    answer = api.http.get(f"{api.crm}/addPhone?phone={PHONE}&gmtZone=+03:00")
    assert answer.json()["type"] == "phone.gmtZone.bad.format"
    assert answer.json()["gmtZone"] == " 03:00"


def test_a_get_does_not_read_the_key_header(api: Caller) -> None:
    """The header is for POST: without the query parameter the second GET is a duplicate."""
    headers = {"Idempotence-Key": "k"}
    url = f"{api.crm}/addPhone?phone={PHONE}"
    assert api.http.get(url, headers=headers).status_code == 200
    assert api.http.get(url, headers=headers).json()["type"] == "phone.duplicated"


def test_add_phone_by_form(api: Caller) -> None:
    """POST takes the same parameters as a form, and the key as a header."""
    form = {"phone": f"+{PHONE}", "gmtZone": "UTC+3", "name": "A B"}
    headers = {"Idempotence-Key": "k"}
    first = api.http.post(f"{api.crm}/addPhone", data=form, headers=headers)
    assert first.json() == "5665334669"
    assert api.http.post(f"{api.crm}/addPhone", data=form, headers=headers).json() == first.json()
    assert api.http.post(f"{api.crm}/addPhone", content=b"phone=%FF").status_code == 400
    assert api.http.post(f"{api.crm}/addPhone", data={"name": "A"}).status_code == 400


def test_a_test_call_is_exempt_from_the_duplicate_rule(api: Caller) -> None:
    """test/addPhone takes the same phone again and again."""
    url = f"{api.crm}/test/addPhone?phone={PHONE}"
    assert api.http.get(url).json() != api.http.get(url).json()


def test_a_job_lives_to_its_report(api: Caller) -> None:
    """Reports by ID and by phone, before and after; attempts too."""
    ids = api.add({"phone": PHONE, **LATER}, {"phone": "12125550196"}).json()
    new = api.post("callJob/getReport", {"ids": ids[:1]}).json()[0]
    assert new == {
        "attemptsCount": 0,
        "callDuration": 0,
        "callJobId": ids[0],
        "createdAt": START_MS,
        "finishedAt": None,
        "jobStatus": "planned",
        "phone": PHONE,
        "redialNumber": None,
        "reportData": None,
        "tagName": None,
        "tagPayload": None,
    }
    api.box.advance(7200)
    (done,) = api.post("callJob/getReport", {"phones": ["12125550196"]}).json()
    assert (done["jobStatus"], done["attemptsCount"]) == ("longCallWithResult", 2)
    attempts = api.post("callAttempt/getReport", {"ids": ids}).json()
    assert [attempt["attemptNumber"] for attempt in attempts] == [1, 2]


@pytest.mark.parametrize("method", ["callJob/getReport", "callAttempt/getReport", "callJob/cancel"])
def test_an_unknown_id_or_phone_fails_the_request(api: Caller, method: str) -> None:
    """400 with `id.not.found` or `phone.not.found`, though the others are known."""
    ids = api.add({"phone": PHONE}).json()
    answer = api.post(method, {"ids": [*ids, "1"]})
    assert (answer.status_code, answer.json()["type"]) == (400, "id.not.found")
    answer = api.post(method, {"ids": ids, "phones": ["12125550111"]})
    assert (answer.status_code, answer.json()["type"]) == (400, "phone.not.found")


def test_the_ids_of_another_campaign_are_unknown(api: Caller) -> None:
    """A token sees its own jobs only."""
    ids = api.add({"phone": PHONE}).json()
    other = f"{api.box.base_url}/api/calls/campaign/{api.box.tokens[1]}"
    answer = api.http.post(f"{other}/callJob/getReport", json={"ids": ids})
    assert answer.json()["type"] == "id.not.found"


def test_cancel(api: Caller) -> None:
    """The answer is the array of cancelled IDs."""
    ids = api.add({"phone": PHONE, **LATER}).json()
    assert api.post("callJob/cancel", {"phones": [PHONE]}).json() == ids
    assert api.post("callJob/getReport", {"ids": ids}).json()[0]["jobStatus"] == "canceled"


def test_the_paged_methods(api: Caller) -> None:
    """Items and pagination, and 400 beyond the limits."""
    api.add(*[{"phone": f"447700900{number:03}", **LATER} for number in range(30)])
    for path, body in (
        ("callJob/getReportByDate", {"filter": {}, "pagination": {"page": 1}}),
        ("callJob/getUnfinished", {"page": 1, "pageSize": 20}),
    ):
        answer = api.post(path, body).json()
        assert (len(answer["items"]), answer["pagination"]) == (10, {"page": 1, "pageSize": 20})
    assert api.post("callAttempt/getReportByDate", {}).json()["items"] == []
    assert api.post("callJob/getUnfinished", {"page": 200}).status_code == 400
    assert api.http.post(f"{api.calls}/callJob/getUnfinished").status_code == 200


def test_an_older_installation_lacks_the_paged_methods() -> None:
    """Without paging they are 404s that do not put the token in doubt."""
    with running_sandbox(paging=False) as box, httpx.Client(trust_env=False, verify=False) as http:
        base = f"{box.base_url}/api/calls/campaign/{box.token}"
        for path in (
            *("callJob/getReportByDate", "callAttempt/getReportByDate"),
            "callJob/getUnfinished",
        ):
            answer = http.post(f"{base}/{path}", json={})
            assert answer.status_code == 404
            assert "type" not in answer.json()


def test_control_and_status(api: Caller) -> None:
    """Empty answers; the status is a JSON text; a wrong state is a 400 with its own body."""
    status = lambda: api.http.get(f"{api.calls}/status").json()  # noqa: E731 - asked four times
    assert status() == "new"
    api.add({"phone": PHONE})
    paused = api.post("control/pause")
    assert (paused.status_code, paused.content, status()) == (200, b"", "paused")
    wrong = api.post("control/pause")
    assert wrong.status_code == 400
    assert wrong.json().keys() == {"error", "message", "args"}
    assert api.post("control/resume").status_code == 200
    assert status() == "inProcess"
    assert api.post("control/stop").status_code == 200
    assert status() == "finished"
    refused = api.add({"phone": "12125550111"})
    assert (refused.json()["type"], refused.json()["state"]) == (
        "invalid.call.task.state",
        "FINISHED",
    )


def test_campaign_information(api: Caller) -> None:
    """An object with the fields of the contract."""
    api.add({"phone": PHONE})
    info = api.http.get(api.calls).json()
    assert (info["id"], info["status"], info["maxSimultaneousCalls"]) == (1001, "inProcess", 20)
    assert info["shortReport"]["totalNumbers"] == 1


def test_a_wrong_http_method_and_an_unknown_path(api: Caller) -> None:
    """405 with Allow, 404, neither with a `type`."""
    wrong = api.http.get(f"{api.calls}/addPhones")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    missing = api.http.put(f"{api.calls}/nothing")
    assert missing.status_code == 404
    assert "type" not in wrong.json()
    assert "type" not in missing.json()


def test_a_body_beyond_all_measure_is_refused(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit the answer is 413 and nothing is done."""
    monkeypatch.setattr("syncd.sandbox.routes.MAX_BODY_BYTES", 100)
    answer = api.add(*[{"phone": f"447700900{number:03}"} for number in range(10)])
    assert answer.status_code == 413
    assert api.box.jobs() == []


def test_the_log_of_requests_masks_the_token(api: Caller) -> None:
    """Method, masked path, key, status and counts; no token, not even on an unknown path."""
    api.add({"phone": PHONE, "gmtzone": "UTC"}, key="k")
    api.add({"phone": PHONE}, key="k")
    api.http.get(f"{api.calls}/nothing")
    log = api.requests()
    assert [entry["seq"] for entry in log] == [1, 2, 3]
    assert log[0]["path"] == "/api/calls/campaign/*/addPhones"
    assert (log[0]["method"], log[0]["key"], log[0]["status"]) == ("POST", "k", 200)
    assert (log[0]["phones"], log[0]["jobs"], log[0]["ignored_fields"]) == (1, 1, ["gmtzone"])
    assert (log[1]["repeated_key"], log[1]["jobs"]) == (True, 0)
    assert log[0]["at"] == "2026-11-23T08:00:00.000Z"
    assert "secret" not in str(log)


def test_the_helper_shows_the_ground_truth(api: Caller) -> None:
    """Jobs, calls and verdict without HTTP, for the tests of others."""
    api.add({"phone": PHONE})
    api.box.advance(3600)
    assert [job.phone for job in api.box.jobs()] == [PHONE]
    assert [call.inside for call in api.box.calls()] == [True]
    assert api.box.verdict()["ok"]
