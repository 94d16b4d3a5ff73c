"""Each fault as a raw socket sees it, and what was done behind it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from syncd.sandbox.faults import KINDS, Fault
from syncd.sandbox.testing import RunningSandbox, running_sandbox

BODY = json.dumps([{"phone": "12125550110"}, {"phone": "12125550111"}])
IDS = b'["5665334669","5665334671"]'
TIMEOUT_S = 20


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    """A sandbox whose clock stands."""
    with running_sandbox() as running:
        yield running


def raw(box: RunningSandbox, path: str = "addPhones", key: str = "k") -> bytes:
    """Every byte that comes back for one addPhones; ConnectionResetError when it is reset."""
    where = urlsplit(box.base_url)
    assert where.hostname is not None
    with socket.create_connection((where.hostname, where.port), timeout=TIMEOUT_S) as sock:
        sock.sendall(
            f"POST /api/calls/campaign/{box.token}/{path} HTTP/1.1\r\nHost: x\r\n"
            f"Idempotence-Key: {key}\r\nConnection: close\r\n"
            f"Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
        )
        parts = []
        while part := sock.recv(65_536):
            parts.append(part)
        return b"".join(parts)


def control(box: RunningSandbox, method: str, body: Any = None) -> httpx.Response:
    """A request to the queue of faults."""
    with httpx.Client(trust_env=False, verify=False) as http:
        return http.request(method, f"{box.base_url}/_sandbox/faults", json=body)


def status_of(answer: bytes) -> int:
    """The status code of a raw answer."""
    return int(answer.split(b" ", 2)[1])


def test_without_a_fault_the_answer_is_whole(box: RunningSandbox) -> None:
    """The measure for all that follows."""
    answer = raw(box)
    assert status_of(answer) == 200
    assert answer.endswith(IDS)


def test_answer_lost(box: RunningSandbox) -> None:
    """Not one byte comes back, the jobs exist, and the key brings their IDs."""
    box.faults.add(Fault("answer_lost"))
    assert raw(box) == b""
    assert len(box.jobs()) == 2
    assert raw(box).endswith(IDS)


def test_reset(box: RunningSandbox) -> None:
    """The connection is reset and nothing was done."""
    box.faults.add(Fault("reset"))
    with pytest.raises(ConnectionResetError):
        raw(box)
    assert box.jobs() == []


def test_reset_after_the_work(box: RunningSandbox) -> None:
    """With done the jobs exist though the connection was reset."""
    box.faults.add(Fault("reset", done=True))
    with pytest.raises(ConnectionResetError):
        raw(box)
    assert len(box.jobs()) == 2


def test_truncated(box: RunningSandbox) -> None:
    """The header promises the whole body, half of it comes."""
    box.faults.add(Fault("truncated"))
    head, _, body = raw(box).partition(b"\r\n\r\n")
    assert f"content-length: {len(IDS)}".encode() in head.lower()
    assert body == IDS[: len(IDS) // 2]
    assert len(box.jobs()) == 2


def test_slow(box: RunningSandbox) -> None:
    """The whole answer comes, in many pieces."""
    box.faults.add(Fault("slow", seconds=0.2))
    assert raw(box).endswith(IDS)


def test_a_slow_empty_answer(box: RunningSandbox) -> None:
    """An answer without a body can be slow too."""
    box.faults.add(Fault("slow", seconds=0.01))
    raw(box, "control/stop")
    assert box.book.campaign(box.token).status == "finished"


def test_a_client_may_lose_its_patience(box: RunningSandbox) -> None:
    """A read timeout in the middle of a slow answer disturbs nobody."""
    box.faults.add(Fault("slow", seconds=60))
    with (
        httpx.Client(trust_env=False, verify=False, timeout=0.2) as http,
        pytest.raises(httpx.ReadTimeout),
    ):
        http.post(f"{box.base_url}/api/calls/campaign/{box.token}/addPhones", content=BODY)
    assert len(box.jobs()) == 2


@pytest.mark.parametrize(
    ("name", "status", "done"),
    [("http_500", 500, 0), ("http_500_after", 500, 2), ("http_429", 429, 0), ("html_502", 502, 0)],
)
def test_error_statuses(box: RunningSandbox, name: str, status: int, done: int) -> None:
    """The status comes back; only http_500_after did the work."""
    box.faults.add(Fault(name, retry_after=7 if name == "http_429" else None))
    answer = raw(box)
    assert status_of(answer) == status
    assert len(box.jobs()) == done
    assert (b"retry-after: 7\r\n" in answer) == (name == "http_429")
    assert (b"text/html" in answer) == (name == "html_502")


def test_empty_200(box: RunningSandbox) -> None:
    """The work is done and the answer is empty; with done false it was not done."""
    box.faults.add(Fault("empty_200"), Fault("empty_200", done=False))
    for done in (2, 2):
        answer = raw(box, key=str(done))
        assert status_of(answer) == 200
        assert answer.endswith(b"content-length: 0\r\n\r\n") or b"content-length: 0" in answer
        assert len(box.jobs()) == done


def test_short_answer(box: RunningSandbox) -> None:
    """The first ID is missing, so that positions lie; paged lists lose an item as well."""
    box.faults.add(Fault("short_answer", count=4))
    assert raw(box).endswith(b'\r\n\r\n["5665334671"]')
    assert len(box.jobs()) == 2
    with httpx.Client(trust_env=False, verify=False) as http:
        base = f"{box.base_url}/api/calls/campaign/{box.token}"
        assert len(http.post(f"{base}/callJob/getUnfinished", json={}).json()["items"]) == 1
        assert http.get(f"{base}/status").json() == "inProcess"
        assert http.post(f"{base}/control/pause").content == b""


def test_reversed_answer(box: RunningSandbox) -> None:
    """Each position tells the ID of another phone's job; what is no list stays as it is."""
    box.faults.add(Fault("reversed_answer", count=3))
    assert raw(box).endswith(b'\r\n\r\n["5665334671","5665334669"]')
    assert [str(job.id) for job in box.jobs()] == ["5665334669", "5665334671"]
    with httpx.Client(trust_env=False, verify=False) as http:
        base = f"{box.base_url}/api/calls/campaign/{box.token}"
        assert http.get(f"{base}/status").json() == "inProcess"
        assert http.post(f"{base}/control/pause").content == b""


