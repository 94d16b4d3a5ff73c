"""`syncd numbering`, as a person gives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox.testing import running_sandbox
from tests.commands import Desk, new_desk
from tests.registries import made_csv, made_row


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A configured folder; no ledger is needed."""
    with running_sandbox() as box:
        yield new_desk(tmp_path_factory.mktemp("numbering"), box)


def test_from_nothing_to_a_table(desk: Desk) -> None:
    """Without a registry it says what that costs; an import tells what it holds; JSON has all."""
    told = desk("numbering", "status")
    assert (told.out, "eleven time zones" in told.err) == ("", True)
    assert desk("numbering", "status", "--json").json["imported_at"] is None
    file = desk.folder / "DEF-9xx.csv"
    file.write_text(made_csv() + made_row(901, 0, 99, "Atlantis"), encoding="utf-8")
    told = desk("numbering", "import", str(file))
    assert "DEF-9xx.csv: 15,001 rows, 150,100 numbers" in told.out
    assert "99.93% of the numbers" in told.out
    assert 'the territory "Atlantis" is not known' in told.err
    shown = desk("numbering", "status", "--json").json
    assert shown["file"] == str(desk.folder / "numbering.bin")
    assert (shown["mobiles"], shown["landlines"], shown["age_days"]) == (150_100, 0, 0)


def test_a_refusal(desk: Desk) -> None:
    """A wrong file ends with exit code 2 and names the file, not its folder."""
    file = desk.folder / "page.csv"
    file.write_text("<html>", encoding="utf-8")
    told = desk("numbering", "import", str(file), code=2)
    assert "the header is not the registry's [page.csv]" in told.err


def test_no_place(desk: Desk) -> None:
    """A ledger on a server needs the place in the configuration."""
    told = desk(
        "numbering", "import", "x.csv", code=2, SYNCD_LEDGER__URL="postgresql://syncd@db/syncd"
    )
    assert "set path" in told.err


def test_a_bad_ca_file(desk: Desk, tmp_path: Path) -> None:
    """It is told before anything is asked for."""
    told = desk(
        "numbering", "import", "https://x.invalid/a.csv", "--ca-file", str(tmp_path), code=2
    )
    assert "CA file" in told.err
