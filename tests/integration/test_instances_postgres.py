"""Several syncd processes on one PostgreSQL ledger: killed, stopped, and behind PgBouncer."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from syncd.ledger import migrate
from syncd.ledger.store import open_store
from syncd.sandbox.testing import RunningSandbox
from tests.pooler import new_pooler
from tests.running import CONFIG, PATIENCE_S, Folder, Running, batches_sent, eventually, phone_of
from tests.worlds import LONG_S, new_world, poll_all, settle, work

SEED = 20_260_302
KILLS = 6
LEADS_A_KILL = 60
LEASE_S = 3


@dataclass(slots=True)
class Cluster:
    """Daemons with one configuration on one PostgreSQL ledger."""

    folder: Folder
    url: str
    running: list[Running] = field(default_factory=list)

    def start(self) -> Running:
        started = self.folder.start("--log-format", "json", "run")
        self.running.append(started)
        return started

    def kill(self, one: Running) -> None:
        """Kill -9."""
        one.kill()
        one.wait(PATIENCE_S)
        self.running.remove(one)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        plain = make_url(self.url).set(drivername="postgresql")
        with psycopg.connect(plain.render_as_string(hide_password=False)) as connection:
            done = connection.execute(query.encode())
            return done.fetchall() if done.description else []

    def answered(self) -> int:
        query = "SELECT count(*) FROM call_jobs WHERE state IN ('accepted', 'closed')"
        return int(self.sql(query)[0][0])

    def holder(self, lease: str) -> int | None:
        """The PID of the process that holds it."""
        query = f"""SELECT instances.pid FROM leases JOIN instances ON instances.id = leases.holder
            WHERE leases.name = '{lease}'"""
        found = self.sql(query)
        return int(found[0][0]) if found else None


@pytest.fixture
def cluster(tmp_path: Path, box: RunningSandbox, postgres_url: str) -> Iterator[Cluster]:
    """An empty ledger, and no daemon yet; at the end nothing runs."""
    folder = Folder(tmp_path, tmp_path / "unused")
    text = CONFIG.replace(
        'url = "sqlite:///{ledger}"', f'url = "{postgres_url}"\nlease = "{LEASE_S}s"'
    )
    folder.configure(box, text=text, batch_size=10)
    store = open_store(postgres_url)
    migrate.upgrade(store)
    store.close()
    try:
        yield Cluster(folder, postgres_url)
    finally:
        for one in folder.started:
            if one.poll() is None:
                one.send_signal(signal.SIGCONT)
        folder.kill_all()


def assert_each_once(box: RunningSandbox, leads: int) -> None:
    times = Counter(job.phone.lstrip("+") for job in box.jobs() if job.redial is None)
    assert times == {phone_of(n).lstrip("+"): 1 for n in range(leads)}


def test_p3_three_instances_and_random_kills_call_each_once(
    box: RunningSandbox, cluster: Cluster
) -> None:
    """P3: kill -9 of one of three, again and again at work; overlap 0, nothing lost."""
    dice = random.Random(SEED)
    for _ in range(3):
        cluster.start()
    for turn in range(1, KILLS + 1):
        sent = batches_sent(box)
        cluster.folder.write_leads(turn * LEADS_A_KILL)
        eventually(lambda sent=sent: batches_sent(box) > sent, "another batch")
        cluster.kill(dice.choice(cluster.running))
        cluster.start()
        # A claim of the dead is free after ten minutes; nobody waits for these here.
        cluster.sql("UPDATE batches SET leased_until = 0 WHERE state IN ('sealed', 'sent')")
    leads = KILLS * LEADS_A_KILL

    def done() -> bool:
        if cluster.answered() == leads:
            return True
        cluster.sql(
            "UPDATE batches SET leased_until = 0, next_at = NULL"
            " WHERE state IN ('sealed', 'sent') AND created_at <"
            " (extract(epoch FROM clock_timestamp()) - 3) * 1000"
        )
        return False

    eventually(done, "every answer", timeout_s=4 * PATIENCE_S)
    assert_each_once(box, leads)


def test_p4_a_stopped_holder_is_taken_over_and_changes_nothing(
    box: RunningSandbox, cluster: Cluster
) -> None:
    """P4: SIGSTOP past the lease; another polls its sync; after SIGCONT each lead is there once."""
    cluster.start()
    eventually(lambda: cluster.holder("sync:leads"), "a holder")
    cluster.start()
    cluster.folder.write_leads(30)
    eventually(lambda: cluster.answered() == 30, "the first leads")
    pid = cluster.holder("sync:leads")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    cluster.folder.write_leads(60)
    eventually(lambda: cluster.holder("sync:leads") not in (None, pid), "another holder")
    eventually(lambda: cluster.answered() == 60, "the leads of the other")
    os.kill(pid, signal.SIGCONT)
    cluster.folder.write_leads(90)
    eventually(lambda: cluster.answered() == 90, "the last leads")
    assert_each_once(box, 90)


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def pgbouncer(folder: Path, url: str) -> Iterator[str]:
    """PgBouncer in transaction mode with two server connections before the database at `url`."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed")
    target, port = make_url(url), free_port()
    told = {"host": target.host, "port": target.port or 5432, "user": target.username}
    told["password"] = target.password
    server = " ".join(f"{name}={value}" for name, value in told.items() if value)
    folder.mkdir()
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{target.database} = {server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
        "default_pool_size = 2\nmax_client_conn = 100\n",
        encoding="utf-8",
    )
    command = [program, "-q", str(folder / "pgbouncer.ini")]
    if os.geteuid() == 0:  # it refuses to run as root
        folder.chmod(0o755)
        for parent in folder.parents:
            if parent.stat().st_mode & 0o001 == 0:
                parent.chmod(parent.stat().st_mode | 0o011)
        command[1:1] = ["-u", "nobody"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as bouncer:
        try:
            eventually(lambda: _answers(port), "pgbouncer")
            yield target.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        finally:
            bouncer.terminate()


def _answers(port: int) -> bool:
    with closing(socket.socket()) as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def send_all_by_two(path: Path, url: str) -> None:
    """Two instances on the ledger at `url` send a hundred leads: each once."""
    with new_world(path, ledger_url=url, batch_size=5, max_in_flight=4) as world:
        world.write_leads(100)
        with world.open(alone=True) as one, world.open(alone=True) as two:
            poll_all(one)
            for _ in range(3):
                for app in (one, two):
                    work(app)
            settle(world, two)
            world.pass_time(LONG_S)
            assert two.ledger.counts().jobs[("leads", "welcome")]["accepted"] == 100
        assert world.called() == {phone_of(n).lstrip("+"): 1 for n in range(100)}


def test_p5_pgbouncer_in_transaction_mode_serves_two_instances(
    tmp_path: Path, postgres_url: str
) -> None:
    """P5: each transaction on another server connection, two for all: each lead once."""
    with pgbouncer(tmp_path / "bouncer", postgres_url) as url:
        send_all_by_two(tmp_path, url)


#: What would outlive its transaction in a session, and be missed by the next one.
OF_A_SESSION = re.compile(
    rb"(?i)^\s*(SET\s+(?!LOCAL|TRANSACTION)|LISTEN|PREPARE|DECLARE)|pg_(try_)?advisory_lock|TEMP "
)


def test_p5_nothing_of_a_session_is_relied_on(tmp_path: Path, postgres_url: str) -> None:
    """P5: no two transactions in a row share a server connection, and none leaves a trace in it."""
    target = make_url(postgres_url)
    address = (target.host or "127.0.0.1", target.port or 5432)
    with new_pooler(*address, size=3) as (pooler, port):
        url = target.set(host="127.0.0.1", port=port)
        send_all_by_two(tmp_path, url.render_as_string(hide_password=False))
    assert pooler.transactions > 100
    assert pooler.faults == []
    assert pooler.names <= {b""}, "a prepared statement belongs to one server connection"
    assert [one for one in pooler.statements if OF_A_SESSION.search(one)] == []
