"""A real failover: the new primary lacks the last commits, and nobody is called again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd.engine import reconcile, submit
from syncd.errors import Transient
from tests.running import eventually, phone_of
from tests.worlds import LONG_S, new_world, poll_all

LEADS = 20
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@dataclass(frozen=True, slots=True)
class Site:
    """A primary, and a copy of it that can take its place at the same address."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        """A program of PostgreSQL's, as a user that it accepts."""
        found = shutil.which(program) or str(BINARIES[-1] / program)
        command = [found, *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, cwd="/", check=True, capture_output=True, timeout=60)

    def start(self, name: str) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        log = str(self.folder / f"{name}.log")
        data = str(self.folder / name)
        self.run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")

    def stop(self, name: str) -> None:
        self.run("pg_ctl", "-D", str(self.folder / name), "-m", "immediate", "-w", "stop")

    def copy(self) -> None:
        """A standby as of now: what is committed later it will lack."""
        to = str(self.folder / "standby")
        address = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
        self.run("pg_basebackup", *address, "-D", to, "-R", "-X", "stream", "-c", "fast")

    def fail_over(self) -> None:
        """The primary is gone at once; the copy is promoted in its place."""
        self.stop("primary")
        self.start("standby")
        self.run("pg_ctl", "-D", str(self.folder / "standby"), "-w", "promote")


@contextmanager
def new_site(port: int) -> Iterator[Site]:
    if not BINARIES and shutil.which("initdb") is None:
        pytest.skip("PostgreSQL's server programs are not installed")
    folder = Path(tempfile.mkdtemp(prefix="syncd-site-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    site = Site(folder, port)
    try:
        site.run("initdb", "-D", str(folder / "primary"), "-U", "postgres", "-A", "trust", "-N")
        site.start("primary")
        yield site
    finally:
        for name in ("primary", "standby"):
            with suppress(subprocess.CalledProcessError):
                site.stop(name)
        shutil.rmtree(folder)


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_p2_after_a_failover_that_lost_commits_nothing_is_sent(tmp_path: Path) -> None:
    """P2: the intents of the last batches are gone with the primary: a person has to recover."""
    with new_site(free_port()) as site, new_world(tmp_path, ledger_url=site.url) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as app:
            poll_all(app)
            site.copy()
            campaign = app.campaign("welcome")
            assert submit.run_once(campaign, app.tools).counts["answered"] == LEADS
            site.fail_over()
            outcomes = set()

            def is_held() -> bool:
                with suppress(Transient):
                    for pass_ in (submit, reconcile):
                        outcomes.add(pass_.run_once(campaign, app.tools).outcome)
                return "halted" in outcomes

            eventually(is_held, "the campaign is held")
            world.pass_time(LONG_S)
            for pass_ in (submit, reconcile):
                assert pass_.run_once(campaign, app.tools).outcome == "halted"
            assert app.ledger.counts().jobs[("leads", "welcome")] == {"staged": LEADS}
        assert world.called() == {phone_of(n).lstrip("+"): 1 for n in range(LEADS)}
