"""Every answer means something, and for adding methods something else than for questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from syncd.campaign.answers import retry_after_s
from syncd.campaign.client import CampaignClient
from syncd.clock import ManualClock
from syncd.core.report import DateFilter
from syncd.errors import (
    Halted,
    InDoubt,
    NotFound,
    Refused,
    SyncdError,
    Transient,
    Unsupported,
)

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
Call = Callable[[CampaignClient], object]

ADDING: dict[str, Call] = {
    "addPhones": lambda c: c.add_phones(b"[{}]", key="k"),
    "addPhone by POST": lambda c: c.add_phone(12125550100, key="k"),
    "addPhone by GET": lambda c: c.add_phone(12125550100, key="k", method="GET"),
    "test/addPhone": lambda c: c.test_add_phone(12125550100),
}
REPEATABLE: dict[str, Call] = {
    "cancel": lambda c: c.cancel(ids=["1"]),
    "job reports": lambda c: c.job_reports(ids=["1"]),
    "attempt reports": lambda c: c.attempt_reports(phones=[12125550100]),
    "info": lambda c: c.info(),
    "status": lambda c: c.status(),
}
PAGED: dict[str, Call] = {
    "job reports by date": lambda c: c.job_reports_by_date(DateFilter(), page=0),
    "attempt reports by date": lambda c: c.attempt_reports_by_date(DateFilter(), page=0),
    "unfinished": lambda c: c.unfinished(page=0),
}
CONTROL: dict[str, Call] = {
    "pause": lambda c: c.pause(),
    "resume": lambda c: c.resume(),
    "stop": lambda c: c.stop(),
}
QUESTIONS = {**REPEATABLE, **PAGED, **CONTROL}
ALL = {**ADDING, **QUESTIONS}


def each(calls: dict[str, Call]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("call", calls.values(), ids=calls.keys())


@pytest.fixture
def outcome(make_client: Any) -> Callable[..., SyncdError]:
    """The error that a call raises when the server gives this answer."""

    def ask(
        call: Call, status: int, body: object = b"", headers: dict[str, str] | None = None
    ) -> SyncdError:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        client = make_client(
            lambda _: httpx.Response(status, content=content, headers=headers),
            clock=ManualClock(NOW),
        )
        with pytest.raises(SyncdError) as caught:
            call(client)
        return caught.value

    return ask


def typed(kind: str, **extra: object) -> dict[str, object]:
    return {"type": kind, "message": "about 12125550100", **extra}


UNCLEAR = [301, 302, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 412, 415, 418]
UNCLEAR += [421, 422, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 520, 524, 599]
UNCLEAR += [201, 202, 204, 205, 206, 207, 304]


@each(ADDING)
@pytest.mark.parametrize("status", UNCLEAR)
def test_an_unclear_answer_to_an_addition_is_a_doubt(call: Call, status: int, outcome: Any) -> None:
    """No status without the vendor's own words proves that no call was made."""
    for body in (b"", b"<html>sorry</html>", b'{"type":"phone.bad', b"null"):
        assert type(outcome(call, status, body)) is InDoubt


@each(REPEATABLE)
@pytest.mark.parametrize("status", UNCLEAR)
def test_an_unclear_answer_to_a_question_is_transient(
    call: Call, status: int, outcome: Any
) -> None:
    """It can be asked again."""
    for body in (b"", b"<html>sorry</html>"):
        assert type(outcome(call, status, body)) is Transient


@each(ADDING)
@pytest.mark.parametrize("status", [409, 422, 500, 503])
def test_only_a_400_refuses(call: Call, status: int, outcome: Any) -> None:
    """The contract's table of errors is about 400: the same words elsewhere prove nothing."""
    assert type(outcome(call, status, typed("phone.bad.format"))) is InDoubt


@each(ADDING)
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"{}", b'"7', b"<html>ok</html>", b"[null]", b'{"ids":["1"]}', b"[[1]]"],
)
def test_a_200_that_holds_no_ids_is_a_doubt(call: Call, body: bytes, outcome: Any) -> None:
    """Something was answered, perhaps after something was done."""
    assert type(outcome(call, 200, body)) is InDoubt


@each(REPEATABLE | PAGED)
@pytest.mark.parametrize("body", [b"", b"null", b"<html>ok</html>", b"7", b'[{"x":1}]'])
def test_a_200_that_cannot_be_read_is_transient(call: Call, body: bytes, outcome: Any) -> None:
    """A question whose answer is no answer is asked again."""
    error = outcome(call, 200, body)
    assert type(error) is Transient
    assert "unreadable" in str(error)


TABLE = [
    typed("phone.duplicated", phone="12125550100", phonesDuplicates=["12125550100"]),
    typed("phone.bad.format", phone="12125550100"),
    typed("phone.gmtZone.bad.format", phone="12125550100", gmtZone="x"),
    typed("invalid.call.allowed.time"),
    typed("invalid.dialer_priority"),
    typed("something.new-24h", more=1),
]


@each(ADDING | REPEATABLE | PAGED | CONTROL)
@pytest.mark.parametrize("body", TABLE, ids=lambda body: body["type"])
def test_each_row_of_the_error_table_is_a_refusal(
    call: Call, body: dict[str, object], outcome: Any
) -> None:
    """A parsed 400 refuses the content, with its type and all that it says; so does a new type."""
    error = outcome(call, 400, body)
    assert type(error) is Refused
    assert error.fault.type == body["type"]
    assert error.fault.phone == body.get("phone")
    assert str(body["type"]) in str(error)
    assert "12125550100" not in str(error)