def test_a_fault_waits_for_its_path_and_its_turn(box: RunningSandbox) -> None:
    """Path, skip and count: the third and fourth addPhones fail, other methods never."""
    box.faults.add(Fault("http_500", path="/addPhones", skip=2, count=2))
    with httpx.Client(trust_env=False, verify=False) as http:
        url = f"{box.base_url}/api/calls/campaign/{box.token}"
        assert http.get(f"{url}/status").status_code == 200
    statuses = [status_of(raw(box, key=str(number))) for number in range(5)]
    assert statuses == [200, 200, 500, 500, 200]


def test_the_queue_over_http(box: RunningSandbox) -> None:
    """Faults are queued one by one or as a list, shown, and cleared."""
    assert control(box, "POST", {"name": "reset", "count": 2}).status_code == 200
    control(box, "POST", [{"name": "slow", "seconds": 1.5}, {"name": "http_429", "done": True}])
    waiting = control(box, "GET").json()["items"]
    assert [(fault["name"], fault["count"], fault["done"]) for fault in waiting] == [
        ("reset", 2, False),
        ("slow", 1, True),
        ("http_429", 1, True),
    ]
    assert control(box, "DELETE").json() == {"items": []}
    assert status_of(raw(box)) == 200


@pytest.mark.parametrize(
    "fault",
    [
        "reset",
        {},
        {"name": "flood"},
        {"name": "reset", "count": 0},
        {"name": "reset", "count": True},
        {"name": "reset", "count": "1"},
        {"name": "reset", "skip": -1},
        {"name": "slow", "done": False},
        {"name": "slow", "wait": 1},
        None,
    ],
)
def test_a_bad_fault_is_refused(box: RunningSandbox, fault: Any) -> None:
    """400 with a reason, and nothing of the batch is queued."""
    answer = control(box, "POST", [{"name": "reset"}, fault])
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert box.faults.waiting() == []


def test_faults_are_noted_in_the_log(box: RunningSandbox) -> None:
    """The entry names the fault; a request that was not carried out has no status."""
    box.faults.add(Fault("reset"), Fault("answer_lost"))
    with pytest.raises(ConnectionResetError):
        raw(box)
    raw(box)
    log = [(entry["fault"], entry["status"]) for entry in box.requests.entries()]
    assert log == [("reset", None), ("answer_lost", 200)]


def test_the_server_goes_on_after_every_fault(box: RunningSandbox) -> None:
    """After one of each kind the next request is answered."""
    small = {"seconds": 0.001, "delay_seconds": 0, "megabytes": 0.01}
    for name, kind in KINDS.items():
        box.faults.add(
            Fault(name, **{field: small[field] for field in kind.takes if field in small})
        )
        with suppress(ConnectionResetError):
            raw(box)
        box.faults.clear()
    assert raw(box).endswith(IDS)
