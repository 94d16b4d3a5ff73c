"""Every line goes through one handler, masked; JSON for machines, words for people."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from syncd.observe import events, logs
from syncd.observe.redact import MASK, Redactor

TOKEN = "123.456.bAYx-not-a-real-token"
PHONE = "447700900123"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the root logger, the hooks and the warnings as they were."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    quiet = {name: logging.getLogger(name).level for name in (*logs.QUIET, *logs.HUSHED)}
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield
    logging.captureWarnings(False)
    root.handlers[:] = before
    root.setLevel(level)
    for name, old in quiet.items():
        logging.getLogger(name).setLevel(old)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def configure(out: io.StringIO, level: str = "info", fmt: str = "json") -> None:
    logs.configure(level, fmt, Redactor([TOKEN]), out)


def test_a_line_is_one_json_object(out: io.StringIO) -> None:
    """Time in UTC first, then level, event and room, then the fields."""
    configure(out)
    logs.get("engine").info(events.BATCH_ANSWERED, campaign="welcome", jobs=500)
    (line,) = lines(out)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("ts"))
    assert line == {
        "level": "info",
        "event": "batch.answered",
        "room": "engine",
        "campaign": "welcome",
        "jobs": 500,
    }
    assert list(json.loads(out.getvalue()))[:4] == ["ts", "level", "event", "room"]


def test_a_level_hides_what_is_less_important(out: io.StringIO) -> None:
    """A debug line is not written at info."""
    configure(out)
    logs.get("engine").debug(events.BATCH_ANSWERED)
    logs.get("engine").warning(events.BATCH_DOUBTED)
    assert [line["event"] for line in lines(out)] == ["batch.doubted"]


@pytest.mark.parametrize("fmt", ["json", "console"])
def test_no_token_and_no_phone_in_any_line(out: io.StringIO, fmt: str) -> None:
    """Ours and a library's, in messages, arguments, fields, tracebacks and stack."""
    configure(out, "debug", fmt)
    ours, theirs = logs.get("campaign"), logging.getLogger("somebody")
    url = f"https://h/api/calls/campaign/{TOKEN}/addPhones?phone={PHONE}"
    ours.info(events.BATCH_ANSWERED, what=url, nested={"token": TOKEN, "phone": PHONE})
    theirs.warning("GET %s", url, extra={"phone": PHONE, "url": url})
    local_secret = TOKEN
    try:
        int(url)
    except ValueError:
        ours.exception(events.PASS_FAILED)
        theirs.exception("failed")
    theirs.error("here", stack_info=True)
    assert local_secret
    text = out.getvalue()
    assert text.count(MASK) >= 4
    assert TOKEN not in text
    assert PHONE not in text
    assert "ValueError" in text


def test_libraries_that_write_urls_are_quiet(out: io.StringIO) -> None:
    """The library httpx writes each URL at INFO; not even at debug is it heard."""
    configure(out, "debug")
    for name in ("httpx", "httpcore", "apscheduler", "alembic"):
        logging.getLogger(f"{name}.inner").info("GET https://h/")
    assert out.getvalue() == ""
    logging.getLogger("httpx").warning("hm")
    assert lines(out)[0]["logger"] == "httpx"


def test_a_line_of_ours_has_no_logger_and_a_line_of_theirs_has(out: io.StringIO) -> None:
    """`room` for us, `logger` for the others."""
    configure(out)
    logs.get("ledger").info(events.DAEMON_STARTED)
    logging.getLogger("other").warning("x")
    mine, theirs = lines(out)
    assert (mine["room"], "logger" in mine) == ("ledger", False)
    assert (theirs["logger"], "room" in theirs) == ("other", False)


def test_a_terminal_gets_words_and_a_pipe_gets_json() -> None:
    """The format "auto" looks at the stream; console can be forced."""
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        logs.configure("info", "auto", Redactor(), stream)
        logs.get("engine").info(events.PASS_FINISHED, kind="poll")
    assert "\x1b[" in terminal.getvalue()
    assert "pass.finished" in terminal.getvalue()
    assert lines(pipe)[0]["event"] == "pass.finished"


def test_configuring_again_replaces_the_handler(out: io.StringIO) -> None:
    """A line is written once, by the last configuration; foreign handlers stay."""
    foreign = logging.NullHandler()
    logging.getLogger().addHandler(foreign)
    configure(io.StringIO())
    configure(out)
    configure(out)
    logs.get("engine").info(events.PASS_FINISHED)
    assert len(lines(out)) == 1
    assert foreign in logging.getLogger().handlers


def test_lines_go_to_stderr_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Results are for stdout, logs are not."""
    logs.configure("info", "json", Redactor())
    logs.get("engine").info(events.PASS_FINISHED)
    caught = capsys.readouterr()
    assert caught.out == ""
    assert "pass.finished" in caught.err


def test_nothing_is_printed_before_logs_are_configured(capsys: pytest.CaptureFixture[str]) -> None:
    """A library user who never configures sees nothing, above all nothing raw."""
    root = logging.getLogger()
    root.handlers[:] = []
    logs.get("engine").error(events.PASS_FAILED, token=TOKEN)
    assert "".join(capsys.readouterr()) == ""


def test_warnings_are_lines_too(out: io.StringIO) -> None:
    """Python's warnings go through the same mask."""
    configure(out)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(f"old {TOKEN}", stacklevel=1)
    assert lines(out)[0]["logger"] == "py.warnings"
    assert TOKEN not in out.getvalue()


@pytest.mark.parametrize("value", ["\ud800", 2**70])
def test_what_json_cannot_hold_is_still_written(out: io.StringIO, value: object) -> None:
    """Half a surrogate pair and a giant number lose no line."""
    configure(out)
    logs.get("engine").info(events.PASS_FINISHED, count=value)
    assert lines(out)[0]["count"] == value


def test_a_line_that_cannot_be_written_is_told_without_its_content(out: io.StringIO) -> None:
    """A wrong format string is told by its place; the arguments are not shown."""
    logging.getLogger().handlers[:] = []  # pytest's own would raise
    configure(out)
    logging.getLogger("other").warning("%d", TOKEN)
    assert out.getvalue().startswith("a log line was lost: TypeError [other:")
    assert TOKEN not in out.getvalue()


def test_a_closed_stream_ends_nothing(out: io.StringIO) -> None:
    """When stderr is gone, work goes on."""
    configure(out)
    out.close()
    logs.get("engine").info(events.PASS_FINISHED)
    configure(again := io.StringIO())
    logs.get("engine").info(events.PASS_FINISHED)
    assert [line["event"] for line in lines(again)] == ["pass.finished"]


def test_an_error_that_nobody_caught_is_one_masked_line(out: io.StringIO) -> None:
    """In the main thread, in others and in a finalizer; a stop by the user is none."""
    configure(out)
    logs.install_hooks()
    try:
        int(f"bug with {TOKEN}")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)

    def fail() -> None:
        raise RuntimeError(f"bug with {PHONE}")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

    class Clumsy:
        def __del__(self) -> None:
            raise RuntimeError(f"bug with {TOKEN}")

    Clumsy()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    sys.excepthook(SystemExit, SystemExit(2), None)
    assert [line["event"] for line in lines(out)] == ["process.crashed"] * 3
    assert TOKEN not in out.getvalue()
    assert PHONE not in out.getvalue()
