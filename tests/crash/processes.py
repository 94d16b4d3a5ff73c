"""Processes of syncd, forked from one warm parent (forge.py), as a test starts and ends them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Axe:
    """Where a process is killed: before or after a step, at its so-many-th time."""

    step: str
    when: str
    time: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.step}, time {self.time}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the processes of one story work."""

    folder: Path

    @property
    def trace(self) -> Path:
        return self.folder / "trace.txt"

    def reached(self) -> list[tuple[str, str]]:
        """Each step, before and after, that any process here came to, in that order."""
        return [(line[0], line[1]) for line in self._lines() if len(line) == 2]

    def fallen(self) -> list[tuple[str, str]]:
        """Where processes were killed."""
        return [(line[-2], line[-1]) for line in self._lines() if len(line) > 2]

    def _lines(self) -> list[list[str]]:
        """A step and "before" or "after", behind a word or two where a process was killed."""
        if not self.trace.exists():
            return []
        return [line.split() for line in self.trace.read_text(encoding="utf-8").splitlines()]


class Processes:
    """The hand on the warm parent."""

    def __init__(self, parent: subprocess.Popen[str]) -> None:
        self._parent = parent
        self._started: set[int] = set()

    def run(self, place: Place, argv: Sequence[str], *, ahead_s: float, axes: list[Axe]) -> int:
        """`syncd ARGV` to its end; its exit code, or minus the signal that ended it."""
        told = self._ask(place, argv, ahead_s, axes, wait=True)
        return int(told["ended"])

    def start(self, place: Place, argv: Sequence[str], *, ahead_s: float, axes: list[Axe]) -> int:
        """`syncd ARGV`, not waited for; its PID."""
        pid = int(self._ask(place, argv, ahead_s, axes, wait=False)["pid"])
        self._started.add(pid)
        return pid

    def wait(self, pid: int) -> int:
        """The end of a started process."""
        self._started.discard(pid)
        return int(self._say({"wait_for": pid})["ended"])

    def kill_all(self) -> None:
        """Nothing that a failed test started stays."""
        for pid in list(self._started):
            os.kill(pid, signal.SIGKILL)
            self.wait(pid)

    def _ask(
        self, place: Place, argv: Sequence[str], ahead_s: float, axes: list[Axe], *, wait: bool
    ) -> dict[str, Any]:
        return self._say(
            {
                "argv": list(argv),
                "cwd": str(place.folder),
                "environment": {"NO_COLOR": "1", "no_proxy": "127.0.0.1"},
                "ahead_s": ahead_s,
                "trace": str(place.trace),
                "axes": [(axe.step, axe.when, axe.time) for axe in axes],
                "wait": wait,
            }
        )

    def _say(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(asked) + "\n")
        self._parent.stdin.flush()
        line = self._parent.stdout.readline()
        assert line, "the warm parent has ended"
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def warm_processes() -> Iterator[Processes]:
    """A warm parent, and what it forks."""
    # Measuring would slow each process down, and a killed one tells nothing of what it measured.
    own = {
        name: told
        for name, told in os.environ.items()
        if not name.startswith(("SYNCD_", "COVERAGE_"))
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.forge"],
        cwd=ROOT,
        env={**own, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        made = Processes(parent)
        try:
            yield made
        finally:
            made.kill_all()
            assert parent.stdin is not None
            parent.stdin.close()
            parent.wait()