@each(ADDING | REPEATABLE | PAGED)
def test_a_stopped_campaign_halts(call: Call, outcome: Any) -> None:
    """No batch will ever be accepted."""
    error = outcome(call, 400, typed("invalid.call.task.state", state="FINISHED"))
    assert type(error) is Halted


@each(ALL)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_an_unknown_token_halts(call: Call, status: int, outcome: Any) -> None:
    """Paged methods, too: it is not the method that is missing."""
    assert type(outcome(call, status, typed("invalid.token"))) is Halted


@each(CONTROL)
@pytest.mark.parametrize("kind", ["campaign.wrong.state", "invalid.call.task.state"])
def test_control_in_the_wrong_state_is_a_refusal(call: Call, kind: str, outcome: Any) -> None:
    """The kind stands under "error"."""
    error = outcome(call, 400, {"error": kind, "message": "m", "args": []})
    assert type(error) is Refused
    assert error.fault.type == kind


@each(ADDING)
def test_the_page_of_a_web_framework_refuses_nothing(call: Call, outcome: Any) -> None:
    """`{"status": 400, "error": "Bad Request"}` is not in the vendor's words."""
    assert type(outcome(call, 400, {"status": 400, "error": "Bad Request"})) is InDoubt


@each(REPEATABLE)
@pytest.mark.parametrize("kind", ["id.not.found", "phone.not.found"])
def test_an_unknown_id_or_phone_is_not_found(call: Call, kind: str, outcome: Any) -> None:
    """The whole request failed, and the engine has to leave something out."""
    error = outcome(call, 400, typed(kind))
    assert type(error) is NotFound
    assert error.fault.type == kind


@each(PAGED)
@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"type":"not.found"}'])
def test_an_installation_may_lack_the_paged_methods(
    call: Call, status: int, body: bytes, outcome: Any
) -> None:
    """404 or 405 without "invalid.token": reports are asked for by ids instead."""
    assert type(outcome(call, status, body)) is Unsupported


@each(PAGED)
def test_pages_of_another_size_are_as_good_as_none(call: Call, outcome: Any) -> None:
    """A server that makes its own pages hides which one is the last."""
    body = {"items": [], "pagination": {"page": 0, "pageSize": 20}}
    error = outcome(call, 200, body)
    assert type(error) is Unsupported
    assert "another page" in str(error)


@each(PAGED | CONTROL)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 429, 500, 501, 503])
def test_paged_and_control_failures_are_transient(call: Call, status: int, outcome: Any) -> None:
    """Nothing is decided by an answer that is not the API's own."""
    assert type(outcome(call, status, b"<html>")) is Transient


@each(ALL)
@pytest.mark.parametrize("status", [413, 414])
def test_too_large_is_a_refusal_that_a_split_can_mend(
    call: Call, status: int, outcome: Any
) -> None:
    """The content was not looked at."""
    error = outcome(call, status, b"<html>")
    assert type(error) is Refused
    assert error.fault.type == f"http.{status}"


@each(CONTROL)
@pytest.mark.parametrize("status", [200, 204])
def test_control_answers_with_nothing(call: Call, status: int, make_client: Any) -> None:
    """An empty answer is success."""
    assert call(make_client(lambda _: httpx.Response(status))) is None


@pytest.mark.parametrize(
    "kind",
    ["a" * 80, "about:blank", "https://x.example/400", "Bad Request", "phone.12125550100", "1.2.3"],
)
def test_a_type_in_other_words_than_the_vendors_refuses_nothing(kind: str, outcome: Any) -> None:
    """A gateway may say "type", too (RFC 9457): that is no proof, and is not printed."""
    error = outcome(ADDING["addPhones"], 400, typed(kind))
    assert type(error) is InDoubt
    assert kind not in str(error)
    assert type(outcome(CONTROL["pause"], 400, {"error": kind})) is Transient


WAITS = [
    ("120", 120.0),
    (" 120 ", 120.0),
    ("1.5", 1.5),
    ("0", 1.0),
    ("-5", 1.0),
    ("99999999999999999999", 3600.0),
    ("9" * 400, 3600.0),
    ("Mon, 02 Mar 2026 10:02:00 GMT", 120.0),
    ("Monday, 02-Mar-26 10:02:00 GMT", 120.0),
    ("Mon, 02 Mar 2026 10:02:00 -0000", 120.0),
    ("Mon, 02 Mar 2026 09:00:00 GMT", 1.0),
    ("Mon, 02 Mar 2037 10:00:00 GMT", 3600.0),
    ("", None),
    ("soon", None),
    ("nan", None),
    ("inf", None),
    ("1e9", None),
    ("12 monkeys", None),
    ("Mon, 99 Mar 2026 10:02:00 GMT", None),
    ("²", None),
    (None, None),
]


@pytest.mark.parametrize(("value", "expected"), WAITS)
def test_retry_after_is_clamped(value: str | None, expected: float | None) -> None:
    """Seconds or a date, between a second and an hour, or nothing."""
    assert retry_after_s(value, now=NOW) == expected


@each(ADDING | REPEATABLE)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_carried(call: Call, status: int, outcome: Any) -> None:
    """The engine is told how long the server wants to be left alone, whatever the body."""
    error = outcome(call, status, b"<html>", headers={"Retry-After": "77"})
    assert isinstance(error, InDoubt | Transient)
    assert error.retry_after_s == 77
    broken = {"Retry-After": "Mon, 02 Mar 2026 10:00:30 GMT", "Content-Encoding": "br"}
    error = outcome(call, status, b"\x00", headers=broken)
    assert isinstance(error, InDoubt | Transient)
    assert error.retry_after_s == 30
