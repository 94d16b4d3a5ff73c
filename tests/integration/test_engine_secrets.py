"""No token and no phone in any line, error or result of a whole troubled run, at debug."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.engine.passes import PassResult
from syncd.observe import events, logs
from syncd.observe.redact import Redactor
from syncd.sandbox.faults import KINDS, Fault
from tests.running import phone_of
from tests.worlds import LONG_S, World, new_world, poll_all, refuse, run_backfill, work

CANARY_TOKEN = "77.88.canaryTokenThatMayStandNowhere"
CANARY_NAME = "Canaria Secreta"
LEADS = 60


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Every line at debug; the redactor knows no secret, so only the code keeps them out."""
    stream = io.StringIO()
    logs.configure("debug", "json", Redactor([]), stream)
    yield stream
    logs.configure("warning", "json", Redactor([]), io.StringIO())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A campaign whose token is the canary, with one bad lead among the others."""
    with new_world(tmp_path, sandbox={"tokens": (CANARY_TOKEN,)}, read_s=0.3) as made:
        rows: list[tuple[object, ...]] = [(n, phone_of(n), CANARY_NAME) for n in range(LEADS)]
        made.write([*rows, (LEADS, "+1 201 555 019", CANARY_NAME), ("", phone_of(99), "x")])
        yield made


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def told_of(result: PassResult) -> str:
    error = result.error
    return f"{result!r} {error} {getattr(error, 'hint', '')} {error!r}"


def test_a_troubled_run_tells_no_secret(
    world: World, out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every fault, a refusal, a halt and a missing column: neither token nor phone nor payload."""
    results: list[PassResult] = []
    with world.open(alone=True) as app:
        results += poll_all(app)
        for name in KINDS:
            for path in ("addPhones", "callJob", "callAttempt", "status"):
                # A report is too long to come byte by byte.
                at_once = 0 if name == "trickled" else None
                world.box.faults.add(Fault(name, path=path, seconds=at_once))
        for _ in range(8):
            results += work(app).values()
            world.pass_time(LONG_S)
        with monkeypatch.context() as patch:
            bad = phone_of(70).lstrip("+")
            refuse(world, patch, "phone.bad.format", phone=bad, message=bad)
            world.write([(70, phone_of(70), "x"), (71, phone_of(71), CANARY_NAME)])
            results += poll_all(app)
            results += work(app).values()
        world.box.faults.clear()
        world.pass_time(LONG_S)
        app.campaign("welcome").client.stop()
        world.write([(80, phone_of(80), "x")])
        results += poll_all(app)
        results += work(app).values()
        world.write([(90, phone_of(90))], columns="id,mobile")
        results += run_backfill(app, wait=False).values()
    kinds = {result.outcome for result in results}
    assert kinds >= {"done", "retry", "halted", "config"}
    said = out.getvalue() + " ".join(map(told_of, results))
    assert CANARY_TOKEN not in said
    assert "canaryToken" not in said
    assert CANARY_NAME not in said
    assert "http://" not in said
    assert re.search(r"120[1-9]55501\d\d", said) is None
    assert re.search(r"555.?01\d\d", said) is None
    for line in lines(out):
        if line.get("room") == "engine" and line["event"] != events.PASS_FINISHED:
            told = events.ALL[line["event"]]
            assert line["level"] == told.level
            assert line.keys() - {"ts", "level", "event", "room"} == set(told.fields)


def test_a_pass_ends_with_one_line_of_counts(world: World, out: io.StringIO) -> None:
    """pass.finished: kind, target, pass, outcome, duration and every count; idle ones at debug."""
    with world.open(alone=True) as app:
        (polled,) = poll_all(app)
        submitted = work(app)["submit"]
        poll_all(app)
    finished = [line for line in lines(out) if line["event"] == events.PASS_FINISHED]
    for result in (polled, submitted):
        (line,) = [
            line for line in finished if line["kind"] == result.kind and line["level"] == "info"
        ]
        assert (line["target"], line["outcome"]) == (result.target, "done")
        assert {name: line[name] for name in result.counts} == result.counts
        more = line.keys() - result.counts.keys() - {"ts", "level", "event", "room"}
        assert more == set(events.PASS_FINISHED.fields) - {"error", "hint", "unread"}
    idle = [line for line in finished if line["kind"] == "poll"][-1]
    assert idle["level"] == "debug"


def test_a_failed_pass_says_why_and_what_to_do(world: World, out: io.StringIO) -> None:
    """The line has the error and its hint."""
    (world.path / "leads.csv").unlink()
    with world.open(alone=True) as app:
        poll_all(app)
    line = lines(out)[-1]
    assert (line["outcome"], line["kind"]) == ("retry", "poll")
    assert line["error"]
    assert line["hint"]
