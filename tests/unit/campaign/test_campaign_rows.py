"""Times, counts and rows of the vendor's JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from syncd.campaign import rows, wire
from syncd.campaign.rows import Unreadable
from syncd.core.report import DateFilter, is_open

#: Recorded from a real answer (Calls API, "Reports"), with a phone from a range of fiction.
SEEN = (
    b'[{"attemptsCount":0,"callDuration":0,"callJobId":"5665336642","createdAt":1691006924166,'
    b'"finishedAt":null,"jobStatus":"planned","phone":"12125550100","redialNumber":null,'
    b'"reportData":null,"tagName":null,"tagPayload":null}]'
)
CREATED = datetime(2023, 8, 2, 20, 8, 44, 166000, tzinfo=UTC)

TIMES = [
    (1691006924166, CREATED),
    (1691006924166.0, CREATED),
    ("1691006924166", CREATED),
    (" 1691006924166 ", CREATED),
    ("2023-08-02T20:08:44.166Z", CREATED),
    ("2023-08-02T23:08:44.166+03:00", CREATED),
    ("2023-08-02T23:08:44.166+0300", CREATED),
    ("2023-08-02T20:08:44.166", CREATED),
    ("2023-08-02", datetime(2023, 8, 2, tzinfo=UTC)),
    (0, datetime(1970, 1, 1, tzinfo=UTC)),
    (-1000, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ("-1000", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
]
NO_TIMES = [
    None,
    True,
    "",
    "-",
    "soon",
    "2023-13-01",
    10**18,
    -(10**18),
    "9" * 30,
    float("nan"),
    float("inf"),
    [],
    {},
    "0001-01-01T00:00:00+14:00",
    "²",
]


@pytest.mark.parametrize(("given", "expected"), TIMES)
def test_times_are_read_in_both_forms(given: object, expected: datetime) -> None:
    """Milliseconds (help, seen) and ISO 8601 (specified) give the same aware UTC instant."""
    read = rows.read_time(given)
    assert read == expected
    assert read is not None
    assert read.utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize("given", NO_TIMES)
def test_what_is_no_time_is_none(given: object) -> None:
    """An unreadable time never stops a report."""
    assert rows.read_time(given) is None


def test_a_recorded_report_is_read() -> None:
    """The one report that is known from a real answer."""
    (report,) = wire.read_job_reports(SEEN)
    assert report.call_job_id == "5665336642"
    assert report.phone == "12125550100"
    assert report.job_status == "planned"
    assert report.created_at == CREATED
    assert (report.attempts_count, report.call_duration) == (0, 0)
    assert report.finished_at is report.redial_number is report.tag_name is None
    assert report.raw == orjson.loads(SEEN)[0]
    assert is_open(report)


def test_unknown_fields_and_statuses_are_kept() -> None:
    """What the vendor adds tomorrow is stored as it is."""
    body = b'[{"callJobId":7,"jobStatus":"beamedUp","mood":{"x":[1]},"attemptsCount":"many"}]'
    (report,) = wire.read_job_reports(body)
    assert report.call_job_id == "7"
    assert report.job_status == "beamedUp"
    assert report.attempts_count is None
    assert report.raw["mood"] == {"x": [1]}
    assert report.raw["attemptsCount"] == "many"


def test_an_attempt_is_read() -> None:
    """Every field of an attempt report finds its place."""
    row = {
        "callJobId": "7",
        "phone": 12125550100,
        "attemptNumber": 2,
        "redialNumber": 1.0,
        "jobStatus": "noAnswer",
        "callResult": "CALLBACK_REQUEST",
        "callDuration": 12.5,
        "startedAt": 1691006924166,
        "finishedAt": "2023-08-02T20:08:44.166Z",
        "tagName": "t",
        "tagPayload": {"a": 1},
        "reportData": {"b": 2},
    }
    (report,) = wire.read_attempt_reports(orjson.dumps([row]))
    assert report.phone == "12125550100"
    assert (report.attempt_number, report.redial_number) == (2, 1)
    assert (report.call_result, report.call_duration) == ("CALLBACK_REQUEST", 12.5)
    assert report.started_at == report.finished_at == CREATED
    assert (report.tag_name, report.tag_payload, report.report_data) == ("t", {"a": 1}, {"b": 2})


@pytest.mark.parametrize("row", ["{}", '{"callJobId":null}', '{"callJobId":1.5}', "7", "null"])
@pytest.mark.parametrize("read", [wire.read_job_reports, wire.read_attempt_reports])
def test_a_row_without_an_id_spoils_the_answer(row: str, read: object) -> None:
    """An outcome that nobody could be told by is asked for again, not skipped."""
    assert callable(read)
    with pytest.raises(Unreadable, match="row 1 has no callJobId"):
        read(f'[{{"callJobId":"1"}},{row}]'.encode())


@pytest.mark.parametrize(
    ("given", "expected"),
    [(3, 3), (3.0, 3), (3.5, None), ("3", None), (True, None), (None, None), (float("inf"), None)],
)
def test_counts_are_whole_numbers(given: object, expected: int | None) -> None:
    """Anything else is left to `raw`."""
    assert rows.count(given) == expected


def test_campaign_information_is_read() -> None:
    """All fields of the contract, and a campaign of which nothing is known."""
    full = {
        "id": 5,
        "name": "Welcome",
        "projectName": "p",
        "creationDate": 1691006924166,
        "botId": "b",
        "status": "inProgress",
        "startTime": 1691006924166,
        "endTime": None,
        "maxSimultaneousCalls": 3,
        "shortReport": {"totalNumbers": 10, "usedAsrSeconds": 4, "new": 1},
    }
    info = wire.read_info(orjson.dumps(full))
    assert (info.id, info.name, info.status) == ("5", "Welcome", "inProgress")
    assert info.creation_date == info.start_time == CREATED
    assert info.end_time is None
    assert info.max_simultaneous_calls == 3
    assert (info.short_report.total_numbers, info.short_report.used_asr_seconds) == (10, 4)
    assert info.short_report.retry_calls is None
    assert info.raw == full
    assert wire.read_info(b'{"shortReport":null}').short_report.total_numbers is None


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b"", b"<html>", b"{"])
def test_campaign_information_is_an_object(body: bytes) -> None:
    """Anything else is no campaign."""
    with pytest.raises(Unreadable):
        wire.read_info(body)


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (b'["5665334669","5665334671"]', ["5665334669", "5665334671"]),
        (b"[5665334669]", ["5665334669"]),
        (b"[18446744073709551615]", ["18446744073709551615"]),
        (b"[]", []),
        (b'["1","1"]', ["1", "1"]),
        (b'\xef\xbb\xbf["1"]\n', ["1"]),
    ],
)
def test_ids_are_given_as_they_came(body: bytes, ids: list[str]) -> None:
    """Short, long, doubled: the engine judges, not the wire."""
    assert wire.read_ids(body) == ids


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"null",
        b"{}",
        b'"1"',
        b"7",
        b"true",
        b"[null]",
        b"[[1]]",
        b'[""]',
        b"[true]",
        b"[1.5]",
        b"[184467440737095516150]",
        b'["1",{"id":"2"}]',
        b'["1","2"',
        b"<html>ok</html>",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_list_of_ids_is_unreadable(body: bytes) -> None:
    """Nothing is guessed: an id beyond 64 bits has lost its digits, too."""
    with pytest.raises(Unreadable):
        wire.read_ids(body)


def test_dates_are_asked_for_in_utc_milliseconds() -> None:
    """Only the ends that were given are sent."""
    dates = DateFilter(
        created_from=datetime.fromisoformat("2026-03-02T10:00:00+03:00"), finished_to=CREATED
    )
    assert orjson.loads(wire.ask_by_date(dates, page=3, page_size=50)) == {
        "filter": {
            "createdAtFrom": "2026-03-02T07:00:00.000Z",
            "finishedAtTo": "2023-08-02T20:08:44.166Z",
        },
        "pagination": {"page": 3, "pageSize": 50},
    }


def test_an_error_body_is_parsed_with_its_extras() -> None:
    """Type, message, the phones it names, and whatever else it says."""
    body = (
        b'{"type":"phone.duplicated","message":"m","phone":12125550100,'
        b'"phonesDuplicates":["12125550100",12125550101,null],"gmtZone":"x"}'
    )
    fault = wire.read_fault(body)
    assert fault is not None
    assert (fault.type, fault.message, fault.phone) == ("phone.duplicated", "m", "12125550100")
    assert fault.phones_duplicates == ("12125550100", "12125550101")
    assert fault.extra == {"gmtZone": "x"}
    assert "12125550100" not in repr(fault)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{}", b'{"type":5}', b'{"type":""}', b"<html>", b'{"type":"a']
)
def test_what_is_no_error_body_is_none(body: bytes) -> None:
    """A proxy's page is no error of the vendor."""
    assert wire.read_fault(body) is None


