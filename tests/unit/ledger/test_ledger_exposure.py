"""A ledger that others can read, write or replace is refused, and nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.errors import LedgerError
from syncd.ledger.exposure import BESIDE
from syncd.ledger.ledger import Ledger
from tests.ledgers import new_ledger, sqlite_url, stage


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ledger in a folder that is its owner's only, with all the files that stand beside it."""
    folder = tmp_path / "state"
    file = folder / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    stage(ledger, 1)
    ledger.close()
    for suffix in BESIDE:
        Path(f"{file}{suffix}").touch(0o600)
    return file


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o666])
@pytest.mark.parametrize("suffix", BESIDE)
def test_a_ledger_that_everybody_can_read_is_refused(file: Path, suffix: str, mode: int) -> None:
    """The file, its log, its index and its locks; the hint is the command that mends it."""
    exposed = Path(f"{file}{suffix}")
    exposed.chmod(mode)
    with pytest.raises(LedgerError) as caught:
        Ledger.open(sqlite_url(file))
    assert caught.value.exit_code == 2
    assert caught.value.hint.startswith(f"chmod 600 {exposed}")
    exposed.chmod(0o600)
    Ledger.open(sqlite_url(file)).close()


def test_a_link_does_not_hide_the_file(file: Path, tmp_path: Path) -> None:
    """What counts is the file that the name leads to."""
    link = tmp_path / "link.db"
    link.symlink_to(file)
    file.chmod(0o644)
    with pytest.raises(LedgerError, match="everybody"):
        Ledger.open(sqlite_url(link))


def test_a_group_may_be_let_in(file: Path) -> None:
    """For backups; that is the owner's choice."""
    file.chmod(0o640)
    Ledger.open(sqlite_url(file)).close()


def test_a_folder_in_which_everybody_can_replace_the_ledger_is_refused(file: Path) -> None:
    """An empty ledger put in its place would call everybody again; /tmp is sticky and passes."""
    file.parent.chmod(0o777)
    with pytest.raises(LedgerError, match="replace"):
        Ledger.open(sqlite_url(file))
    file.parent.chmod(0o1777)
    Ledger.open(sqlite_url(file)).close()


def test_a_new_folder_is_for_its_owner_only(file: Path) -> None:
    """`syncd init` makes the folder of the ledger with mode 0700."""
    assert file.parent.stat().st_mode & 0o777 == 0o700
