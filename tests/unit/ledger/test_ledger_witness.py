"""The witness beside an SQLite ledger: it sees an older file, and costs next to nothing."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.errors import LedgerError
from syncd.ledger import witness
from syncd.ledger.ledger import Ledger
from tests.ledgers import NOW, new_ledger, one, sqlite_url

SECOND = timedelta(seconds=1)


def marked(folder: Path) -> Ledger:
    """A ledger with a mark."""
    ledger = new_ledger(sqlite_url(folder / "syncd.db"))
    ledger.witness.renew()
    return ledger


def marks(ledger: Ledger) -> int:
    return int(one(ledger, "SELECT value FROM meta WHERE name = 'witness'"))


def reopened(folder: Path) -> str | None:
    ledger = Ledger.open(sqlite_url(folder / "syncd.db"))
    try:
        return ledger.witness.why_restored()
    finally:
        ledger.close()


def test_a_ledger_that_goes_on_is_the_one_that_is_known(tmp_path: Path) -> None:
    """Closed, opened and marked again; only its owner can read the witness."""
    ledger = marked(tmp_path)
    assert ledger.witness.why_restored() is None
    ledger.close()
    assert reopened(tmp_path) is None
    file = tmp_path / ledger.witness.name
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("*witness*")) == ["syncd.db.witness"]


def test_an_older_file_is_seen(tmp_path: Path) -> None:
    """A copy of before the last mark; also one of before the first."""
    for first in (False, True):
        folder = tmp_path / str(first)
        folder.mkdir()
        ledger = new_ledger(sqlite_url(folder / "syncd.db"))
        if first:
            ledger.witness.renew()
        ledger.close()
        shutil.copy(folder / "syncd.db", folder / "backup.db")
        ledger = Ledger.open(sqlite_url(folder / "syncd.db"))
        ledger.witness.renew()
        ledger.close()
        shutil.copy(folder / "backup.db", folder / "syncd.db")
        assert reopened(folder) == witness.OLDER


def test_a_moved_ledger_takes_its_witness_along(tmp_path: Path) -> None:
    """Without it nobody knows how old it is; a mark makes a new one."""
    marked(tmp_path).close()
    there = tmp_path / "there"
    there.mkdir()
    shutil.copy(tmp_path / "syncd.db", there)
    assert reopened(there) == witness.ALONE
    shutil.copy(tmp_path / "syncd.db.witness", there)
    assert reopened(there) is None
    (there / "syncd.db.witness").write_text("{", encoding="utf-8")
    assert reopened(there) == witness.ALONE
    ledger = Ledger.open(sqlite_url(there / "syncd.db"))
    ledger.witness.renew()
    ledger.close()
    assert reopened(there) is None


def test_another_ledger_in_the_place_is_seen(tmp_path: Path) -> None:
    """The witness names its ledger; a new mark names the new one."""
    marked(tmp_path).close()
    (tmp_path / "syncd.db").unlink()
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    assert ledger.witness.why_restored() == witness.ANOTHER
    ledger.witness.renew()
    assert (ledger.witness.why_restored(), marks(ledger)) == (None, 1)
    ledger.close()


def test_a_kill_between_the_two_writes_is_no_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is marked first, so that it is never behind by a kill; also at its first mark."""
    writes: list[int] = []
    write = witness._write

    def killed(path: Path, told: Any) -> None:
        writes.append(told.mark)
        if told.mark:
            raise KeyboardInterrupt
        write(path, told)

    monkeypatch.setattr(witness, "_write", killed)
    url = sqlite_url(tmp_path / "syncd.db")
    for way in (new_ledger, Ledger.open):
        ledger = way(url)
        with pytest.raises(KeyboardInterrupt):
            ledger.witness.renew()
        assert ledger.witness.why_restored() is None
        ledger.close()
    assert writes == [0, 1, 2]


def test_marks_are_rare(tmp_path: Path) -> None:
    """The first sending, the first of each minute, one when the clock was set back, and the end."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    told = []
    for at in (0, 1, 59, 60, 61, 5, 6):
        assert ledger.witness.note_sending(NOW + at * SECOND)
        told.append(marks(ledger))
    assert told == [1, 1, 1, 2, 2, 3, 3]
    ledger.close()
    ledger = Ledger.open(sqlite_url(tmp_path / "syncd.db"))
    assert marks(ledger) == 4
    ledger.close()
    ledger = Ledger.open(sqlite_url(tmp_path / "syncd.db"))
    assert marks(ledger) == 4, "whoever sends nothing marks nothing"
    ledger.close()


def test_threads_make_one_mark(tmp_path: Path) -> None:
    """Submits of several campaigns begin to send at once."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    threads = [threading.Thread(target=ledger.witness.note_sending, args=(NOW,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (marks(ledger), ledger.witness.why_restored()) == (1, None)
    ledger.close()


def test_a_witness_that_cannot_be_written_stops_the_sending(tmp_path: Path) -> None:
    """As a full disk does; the end of the process is not in the way."""
    ledger = marked(tmp_path)
    (tmp_path / "syncd.db.witness.part").mkdir()
    with pytest.raises(LedgerError, match="witness beside the ledger cannot be used"):
        ledger.witness.note_sending(NOW)
    ledger.close()


def test_a_witness_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """It is no restore, but nobody knows."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    (tmp_path / "syncd.db.witness").mkdir()
    with pytest.raises(LedgerError, match="cannot be used"):
        ledger.witness.why_restored()
    ledger.close()


def test_a_ledger_that_was_taken_away_makes_no_other_one_look_old(tmp_path: Path) -> None:
    """Its mark goes into a file that has no name any more; the witness stays as it is."""
    ledger = marked(tmp_path)
    before = (tmp_path / "syncd.db.witness").read_bytes()
    (tmp_path / "syncd.db").unlink()
    with pytest.raises(LedgerError):
        ledger.witness.note_sending(NOW)
    ledger.close()
    assert (tmp_path / "syncd.db.witness").read_bytes() == before
