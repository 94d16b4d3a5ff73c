"""Where the compiled registry is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.config.load import load_ledger_url, load_numbering_file
from syncd.errors import ConfigError


def configured(folder: Path, text: str) -> Path:
    """A configuration file that only its owner reads."""
    file = folder / "syncd.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "numbering.bin"),
        ('[ledger]\nurl = "sqlite:///data/syncd.db"', "data/numbering.bin"),
        ('[ledger]\nurl = "postgresql://syncd@db/syncd"', None),
        ('[ledger]\nurl = "postgresql://syncd@db/syncd"\n[numbering]\npath = "n.bin"', "n.bin"),
        ('[numbering]\npath = "state/n.bin"', "state/n.bin"),
        ("[campaigns.w]\nbatch_size = 0", "numbering.bin"),
    ],
)
def test_the_place(text: str, place: str | None, tmp_path: Path) -> None:
    """Beside an SQLite ledger, or as configured; other sections do not matter."""
    found = load_numbering_file(configured(tmp_path, text), {})
    assert found == (None if place is None else tmp_path / place)


def test_a_wrong_section_is_told(tmp_path: Path) -> None:
    """A typo in [numbering] is told where the registry matters, and only there."""
    file = configured(tmp_path, '[numbering]\npaht = "x"')
    with pytest.raises(ConfigError) as told:
        load_numbering_file(file, {})
    assert [problem.key for problem in told.value.problems] == ["numbering.paht"]
    assert load_ledger_url(file, {}).endswith("/syncd.db")
