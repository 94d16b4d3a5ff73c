"""The client against the sandbox: two readings of one contract, which share no code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from syncd.campaign.client import CampaignClient
from syncd.campaign.pace import Pace
from syncd.campaign.transport import Timeouts
from syncd.core.report import DateFilter, is_open
from syncd.errors import Halted, InDoubt, NotFound, Refused, SyncdError, Transient, Unsupported
from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import RunningSandbox, running_sandbox

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DAY_S = 86_400
QUICK = Timeouts(connect_s=5, write_s=5, read_s=5, pool_s=5, total_s=1.5)


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    """A sandbox whose time stands still until it is moved."""
    with running_sandbox(start_ms=int(START.timestamp() * 1000)) as sandbox:
        yield sandbox


@pytest.fixture
def client_of() -> Iterator[Callable[..., CampaignClient]]:
    """Make clients for a sandbox; they are closed with the test."""
    made: list[CampaignClient] = []

    def make(sandbox: RunningSandbox, token: str | None = None) -> CampaignClient:
        made.append(
            CampaignClient(
                "welcome",
                sandbox.base_url,
                token or sandbox.token,
                timeouts=QUICK,
                pace=Pace(10_000),
            )
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(box: RunningSandbox, client_of: Callable[..., CampaignClient]) -> CampaignClient:
    return client_of(box)


def phones(count: int, start: int = 0) -> list[str]:
    return [f"121255501{number:02}" for number in range(start, start + count)]


def batch(numbers: list[str], **fields: Any) -> bytes:
    return orjson.dumps([{"phone": each, "gmtZone": "Z", **fields} for each in numbers])


def test_a_batch_is_added_called_and_reported(box: RunningSandbox, client: CampaignClient) -> None:
    """The whole way: ids in order, open reports, and after two days an end for each."""
    numbers = phones(20)
    ids = client.add_phones(batch(numbers, payload={"name": "Ada"}), key="k-1")
    assert len(ids) == len(set(ids)) == 20
    reports = client.job_reports(ids=ids)
    assert [report.phone for report in reports] == numbers
    assert all(is_open(report) and report.created_at == START for report in reports)
    box.advance(2 * DAY_S)
    reports = client.job_reports(ids=ids)
    assert not any(is_open(report) for report in reports)
    assert all(report.finished_at and report.finished_at > START for report in reports)
    attempts = client.attempt_reports(ids=ids)
    assert {attempt.call_job_id for attempt in attempts} <= set(ids)
    assert sum(report.attempts_count or 0 for report in reports) == len(attempts) > 0
    assert all(attempt.attempt_number and attempt.started_at for attempt in attempts)
    assert [each.call_job_id for each in client.job_reports(phones=numbers[:1])] == ids[:1]


def test_a_repeat_with_the_key_gives_the_first_answer(
    box: RunningSandbox, client: CampaignClient
) -> None:
    """Whatever the body says; another key makes other jobs."""
    first = client.add_phones(batch(phones(3)), key="k-1")
    assert client.add_phones(batch(phones(3)), key="k-1") == first
    assert client.add_phones(batch(phones(2, start=50)), key="k-1") == first
    assert len(box.jobs()) == 3
    assert client.add_phones(batch(phones(2, start=50)), key="k-2") != first
    assert len(box.jobs()) == 5


def test_duplicates_shorten_the_answer(client: CampaignClient) -> None:
    """The ids are given as they came: fewer than phones."""
    client.add_phones(batch(phones(2)), key="k-1")
    assert len(client.add_phones(batch(phones(5)), key="k-2")) == 3


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_one_phone_with_zone_and_payload(
    method: Any, box: RunningSandbox, client: CampaignClient
) -> None:
    """The plus of the zone and the words of the payload arrive as they were."""
    payload = {"name": "Ада & Ева", "sum": "1+1=2 %"}
    (phone,) = phones(1)
    job_id = client.add_phone(phone, payload=payload, gmt_zone="+03:00", key="k 1", method=method)
    assert job_id == client.add_phone(
        phone, payload=payload, gmt_zone="+03:00", key="k 1", method=method
    )
    (job,) = box.jobs()
    assert str(job.id) == job_id
    assert orjson.loads(job.payload) == payload


def test_a_test_call_may_be_repeated(box: RunningSandbox, client: CampaignClient) -> None:
    """Exempt from the rule of 24 hours."""
    (phone,) = phones(1)
    assert client.test_add_phone(phone) != client.test_add_phone(phone)
    assert client.test_add_phone(phone, key="k") == client.test_add_phone(phone, key="k")
    assert len(box.jobs()) == 3


REFUSALS = {
    "phone.duplicated": [{"phone": "12125550100"}, {"phone": "12125550100"}],
    "phone.bad.format": [{"phone": "12125550101"}, {"phone": "12"}],
    "phone.gmtZone.bad.format": [{"phone": "12125550100", "gmtZone": "Mars/Base"}],
    "invalid.call.allowed.time": [
        {
            "phone": "12125550100",
            "gmtZone": "Z",
            "allowedTime": {
                "default": [
                    {"localTimeFrom": "09:00", "localTimeTo": "12:00"},
                    {"localTimeFrom": "11:00", "localTimeTo": "13:00"},
                ]
            },
        }
    ],
    "invalid.dialer_priority": [{"phone": "12125550100", "gmtZone": "Z", "dialerPriority": 9}],
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_each_refusal_of_the_contract(
    kind: str, box: RunningSandbox, client: CampaignClient
) -> None:
    """Nothing of the batch is added, and the error says why."""
    with pytest.raises(Refused) as caught:
        client.add_phones(orjson.dumps(REFUSALS[kind]), key="k")
    assert caught.value.fault.type == kind
    assert box.jobs() == []
    if kind == "phone.bad.format":
        assert caught.value.fault.phone == "12"
    if kind == "phone.duplicated":
        assert caught.value.fault.phones_duplicates == ("12125550100",)


def test_control_and_status(box: RunningSandbox, client: CampaignClient) -> None:
    """Pause and resume; the wrong state refuses; stop is final and halts the campaign."""
    client.add_phones(batch(phones(1)), key="k")
    client.pause()
    assert client.status() == client.info().status == "paused"
    with pytest.raises(Refused):
        client.pause()
    client.resume()
    with pytest.raises(Refused):
        client.resume()
    client.stop()
    assert client.status() == "finished"
    with pytest.raises(Halted, match=r"invalid\.call\.task\.state"):
        client.add_phones(batch(phones(1, start=9)), key="k-2")


def test_campaign_information(client: CampaignClient) -> None:
    """Name, times and counters are read."""
    client.add_phones(batch(phones(4)), key="k")
    info = client.info()
    assert info.id is not None
    assert info.name is not None
    assert info.creation_date is not None
    assert info.short_report.total_numbers == 4
    assert info.max_simultaneous_calls is not None


def test_an_unknown_token_halts(
    box: RunningSandbox, client_of: Callable[..., CampaignClient]
) -> None:
    """For every kind of method."""
    stranger = client_of(box, "no.such.token")
    calls: list[Callable[[], object]] = [
        lambda: stranger.add_phones(batch(phones(1)), key="k"),
        lambda: stranger.add_phone(phones(1)[0], key="k"),
        lambda: stranger.add_phone(phones(1)[0], key="k", method="GET"),
        lambda: stranger.test_add_phone(phones(1)[0]),
        lambda: stranger.cancel(ids=["1"]),
        lambda: stranger.job_reports(ids=["1"]),
        lambda: stranger.unfinished(page=0),
        lambda: stranger.job_reports_by_date(DateFilter(), page=0),
        lambda: stranger.attempt_reports_by_date(DateFilter(), page=0),
        stranger.info,
        stranger.status,
        stranger.pause,
    ]
    for call in calls:
        with pytest.raises(Halted):
            call()


def test_an_unknown_id_fails_the_whole_request(client: CampaignClient) -> None:
    """Reports and cancel alike."""
    ids = client.add_phones(batch(phones(1)), key="k")
    for call in (client.job_reports, client.attempt_reports, client.cancel):
        with pytest.raises(NotFound) as caught:
            call(ids=[*ids, "999999"])
        assert caught.value.fault.type == "id.not.found"
        with pytest.raises(NotFound) as caught:
            call(phones=["12125550199"])
        assert caught.value.fault.type == "phone.not.found"


def test_cancelled_jobs_end(client: CampaignClient) -> None:
    """By id and by phone; the ids of the cancelled come back."""
    numbers = phones(3)
    ids = client.add_phones(batch(numbers, startDateTime="2026-03-03T00:00:00Z"), key="k")
    assert sorted(client.cancel(ids=ids[:1], phones=numbers[1:2])) == sorted(ids[:2])
    reports = client.job_reports(ids=ids)
    assert [is_open(report) for report in reports] == [False, False, True]


def test_pages_by_date(box: RunningSandbox, client: CampaignClient) -> None:
    """All rows are reached, each once; a page that is not full is the last."""
    ids = client.add_phones(batch(phones(25)), key="k")
    today = DateFilter(
        created_from=START - timedelta(minutes=1), created_to=START + timedelta(minutes=1)
    )
    pages = [client.job_reports_by_date(today, page=page, page_size=10) for page in range(3)]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert sorted(report.call_job_id for page in pages for report in page) == sorted(ids)
    assert len(client.unfinished(page=0)) == 25
    later = DateFilter(created_from=START + timedelta(days=1))
    assert client.job_reports_by_date(later, page=0) == []
    box.advance(2 * DAY_S)
    assert client.unfinished(page=0) == []
    done = DateFilter(started_from=START, finished_to=START + timedelta(days=3))
    attempts = client.attempt_reports_by_date(done, page=0)
    assert attempts
    # The call script asked some to be called back: a new job, with a number of its own.
    assert {each.call_job_id for each in attempts if each.redial_number is None} <= set(ids)


def test_an_installation_without_the_paged_methods(
    client_of: Callable[..., CampaignClient],
) -> None:
    """Unsupported, and reports by ids work."""
    with running_sandbox(paging=False) as plain:
        client = client_of(plain)
        ids = client.add_phones(batch(phones(1)), key="k")
        for call in (
            lambda: client.unfinished(page=0),
            lambda: client.job_reports_by_date(DateFilter(), page=0),
            lambda: client.attempt_reports_by_date(DateFilter(), page=0),
        ):
            with pytest.raises(Unsupported):
                call()
        assert len(client.job_reports(ids=ids)) == 1


DOUBTS: list[dict[str, Any]] = [
    {"name": "answer_lost"},
    {"name": "answer_lost", "done": False},
    {"name": "reset"},
    {"name": "reset", "done": True},
    {"name": "http_500"},
    {"name": "http_500_after"},
    {"name": "http_429", "retry_after": 7},
    {"name": "truncated"},
    {"name": "slow", "seconds": 2.5},
    {"name": "html_502"},
    {"name": "empty_200"},
]


QUICK_DOUBTS = [fault for fault in DOUBTS if fault["name"] != "slow"]


def words(fault: dict[str, Any]) -> str:
    return " ".join(str(value) for value in fault.values())


@pytest.mark.parametrize("fault", DOUBTS, ids=words)
def test_a_doubt_ends_with_the_same_bytes_and_key(
    fault: dict[str, Any], box: RunningSandbox, client: CampaignClient
) -> None:
    """Done or not done, nobody can tell; asked again with the key, each phone is there once."""
    box.faults.add(Fault(**fault))
    body = batch(phones(5))
    with pytest.raises(InDoubt) as caught:
        client.add_phones(body, key="k")
    assert caught.value.retry_after_s == (7 if fault["name"] == "http_429" else None)
    ids = client.add_phones(body, key="k")
    assert sorted(str(job.id) for job in box.jobs()) == sorted(ids)
    assert len(ids) == 5


@pytest.mark.parametrize("fault", QUICK_DOUBTS, ids=words)
def test_a_question_that_failed_is_asked_again(
    fault: dict[str, Any], box: RunningSandbox, client: CampaignClient
) -> None:
    """Transient, and then the answer."""
    ids = client.add_phones(batch(phones(2)), key="k")
    box.faults.add(Fault(**fault))
    with pytest.raises(Transient):
        client.job_reports(ids=ids)
    assert len(client.job_reports(ids=ids)) == 2


def test_a_short_answer_is_given_as_it_came(box: RunningSandbox, client: CampaignClient) -> None:
    """The engine sees that it is short."""
    box.faults.add(Fault("short_answer"))
    assert len(client.add_phones(batch(phones(3)), key="k")) == 2


def test_the_gate_keeps_the_sandbox_silent(box: RunningSandbox, client: CampaignClient) -> None:
    """What refuses at the last moment leaves no request behind."""

    def refuse() -> None:
        raise LookupError("the window has closed")

    before = len(box.requests.entries())
    with pytest.raises(LookupError):
        client.add_phones(batch(phones(1)), key="k", before_first_byte=refuse)
    assert len(box.requests.entries()) == before
    assert box.jobs() == []


def test_no_token_in_any_error(
    box: RunningSandbox,
    client: CampaignClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A whole run of faults, with all logs on: neither token nor path."""
    caplog.set_level("DEBUG", logger="syncd")
    caplog.set_level("DEBUG", logger="httpx")
    caplog.set_level("DEBUG", logger="httpcore")
    shown: list[str] = []
    for fault in QUICK_DOUBTS:
        box.faults.add(Fault(**fault))
        with pytest.raises(SyncdError) as caught:
            client.add_phones(batch(phones(5)), key="k")
        shown += [repr(caught.value), str(caught.value), caught.value.hint]
    shown += [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(("syncd.campaign", "httpx", "httpcore"))
    ]
    everything = "\n".join(shown)
    assert box.token not in everything
    assert "/api/" not in everything
