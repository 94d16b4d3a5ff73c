"""What `status` says of the data that decides zones and hours."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from syncd.cli.versions import registry_of, versions
from syncd.config.settings import NumberingSettings, Settings
from syncd.core.hours.presets import presets
from syncd.core.zones.registry import Block, compiled
from syncd.numbering.kept import keep_registry


def test_the_registry_is_told_by_its_day_and_rows(tmp_path: Path) -> None:
    """None, one, and one that is damaged: status goes on, and says so."""
    file = tmp_path / "numbering.bin"
    settings = Settings(numbering=NumberingSettings(path=str(file)))
    assert registry_of(settings) == (False, "none")
    block = Block(79_145_550_000, 79_145_559_999, ("Asia/Vladivostok",))
    about = {"imported_at": "2026-11-20T12:00:00+00:00", "rows": 17_059}
    raw = compiled([block], about).dump()
    keep_registry(file, raw)
    assert registry_of(settings) == (True, "2026-11-20 (17,059 rows)")
    keep_registry(file, raw[:-1])
    assert registry_of(settings) == (False, "the compiled registry is cut or damaged")


def test_the_presets_are_as_old_as_the_newest() -> None:
    """A day, so that two installations can be compared."""
    newest = versions()["presets"]
    assert date.fromisoformat(newest) == max(one.version for one in presets().values())
