"""A warm parent of syncd processes: each is forked, runs the real command line, and may be killed.

A process of syncd needs a second to import what it uses; one that is forked from a parent that did
so needs none. It is a process of its own all the same: its own ledger, connections and threads, and
SIGKILL takes it without a word to anybody.

Reads one JSON object a line from its input, and answers each with one: `argv`, `cwd`,
`environment`, `ahead_s` (how far its calendar is ahead), `trace` (a file that gets a line for each
step that it reaches) and `axes`, a list of [step, when, which time]: there it ends itself by
SIGKILL. With `wait` false the answer is the PID only; {"wait_for": PID} asks for its end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from datetime import datetime, timedelta, tzinfo
from typing import Any, NoReturn, Self

import apscheduler.executors.base
import apscheduler.schedulers.base

from syncd import __main__ as program
from syncd.clock import SystemClock
from syncd.observe import steps
from tests.warm.parent import warm

#: No command of a crash test takes so long; one that hangs is told by SIGALRM.
PATIENCE_S = 60
KILLED = "killed at"


def serve() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait_for" in asked:
            told = {"ended": _wait(asked["wait_for"])}
        else:
            pid = os.fork()
            if pid == 0:
                _become(asked)
            told = {"pid": pid}
            if asked["wait"]:
                told["ended"] = _wait(pid)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _become(asked: dict[str, Any]) -> NoReturn:
    """Be `syncd ARGV` from here on."""
    code: object = 0
    try:
        signal.alarm(PATIENCE_S)
        os.chdir(asked["cwd"])
        os.environ.update(asked["environment"])
        _write_to("output.txt")
        sys.argv = ["syncd", *asked["argv"]]
        _move_calendar(asked["ahead_s"])
        steps.hook = _Axe(asked["trace"], asked["axes"])
        program.main()
    except SystemExit as ending:
        code = ending.code
    except BaseException:  # noqa: BLE001 - the parent must not go on in the child
        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _write_to(name: str) -> None:
    out = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)


def _move_calendar(ahead_s: float) -> None:
    """The present is later by so much, as the sandbox's is; waits and durations are real."""
    present, ahead = SystemClock.now, timedelta(seconds=ahead_s)
    SystemClock.now = lambda self: present(self) + ahead  # type: ignore[method-assign]

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + ahead

    for user in (apscheduler.schedulers.base, apscheduler.executors.base):
        user.datetime = Later


class _Axe:
    """Notes each step, and ends the process where it was told to."""

    def __init__(self, trace: str, axes: list[tuple[str, str, int]]) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._left = {(step, when): time for step, when, time in axes}

    def __call__(self, step: str, when: str) -> None:
        os.write(self._trace, f"{step} {when}\n".encode())
        left = self._left.get((step, when), 0)
        self._left[step, when] = left - 1
        if left == 1:
            os.write(self._trace, f"{KILLED} {step} {when}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    warm()
    serve()
