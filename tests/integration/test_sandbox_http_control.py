"""The control plane, the state file over a kill, and the command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from syncd.cli.sandbox import sandbox as command
from syncd.sandbox import SandboxConfig, banner
from syncd.sandbox.clock import parse_ms
from syncd.sandbox.knobs import Knobs
from syncd.sandbox.testing import RunningSandbox, running_sandbox

START = "2026-11-23T08:00:00Z"
SERVE = """
import typer
from syncd.cli.sandbox import sandbox
app = typer.Typer()
app.command()(sandbox)
app()
"""
OPTIONS = ["--port", "0", "--token", "1.2.mine", "--speed", "0", "--start", START]


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    """A sandbox with two campaigns and some calls behind it."""
    with running_sandbox(start_ms=parse_ms(START), tokens=("1.2.mine", "3.4.yours")) as running:
        yield running


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client without the environment's proxies."""
    with httpx.Client(trust_env=False, verify=False) as client:
        yield client


def fill(box: RunningSandbox, http: httpx.Client) -> None:
    """Three jobs in the first campaign, one in the second."""
    for token, phones in (
        (box.tokens[0], ["12125550190", "12125550191", "447700900094"]),
        (box.tokens[1], ["61491570006"]),
    ):
        jobs = [
            {"phone": phone, "payload": {"n": 1}, "gmtZone": "Asia/Kolkata"} for phone in phones
        ]
        http.post(f"{box.base_url}/api/calls/campaign/{token}/addPhones", json=jobs)


def get(box: RunningSandbox, http: httpx.Client, path: str) -> Any:
    """The JSON of a route of the control plane."""
    return http.get(f"{box.base_url}/_sandbox/{path}").json()


def test_jobs_show_everything_but_the_token(box: RunningSandbox, http: httpx.Client) -> None:
    """Payload, settings as sent, zone, status and times of each job."""
    fill(box, http)
    job = get(box, http, "jobs")["items"][0]
    assert job == {
        "id": "5665334669",
        "campaign": 1001,
        "phone": "12125550190",
        "payload": {"n": 1},
        "settings": {"gmtZone": "Asia/Kolkata"},
        "zone": "Asia/Kolkata",
        "zone_known": True,
        "key": None,
        "test": False,
        "operator": False,
        "redial_number": None,
        "status": "inProcess",
        "attempts": 1,
        "created_at": "2026-11-23T08:00:00.000Z",
        "finished_at": None,
    }
    assert "mine" not in str(get(box, http, "jobs"))


def test_calls_are_the_ground_truth(box: RunningSandbox, http: httpx.Client) -> None:
    """Virtual time, local time of the zone and the judgement of the windows."""
    fill(box, http)
    assert get(box, http, "calls")["items"][0]["outcome"] is None
    box.advance(600)
    call = get(box, http, "calls")["items"][0]
    assert (call["at"], call["local"], call["weekday"]) == (
        "2026-11-23T08:00:00.000Z",
        "2026-11-23T13:30:00+05:30",
        "mon",
    )
    assert (call["inside_windows"], call["zone_known"]) == (True, True)
    assert (call["outcome"], call["attempt"]) == ("longCallWithResult", 1)


@pytest.mark.parametrize("path", ["jobs", "calls", "requests"])
def test_lists_come_in_pages(box: RunningSandbox, http: httpx.Client, path: str) -> None:
    """`limit` and `after` walk the whole list once, over all campaigns."""
    fill(box, http)
    whole = get(box, http, path)
    assert whole["next"] is None
    seen: list[Any] = []
    after: int | None = 0
    while after is not None:
        page = get(box, http, f"{path}?limit=1&after={after}")
        seen += page["items"]
        after = page["next"]
    assert seen == whole["items"]
    assert seen


def test_one_campaign_can_be_asked_for(box: RunningSandbox, http: httpx.Client) -> None:
    """By its number; an unknown one is a 400."""
    fill(box, http)
    assert len(get(box, http, "jobs?campaign=1002")["items"]) == 1
    assert "error" in get(box, http, "jobs?campaign=7")


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "limit=many", "after=-1"])
def test_bad_pages_are_refused(box: RunningSandbox, http: httpx.Client, query: str) -> None:
    """400 with a reason."""
    answer = http.get(f"{box.base_url}/_sandbox/jobs?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_clock_is_moved_by_hand(box: RunningSandbox, http: httpx.Client) -> None:
    """By seconds, to an instant, or by another speed."""
    clock = f"{box.base_url}/_sandbox/clock"
    assert http.get(clock).json() == {
        "now": START[:-1] + ".000Z",
        "now_ms": parse_ms(START),
        "speed": 0.0,
    }
    assert (
        http.post(clock, json={"advance_seconds": 90}).json()["now"] == "2026-11-23T08:01:30.000Z"
    )
    moved = http.post(clock, json={"to": "2026-11-24T00:00:00Z"}).json()
    assert moved["now"] == "2026-11-24T00:00:00.000Z"
    assert http.post(clock, json={"speed": 60}).json()["speed"] == 60


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"hours": 1}',
        b'{"advance_seconds": -1}',
        b'{"advance_seconds": "1"}',
        b'{"advance_seconds": true}',
        b'{"to": "2020-01-01T00:00:00Z"}',
        b'{"to": "tomorrow"}',
        b'{"speed": 1e12}',
    ],
)
def test_the_clock_refuses_nonsense(box: RunningSandbox, http: httpx.Client, body: bytes) -> None:
    """400, and time has not moved."""
    assert http.post(f"{box.base_url}/_sandbox/clock", content=body).status_code == 400
    assert box.book.now_ms() == parse_ms(START)


