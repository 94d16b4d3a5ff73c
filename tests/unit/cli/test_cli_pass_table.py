"""What passes did, as a table and as JSON; what went wrong on stderr."""

from __future__ import annotations

import json

import pytest

from syncd.cli.pass_table import print_passes
from syncd.cli.tables import WIDTH
from syncd.engine.passes import PassResult
from syncd.errors import Transient

COUNTS = {f"count_{n}": 1_000 for n in range(12)}
RESULTS = [
    PassResult("poll", "crm[red]", "done", {**COUNTS, "held": 0}, None),
    PassResult("submit", "welcome", "retry", {}, Transient("no answer", hint="wait")),
]


def test_a_table_is_no_markup_and_not_too_wide(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with brackets stays as it is, long counts go on below, and errors have their hints."""
    monkeypatch.delenv("COLUMNS", raising=False)
    print_passes(RESULTS, as_json=False)
    told = capsys.readouterr()
    assert "crm[red]" in told.out
    assert "nothing to do" in told.out
    assert "held" not in told.out
    assert all(f"{name} 1,000" in " ".join(told.out.split()) for name in COUNTS)
    assert max(len(line) for line in told.out.splitlines()) <= WIDTH
    assert "submit welcome: no answer" in told.err
    assert "hint: wait" in told.err


def test_json_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Counts of zero are left out; an error is in its pass, and not on stderr."""
    print_passes(RESULTS, as_json=True)
    told = capsys.readouterr()
    first, second = json.loads(told.out)
    assert (first["target"], first["counts"]) == ("crm[red]", COUNTS)
    assert second["error"] == {"what": "no answer", "hint": "wait"}
    assert told.err == ""
