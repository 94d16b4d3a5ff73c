"""How the numbering registry is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.cli import numbering_view as view
from syncd.core.zones.registry import Block, compiled

ABOUT: dict[str, Any] = {
    "imported_at": "2026-01-01T00:00:00+00:00",
    "files": [{"name": "ABC-4xx.csv", "rows": 1, "numbers": 10}],
    "rows": 1,
    "unknown": [],
    "attribution": "the ministry",
}


@pytest.mark.parametrize(("day", "warned"), [(1, False), (92, True)])
def test_an_old_registry_is_told(
    day: int, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """After three months the operator is told to import it again; missing parts are named."""
    registry = compiled([Block(74_950_000_000, 74_950_000_009, ("Europe/Moscow",))], ABOUT)
    now = datetime.fromtimestamp(datetime(2026, 1, 1, tzinfo=UTC).timestamp() + day * 86_400, UTC)
    view.print_registry(registry, Path("n.bin"), now=now, as_json=False)
    shown = capsys.readouterr()
    assert ("days old" in shown.err) is warned
    assert "none: import DEF-9xx.csv" in shown.out
    assert "landlines" in shown.out


def test_what_was_lost_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """An import of fewer files than before says which ones are missed."""
    view.say_lost(())
    assert capsys.readouterr().err == ""
    view.say_lost(("4", "9"))
    assert "ABC-4xx, DEF-9xx too" in capsys.readouterr().err