def test_control_errors_name_their_kind_otherwise() -> None:
    """`control` methods say "error"; for others that word proves nothing."""
    body = b'{"error":"campaign.wrong.state","message":"m","args":["x"]}'
    fault = wire.read_fault(body, names=("error", "type"))
    assert fault is not None
    assert (fault.type, fault.extra["args"]) == ("campaign.wrong.state", ["x"])
    assert wire.read_fault(body) is None


PAGE = {"items": [{"callJobId": "1"}], "pagination": {"page": 2, "pageSize": 10}}


@pytest.mark.parametrize("pagination", [{"page": 2, "pageSize": 10}, None, {}, "x"])
@pytest.mark.parametrize("read", [wire.read_job_page, wire.read_attempt_page])
def test_a_page_is_read(pagination: object, read: object) -> None:
    """With the echo of what was asked for, or without any."""
    assert callable(read)
    items = read(orjson.dumps({**PAGE, "pagination": pagination}), page=2, page_size=10)
    assert [each.call_job_id for each in items] == ["1"]


@pytest.mark.parametrize(
    "other",
    [
        {"pagination": {"page": 1, "pageSize": 10}},
        {"pagination": {"page": 2, "pageSize": 5}},
        {"items": [{"callJobId": "1"}] * 11},
    ],
)
@pytest.mark.parametrize("read", [wire.read_job_page, wire.read_attempt_page])
def test_another_page_than_asked_for_is_none(other: dict[str, object], read: object) -> None:
    """Whether it is the last one cannot be told, so it is not taken for the one asked for."""
    assert callable(read)
    assert read(orjson.dumps({**PAGE, **other}), page=2, page_size=10) is None


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"items":null}', b'{"items":{}}', b"null"])
def test_a_page_without_items_is_not_an_empty_page(body: bytes) -> None:
    """An empty page says "no more", and the engine decides by it."""
    with pytest.raises(Unreadable):
        wire.read_job_page(body, page=0, page_size=10)
    assert wire.read_job_page(b'{"items":[]}', page=0, page_size=10) == []


