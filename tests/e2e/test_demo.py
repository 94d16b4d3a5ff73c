"""`syncd demo` as a stranger runs it: in a pipe, in a new folder, with no configuration."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

WIDTH = 100
PATIENCE_S = 120


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`syncd demo` in a folder, its output in a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "syncd", "demo", *arguments],
        cwd=folder,
        env={**os.environ, "SYNCD_LOG_LEVEL": "no such level", "HTTP_PROXY": "http://127.0.0.1:1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What a small demo printed, and the folder that it ran in."""
    place = tmp_path_factory.mktemp("demo")
    running = start(place, "--leads", "150")
    out, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, out
    return out, place


def test_the_verdict_is_clean(shown: tuple[str, Path]) -> None:
    """Nobody is called twice or at a wrong hour, no lead is lost, and a second run adds none."""
    out, _ = shown
    promises = out.rpartition("promise ")[2]
    counts = re.findall(r"^([a-z ]+?)  +(\d+) *$", promises, re.MULTILINE)
    assert dict(counts) == {
        "jobs called twice": "0",
        "calls outside windows": "0",
        "leads lost": "0",
        "leads not sent": "0",
        "calls that the ledger does not know": "0",
        "new at the second backfill": "0",
    }
    assert "verdict: clean" in out


def test_it_shows_the_commands_that_it_runs(shown: tuple[str, Path]) -> None:
    """A reader can type them: plan, backfill, the clock, reports, explain, the verdict."""
    out, _ = shown
    commands = re.findall(r"^\$ (?:syncd )?([a-z]+)", out, re.MULTILINE)
    work = ["sandbox", "head", "init", "plan", "backfill", "curl", "once"]
    assert commands == [*work, *["explain"] * 3, "backfill", "curl"]


def test_the_three_stories_are_told(shown: tuple[str, Path]) -> None:
    """One answered, one asked for a call-back and got it, one is held for want of an hour."""
    out, _ = shown
    stories = out.partition("three stories")[2]
    for told in ("longCallWithResult", "CALLBACK_REQUEST", "call-back 1", "no_common_window"):
        assert told in stories


def test_a_pipe_gets_plain_text_of_a_hundred_columns(shown: tuple[str, Path]) -> None:
    """No colours, no bars; only exact JSON is wider, and what a path makes so."""
    out, place = shown
    assert "\x1b" not in out
    assert "\r" not in out
    # Where the checkout and the temporary folder stand is not ours to say.
    paths = (f"{Path(sys.executable).parent}/", f"{place}/")
    wide = [line for line in out.splitlines() if len(without(line, paths)) > WIDTH]
    assert [line for line in wide if not is_exact_json(line)] == []


def without(line: str, paths: Sequence[str]) -> str:
    """A line as it would be if its files stood in the folder where one types."""
    for path in paths:
        line = line.replace(path, "")
    return line


def is_exact_json(line: str) -> bool:
    """A call job letter by letter, or a line of the log: a slow machine logs that it waited."""
    text = line.removeprefix("sent as").removeprefix("to send").strip()
    try:
        told = json.loads(text)
    except ValueError:
        return False
    return isinstance(told, dict) and ("phone" in told or {"ts", "event"} <= set(told))


def test_its_files_are_in_one_folder_and_a_second_demo_may_clean_it(
    shown: tuple[str, Path],
) -> None:
    """It leaves the export, the configuration, the ledger and the sandbox's state."""
    out, place = shown
    assert "the files are in demo-run/" in out
    assert [path.name for path in place.iterdir()] == ["demo-run"]
    names = {path.name for path in (place / "demo-run").iterdir()}
    assert {"crm.csv", "syncd.toml", "syncd.db", "sandbox.state"} <= names


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    """Exit code 2, and nothing in it is changed."""
    (tmp_path / "mine.txt").write_text("kept")
    running = start(tmp_path, "--folder", ".")
    out, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 2
    assert "nothing was touched" in out
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_demo_that_is_stopped_takes_its_sandbox_along(tmp_path: Path) -> None:
    """SIGTERM ends both: nobody holds the sandbox's state file any more."""
    running = start(tmp_path, "--leads", "100")
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("listens at"):
            break
    running.send_signal(signal.SIGTERM)
    out, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 128 + signal.SIGTERM, out
    with (tmp_path / "demo-run" / "sandbox.state").open("ab") as state:
        fcntl.flock(state, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a living sandbox would hold it
