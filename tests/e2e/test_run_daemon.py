"""`syncd run` as a process: it polls, it drains on SIGTERM, and a kill calls nobody twice."""

from __future__ import annotations

import os
import signal

from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import RunningSandbox
from tests.running import (
    PATIENCE_S,
    Folder,
    assert_each_once,
    batches_sent,
    eventually,
)

LEADS = 250
TWO_DAYS_S = 2 * 86_400


def test_the_daemon_takes_what_is_there_and_what_comes(box: RunningSandbox, folder: Folder) -> None:
    """Leads of an export, and one more in a later export, are sent and closed; SIGTERM gives 0."""
    daemon = folder.start("run")
    eventually(lambda: folder.answered() == LEADS, "the first leads")
    folder.write_leads(LEADS + 1)
    eventually(lambda: folder.answered() == LEADS + 1, "the lead that came later")
    box.advance(TWO_DAYS_S)
    eventually(lambda: folder.states()["closed"] == LEADS + 1, "the outcomes")
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(PATIENCE_S) == 0, folder.output
    assert_each_once(box, folder, LEADS + 1)
    assert box.verdict()["jobs_called_twice"] == 0
    for event in ("daemon.started", "pass.finished", "stop.requested", "daemon.drained"):
        assert event in folder.output
    assert box.token not in folder.output


def test_c4_sigterm_waits_for_the_answer_under_way(box: RunningSandbox, folder: Folder) -> None:
    """A SIGTERM during a slow request: its answer is recorded first, and nothing is in doubt."""
    box.faults.add(Fault("slow", path="addPhones", seconds=3, count=3))
    daemon = folder.start("run")
    eventually(lambda: batches_sent(box) >= 1, "a request")
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(PATIENCE_S) == 0, folder.output
    assert box.jobs(), "the request was cut off"
    assert folder.call_job_ids() == {str(job.id) for job in box.jobs()}
    assert "batch.doubted" not in folder.output
    # A batch whose turn had not come waits for its quiet time, as if it had been sent.
    eventually(lambda: folder.syncd("once") == 0, "nothing is left to send")
    assert_each_once(box, folder, LEADS)


def test_c4_a_second_signal_ends_at_once(box: RunningSandbox, folder: Folder) -> None:
    """SIGINT twice: the second does not wait for the request; nobody is called twice later."""
    box.faults.add(Fault("slow", path="addPhones", seconds=60, count=3))
    daemon = folder.start("run")
    eventually(lambda: batches_sent(box) >= 1, "a request")
    daemon.send_signal(signal.SIGINT)
    eventually(lambda: "stop.requested" in folder.output, "the first signal's line")
    daemon.send_signal(signal.SIGINT)
    assert daemon.wait(10) == 130
    box.faults.clear()
    eventually(lambda: folder.syncd("once") == 0, "all doubts settled")
    assert_each_once(box, folder, LEADS)


def test_sigint_drains_and_gives_130(box: RunningSandbox, folder: Folder) -> None:
    """Ctrl-C ends an idle daemon at once with the code that shells expect."""
    daemon = folder.start("run")
    eventually(lambda: folder.answered() == LEADS, "the leads")
    daemon.send_signal(signal.SIGINT)
    assert daemon.wait(10) == 130
    assert "daemon.drained" in folder.output


def test_a_kill_in_the_middle_calls_nobody_twice(box: RunningSandbox, folder: Folder) -> None:
    """Killed by SIGKILL with batches under way, then `syncd once` until settled: each lead once."""
    box.faults.add(
        Fault("slow", path="addPhones", seconds=30, count=1),
        Fault("answer_lost", path="addPhones", count=1),
    )
    daemon = folder.start("run")
    eventually(lambda: batches_sent(box) >= 2, "two requests")
    daemon.kill()
    assert daemon.wait(PATIENCE_S) == -signal.SIGKILL
    eventually(lambda: folder.syncd("once") == 0, "all doubts settled")
    assert_each_once(box, folder, LEADS)
    box.advance(TWO_DAYS_S)
    verdict = box.verdict()
    assert (verdict["jobs_called_twice"], verdict["phones"]) == (0, LEADS)


def test_a_lost_ledger_ends_the_daemon(box: RunningSandbox, folder: Folder) -> None:
    """The ledger's file is deleted: exit 2 with a line that says so, and nothing is sent."""
    daemon = folder.start("run")
    eventually(lambda: folder.answered() == LEADS, "the leads")
    sent = batches_sent(box)
    folder.ledger.unlink()
    folder.write_leads(LEADS + 50)
    assert daemon.wait(PATIENCE_S) == 2
    assert "ledger.failed" in folder.output
    assert "the ledger file was deleted or replaced" in folder.output
    assert batches_sent(box) == sent
    assert not folder.ledger.exists(), "an empty ledger would call everybody again"


def test_a_daemon_holds_the_ledger(box: RunningSandbox, folder: Folder) -> None:
    """A second daemon on one SQLite ledger refuses, names the first, and sends nothing."""
    daemon = folder.start("run")
    eventually(lambda: folder.answered() == LEADS, "the leads")
    assert folder.syncd("run") == 2
    assert f"another syncd (PID {daemon.pid})" in folder.output
    os.kill(daemon.pid, signal.SIGTERM)
    assert daemon.wait(PATIENCE_S) == 0


def test_no_ledger_is_no_start(box: RunningSandbox, folder: Folder) -> None:
    """Without a ledger `run` refuses with a hint, and makes none."""
    folder.ledger.unlink()
    assert folder.syncd("run") == 2
    assert "`syncd init` makes one" in folder.output
    assert not folder.ledger.exists()
    assert batches_sent(box) == 0
