"""One case on one tool: an export, a sandbox that counts, and the processes that are run."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import leads
from bench.failures.report import Outcome
from bench.failures.tools import Options, Tool
from bench.measure import RunFailed
from bench.peers.drt import international
from syncd.sandbox.testing import RunningSandbox, running_sandbox

LIMIT_S = 300
#: Long enough for every call, however often it is tried again.
DIALLED_AFTER_S = 3 * 86_400
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class World:
    """A tool in a folder of its own, and the sandbox that it sends to."""

    tool: Tool
    folder: Path
    box: RunningSandbox
    rows: list[tuple[str, ...]]
    codes: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    options: Options = field(default_factory=Options)

    def set_up(self, **options: bool) -> None:
        """Write the tool's configuration, its source, and its ledger where it has one."""
        self.options = Options(**options)
        self.tool.prepare(self.folder, self.rows, self.box, self.options)

    def start(self, command: Sequence[str] | None = None) -> subprocess.Popen[str]:
        """Start the tool's run, or another command."""
        return subprocess.Popen(
            command or self.tool.run(self.options),
            cwd=self.folder,
            env=self.tool.environment(self.folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def end(self, process: subprocess.Popen[str]) -> str:
        """Wait for a process and note its exit code and what it said; its whole output."""
        try:
            output, _ = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
        output = COLOURS.sub("", output)
        self.codes.append(process.returncode)
        self.said.append(self.tool.told(output))
        return output

    def run(self, command: Sequence[str] | None = None) -> str:
        """Start, and wait for the end."""
        return self.end(self.start(command))

    def end_by(self, number: signal.Signals) -> None:
        """Run, and send a signal when a third of the leads has arrived."""
        process = self.start()
        until = time.monotonic() + LIMIT_S
        while process.poll() is None and len(self.box.jobs()) < len(self.rows) // 3:
            if time.monotonic() > until:
                process.kill()
                raise RunFailed(f"{self.tool.name}: a third of the leads never arrived")
            time.sleep(0.01)
        process.send_signal(number)
        self.end(process)
        if len(self.box.jobs()) >= len(self.rows):
            raise RunFailed(f"{self.tool.name}: the signal came too late, all had arrived")

    def outcome(self) -> Outcome:
        """What the sandbox saw, when every call has been made."""
        self.box.advance(DIALLED_AFTER_S)
        jobs = {call.job for call in self.box.calls() if not call.job.redial}
        wanted = [international(row[leads.COLUMNS.index("phone")]) for row in self.rows]
        called = [job.phone.removeprefix("+") for job in jobs]
        return Outcome.of(wanted, called, self.codes, self.said)


@contextmanager
def world(tool: Tool, folder: Path, count: int, duplicate_hours: float) -> Iterator[World]:
    """A fresh sandbox and an empty folder; so many leads."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with running_sandbox(duplicate_hours=duplicate_hours, lines=1_000) as box:
        yield World(tool, folder, box, list(leads.rows(count)))
