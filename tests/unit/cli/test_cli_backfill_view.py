"""What a backfill shows: a line for a pipe while it works, and its counts at the end."""

from __future__ import annotations

import pytest

from syncd.cli.backfill_view import line_of, summarise
from syncd.cli.tables import WIDTH
from syncd.engine.backfill import Progress
from syncd.engine.passes import PassResult
from syncd.errors import Transient


@pytest.mark.parametrize("source", [None, 0.5, 1.0])
@pytest.mark.parametrize("waiting", [False, True])
def test_a_line_of_progress_fits_a_mail(source: float | None, waiting: bool) -> None:
    """Of ten million leads at full speed it still has no more than 100 columns."""
    many = 10_000_000
    progress = Progress(source=source, records=many, new=many, answered=many, waiting=waiting)
    line = line_of(progress, many / 20_000)
    assert len(line) <= WIDTH
    assert "20,000 leads/s" in line
    assert ("of the source" in line) == (source is not None and not waiting)
    assert ("some batches wait" in line) == waiting


def test_the_summary_has_counts_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """Counts of all passes on stdout; what went wrong, with its hint, on stderr."""
    results = [
        PassResult("poll", "crm", "done", {"records": 1_200, "new": 1_100, "filtered": 0}, None),
        PassResult("submit", "welcome", "retry", {}, Transient("no answer", hint="wait")),
    ]
    summarise("crm", results, elapsed_s=2.0, as_json=False)
    told = capsys.readouterr()
    lines = [line.split() for line in told.out.splitlines()]
    assert ["records", "read", "1,200"] in lines
    assert ["in", "the", "campaign", "0"] in lines
    assert not any("filter" in line for line in lines)
    assert told.err.splitlines() == ["submit welcome: no answer", "hint: wait"]


def test_every_new_lead_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """New leads are held, duplicates, on a do-not-call list, or go to the campaign."""
    counts = {"records": 9, "new": 8, "suppressed": 1, "held": 2, "duplicate": 1, "erased": 1}
    results = [
        PassResult("poll", "crm", "done", counts),
        PassResult("submit", "welcome", "done", {"answered": 4}),
    ]
    summarise("crm", results, elapsed_s=1.0, as_json=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    shown = "\n".join(lines)
    for name, jobs in (("do-not-call list", 1), ("held", 2), ("phone", 1), ("in the campaign", 4)):
        assert any(name in line and line.endswith(str(jobs)) for line in lines), shown
    assert any("erased" in line for line in lines), shown