@pytest.mark.parametrize("body", [b"", b" \n", b"null", b'""', b"{}", b'"ok"'])
def test_control_answers_are_empty_or_json(body: bytes) -> None:
    """The contract says empty; any JSON does no harm, and says nothing."""
    told: object = wire.read_nothing(body)  # type: ignore[func-returns-value]
    assert told is None


def test_a_login_page_is_no_answer_to_a_control_method() -> None:
    """200 with HTML comes from a captive portal: nothing was paused."""
    with pytest.raises(Unreadable, match="HTML"):
        wire.read_nothing(b"<html>please log in</html>")


@pytest.mark.parametrize("body", [b'""', b"7", b"null", b"[]", b"inProcess"])
def test_a_status_is_a_text(body: bytes) -> None:
    """A JSON string, and nothing else."""
    assert wire.read_status(b'"inProcess"') == "inProcess"
    with pytest.raises(Unreadable):
        wire.read_status(body)


@pytest.mark.parametrize(
    ("cut", "mended"),
    [
        (rb"\ud83d", "\ufffd"),
        (rb"ok \ude00!", "ok \ufffd!"),
        (b"\xf0\x9f\x98", "\ufffd"),
        (rb"\ud83d\ude00", "\U0001f600"),
    ],
)
def test_half_an_emoji_does_not_block_the_reports(cut: bytes, mended: str) -> None:
    """Call scripts cut texts in the middle of a character: the text is mended, the rest is read."""
    body = b'[{"callJobId":"1","callResult":"%b","reportData":{"%b":["%b",1]}}]' % (cut, cut, cut)
    (report,) = wire.read_job_reports(body)
    assert report.call_result == mended
    assert report.report_data == {mended: [mended, 1]}
    orjson.dumps(report.raw)


def test_a_nul_in_a_text_is_mended() -> None:
    """No database takes one in a text; the row as it came still has it."""
    (report,) = wire.read_job_reports(rb'[{"callJobId":"1","tagName":"a\u0000b"}]')
    assert report.tag_name == "a\ufffdb"
    assert report.raw["tagName"] == "a\0b"


@pytest.mark.parametrize("body", [b"[NaN]", b"[Infinity]", b"[1,]", b"{'a':1}", b"[" + b"9" * 5000])
def test_mending_takes_nothing_else_for_json(body: bytes) -> None:
    """Only characters are mended."""
    with pytest.raises(Unreadable, match="not JSON"):
        wire.read_json(body)