def test_the_verdict_after_two_days(box: RunningSandbox, http: httpx.Client) -> None:
    """Nobody called twice, none outside the windows, none unfinished."""
    fill(box, http)
    box.advance(2 * 86_400)
    said = get(box, http, "verdict")
    assert said["ok"] is True
    assert (said["jobs"], said["jobs_redial"], said["jobs_unfinished"]) == (5, 1, 0)
    assert said == box.verdict()


def test_reset_begins_anew(box: RunningSandbox, http: httpx.Client) -> None:
    """No jobs, requests or faults are left."""
    fill(box, http)
    http.post(f"{box.base_url}/_sandbox/faults", json={"name": "reset"})
    assert http.post(f"{box.base_url}/_sandbox/reset").status_code == 200
    for path in ("jobs", "calls", "requests", "faults"):
        assert get(box, http, path)["items"] == []


def started(state: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    """A sandbox in a process of its own, and its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, *OPTIONS, "--state", str(state), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().split()[7]


def test_a_killed_sandbox_loses_nothing_that_it_answered(
    tmp_path: Path, http: httpx.Client
) -> None:
    """After kill -9 the next process knows jobs, keys and time, and calls end alike."""
    process, base = started(tmp_path / "state")
    path = "api/calls/campaign/1.2.mine"
    try:
        jobs = [{"phone": "12125550191"}, {"phone": "12125550198"}]
        key = {"Idempotence-Key": "k"}
        ids = http.post(f"{base}/{path}/addPhones", json=jobs, headers=key).json()
        http.post(f"{base}/_sandbox/clock", json={"advance_seconds": 60})
        before = http.get(f"{base}/_sandbox/calls").json()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    process, base = started(tmp_path / "state")
    try:
        assert http.get(f"{base}/_sandbox/calls").json() == before
        assert http.post(f"{base}/{path}/addPhones", json=[], headers=key).json() == ids
        http.post(f"{base}/_sandbox/clock", json={"advance_seconds": 7200})
        assert http.get(f"{base}/_sandbox/verdict").json()["jobs_unfinished"] == 0
    finally:
        process.terminate()
        process.communicate()


def test_knobs_are_set_at_the_start(tmp_path: Path, http: httpx.Client) -> None:
    """Words, numbers and true or false; options that are knobs are among them."""
    more = ["--set", "id_order=reversed", "--set", "key_hours=1.5", "--set", "cache_refusals=true"]
    process, base = started(tmp_path / "state", *more, "--duplicates", "error", "--no-paging")
    try:
        knobs = http.get(f"{base}/_sandbox/knobs").json()
    finally:
        process.terminate()
        process.communicate()
    assert (
        knobs
        == Knobs(
            id_order="reversed",
            key_hours=1.5,
            cache_refusals=True,
            duplicates="error",
            paging=False,
        ).public()
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_signal_ends_it_quietly(
    tmp_path: Path, http: httpx.Client, number: signal.Signals, code: int
) -> None:
    """Ctrl+C and SIGTERM end it at once, with a slow answer under way too, and without a word."""
    process, base = started(tmp_path / "state")
    http.post(f"{base}/_sandbox/faults", json={"name": "slow", "seconds": 60})
    with pytest.raises(httpx.ReadTimeout):
        http.get(f"{base}/api/calls/campaign/1.2.mine/status", timeout=0.2)
    process.send_signal(number)
    assert process.wait(timeout=20) == code
    assert process.stdout is not None
    with process.stdout as said:
        output = said.read()
    assert output.splitlines()[-1] == "stop with Ctrl+C"


def test_the_clock_runs_at_its_speed_without_a_request() -> None:
    """The tick lets calls end by themselves."""
    with running_sandbox(speed=100_000.0, tokens=("t",)) as box:
        box.book.add_phones("t", b'[{"phone": "12125550190"}]', None)
        job = box.jobs()[0]
        with httpx.Client(trust_env=False, verify=False) as http:
            while job.finished_ms is None:
                http.get(f"{box.base_url}/_sandbox/clock")
        assert job.status == "longCallWithResult"


def test_the_banner_shows_how_to_begin() -> None:
    """Address, tokens and a first request; an IPv6 host in brackets."""
    text = banner(SandboxConfig(host="::1", tokens=("1.2.mine",)), 8642)
    assert "http://[::1]:8642/api/calls/campaign/1.2.mine/addPhones" in text
    assert text.count("  token ") == 2


@pytest.fixture
def run() -> Any:
    """The command as the shell would call it."""
    app = typer.Typer()
    app.command()(command)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_a_taken_port_is_told(run: Any) -> None:
    """Exit 2 with a hint."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("--port", str(taken.getsockname()[1]))
    assert ended.exit_code == 2
    assert "hint:" in ended.output


def test_a_bad_state_file_is_told(run: Any, tmp_path: Path) -> None:
    """Exit 2, and the file is left alone."""
    (tmp_path / "leads.csv").write_text("id;phone\n")
    ended = run("--port", "0", "--state", str(tmp_path / "leads.csv"))
    assert ended.exit_code == 2
    assert "no state file" in ended.output
    assert (tmp_path / "leads.csv").read_text() == "id;phone\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--start", "soon"],
        ["--speed", "-1"],
        ["--lines", "0"],
        ["--duplicates", "x"],
        ["--set", "key_hours"],
        ["--set", "key_hours=many"],
        ["--set", "colour=red"],
    ],
)
def test_bad_options_are_refused(run: Any, arguments: list[str]) -> None:
    """Exit 2 before anything listens."""
    assert run(*arguments).exit_code == 2
