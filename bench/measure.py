"""Runs a command in its own process and says what it cost: wall, CPU and the peak of its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from json import loads
from pathlib import Path

#: A run that takes longer has failed; nothing here should need a quarter of it.
LIMIT_S = 900


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process and its children used; memory is the peak of the largest one."""

    wall_s: float
    cpu_s: float
    peak_mb: float


class RunFailed(Exception):
    """The command did not end with 0."""


def run(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Cost:
    """Run `command` in `folder`; its output goes to `output.log` there.

    The kernel counts the memory of the starting process into the peak of the started one, so the
    starting process has to stay small: this one holds no leads.
    """
    log = folder / "output.log"
    # Compiled modules are kept, as on any machine that runs a command twice.
    environ = {key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"}
    with log.open("ab") as out:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, env={**environ, **(env or {})}, stdout=out, stderr=out
        )
        guard = threading.Timer(LIMIT_S, child.kill)
        guard.start()
        try:
            _, status, used = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            raise
        finally:
            guard.cancel()
        wall_s = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise RunFailed(f"{' '.join(command[:4])} … ended with {child.returncode}:\n{tail}")
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


class Target:
    """The null target, seen from the bench."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self._port = port

    def _ask(self, method: str, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request(method, path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def reset(self) -> None:
        self._ask("POST", "/reset")

    def stats(self) -> dict[str, int]:
        seen: dict[str, int] = loads(self._ask("GET", "/stats"))
        return seen


@contextmanager
def target(latency_ms: float = 0.0) -> Iterator[Target]:
    """A null target in its own process, for as long as the block lasts."""
    script = Path(__file__).with_name("target.py")
    command = [sys.executable, str(script), "--latency-ms", str(latency_ms)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        yield Target(int(child.stdout.readline()))
    finally:
        child.terminate()
        child.wait(timeout=10)
        assert child.stdout is not None
        child.stdout.close()
