"""`syncd backfill` killed, starved of disk and run twice at once: each lead is called once.

Each kill comes at a known request, after the sandbox did the work and before it answers: the
moment at which a sender without a ledger would call everybody again.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import RunningSandbox
from tests.running import (
    PATIENCE_S,
    Folder,
    Running,
    assert_each_once,
    batches_sent,
    eventually,
    new_folder,
)

LEADS = 5_000
BATCHES = LEADS // 100
#: A disk that lets a ledger be made and not much more.
DISK_MIB = 2
MIB = 1 << 20


class Killer:
    """Kills whatever runs when the sandbox has seen so many batches in all."""

    def __init__(self, box: RunningSandbox) -> None:
        self._note = box.requests.note
        self._lists = 0
        self.at = 0
        self.victim: Running | None = None
        box.requests.note = self._count  # type: ignore[method-assign]

    def _count(self, entry: dict[str, object]) -> None:
        self._note(entry)
        self._lists += "addPhones" in str(entry["path"])
        if self.victim is not None and self._lists >= self.at:
            self.victim.kill()
            self.victim = None


def backfill_until_done(folder: Folder) -> None:
    """`syncd backfill` again and again, as a person would, until it says that all is done."""
    eventually(lambda: folder.syncd("backfill", "leads", "--yes") == 0, "the end of the backfill")


def test_killed_at_many_requests_each_lead_is_called_once(
    box: RunningSandbox, folder: Folder
) -> None:
    """Killed at the 1st, 2nd … batch of several lives: nobody is called twice, nobody is lost."""
    killer = Killer(box)
    for at in (1, 2, 9, 21, BATCHES):
        killer.at = at
        killer.victim = running = folder.start("backfill", "leads", "--yes")
        assert running.wait(PATIENCE_S) == -signal.SIGKILL, folder.output
    backfill_until_done(folder)
    assert_each_once(box, folder, LEADS)
    assert folder.states() == {"accepted": LEADS}
    box.advance(2 * 86_400)
    verdict = box.verdict()
    assert (verdict["jobs_called_twice"], verdict["phones"]) == (0, LEADS)


def test_killed_while_answers_are_lost_each_lead_is_called_once(
    box: RunningSandbox, folder: Folder
) -> None:
    """Kills and a network that loses, cuts and breaks answers, all at once: each lead once."""
    for skip, name in enumerate(("answer_lost", "http_500_after", "truncated", "reset") * 2):
        box.faults.add(Fault(name, path="addPhones", skip=5 * skip))
    killer = Killer(box)
    for at in (3, 12, 30):
        killer.at = at
        killer.victim = running = folder.start("backfill", "leads", "--yes")
        assert running.wait(PATIENCE_S) == -signal.SIGKILL, folder.output
    backfill_until_done(folder)
    assert_each_once(box, folder, LEADS)


def test_killed_while_reading_nothing_is_lost(box: RunningSandbox, folder: Folder) -> None:
    """Killed between two pages of the export, before the first batch was answered: each once."""
    box.faults.add(Fault("slow", path="addPhones", seconds=60, count=4))
    running = folder.start("backfill", "leads", "--yes")
    eventually(lambda: folder.states().total() >= 500, "the first page")
    running.kill()
    running.wait(PATIENCE_S)
    box.faults.clear()
    backfill_until_done(folder)
    assert_each_once(box, folder, LEADS)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_backfill_between_two_batches(
    box: RunningSandbox, folder: Folder, number: signal.Signals, code: int
) -> None:
    """It leaves no batch without its answer, gives the documented code, and the next goes on."""
    box.faults.add(Fault("slow", path="addPhones", seconds=1, count=BATCHES))
    running = folder.start("backfill", "leads", "--yes")
    eventually(lambda: folder.answered() > 0 and batches_sent(box) > 1, "the first accepted job")
    running.send_signal(number)
    assert running.wait(PATIENCE_S) == code, folder.output
    assert "stopped by a signal" in folder.output
    assert "batch.doubted" not in folder.output
    assert 0 < folder.answered() < LEADS
    assert folder.call_job_ids() == {str(job.id) for job in box.jobs()}
    box.faults.clear()
    backfill_until_done(folder)
    assert_each_once(box, folder, LEADS)


def test_a_second_backfill_refuses(box: RunningSandbox, folder: Folder) -> None:
    """Two at once on one ledger: the second ends with 2, names the first, and sends nothing."""
    box.faults.add(Fault("slow", path="addPhones", seconds=8, count=1))
    first = folder.start("backfill", "leads", "--yes")
    eventually(lambda: batches_sent(box) >= 1, "the first's first batch")
    assert folder.syncd("backfill", "leads", "--yes") == 2
    assert f"another syncd (PID {first.pid})" in folder.output
    assert first.wait(PATIENCE_S) == 0, folder.output
    assert_each_once(box, folder, LEADS)


@pytest.mark.parametrize("extra_kib", [0, 64, 256, 1_500])
def test_l2_without_disk_nothing_is_sent_that_is_not_written_down(
    box: RunningSandbox, folder: Folder, extra_kib: int
) -> None:
    """Wherever the ledger stops growing: exit 2, each batch sent has its committed intent."""
    limit = folder.ledger.stat().st_size + extra_kib * 1024
    assert folder.syncd("backfill", "leads", "--yes", file_bytes_max=limit) == 2, folder.output
    assert "the ledger's database failed" in folder.output
    seen = {str(entry["key"]) for entry in box.requests.entries() if "addPhones" in entry["path"]}
    assert seen <= folder.sent_keys()
    backfill_until_done(folder)
    assert_each_once(box, folder, LEADS)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB; only root may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(place)]
    if os.getuid() or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("may not mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_l2_a_full_disk_stops_a_backfill_and_space_lets_it_go_on(
    tmp_path: Path, box: RunningSandbox, small_disk: Path
) -> None:
    """The disk fills up: exit 2 with the reason; with more space each lead is called once."""
    with new_folder(tmp_path, box, ledger=small_disk / "syncd.db") as folder:
        folder.write_leads(LEADS)
        assert folder.syncd("backfill", "leads", "--yes") == 2, folder.output
        assert "the ledger's database failed" in folder.output
        grown = ["mount", "-o", "remount,size=64m", str(small_disk)]
        subprocess.run(grown, check=True)
        backfill_until_done(folder)
        assert_each_once(box, folder, LEADS)


def test_an_export_that_is_being_written_is_not_read(tmp_path: Path, box: RunningSandbox) -> None:
    """A file that changed just now waits, and backfill says so; then its whole lines come."""
    with new_folder(tmp_path, box, ready='settle = "60s"') as folder:
        folder.write_leads(150)
        export = folder.path / "leads.csv"
        whole = export.read_bytes()
        export.write_bytes(whole[:-5])  # the last line is cut in its name
        assert folder.syncd("backfill", "leads", "--yes") == 1, folder.output
        assert folder.states().total() == 0
        age(export, seconds=120)
        assert folder.syncd("backfill", "leads", "--yes") == 1, folder.output
        assert "last line without its end" in folder.output
        assert_each_once(box, folder, 149)
        export.write_bytes(whole)
        age(export, seconds=120)
        backfill_until_done(folder)
        assert_each_once(box, folder, 150)


def age(file: Path, *, seconds: float) -> None:
    """As if nobody had written to the file for so long."""
    at = file.stat().st_mtime - seconds
    os.utime(file, (at, at))
