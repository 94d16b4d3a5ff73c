"""Every reason for which a record is no lead is told to the people who read it."""

from __future__ import annotations

import re
from pathlib import Path

from syncd.sources.csv_walk import REASONS

ROOT = Path(__file__).resolve().parents[3]
CODE = re.compile(r'"((?:phone|key|value)_[a-z_]+|time_without_zone|zone_invalid|[a-z]+_too_long)"')
#: A call job's reason, not a record's.
NOT_A_REJECTION = {"phone_known"}


def test_every_reason_of_a_rejection_is_in_the_how_to() -> None:
    """The codes in core/ and of the CSV source stand in the table of docs/how-to/csv-export.md."""
    core = "\n".join(f.read_text(encoding="utf-8") for f in (ROOT / "syncd/core").glob("*.py"))
    codes = {*CODE.findall(core), *REASONS, "start_not_before_finish"} - NOT_A_REJECTION
    page = (ROOT / "docs/how-to/csv-export.md").read_text(encoding="utf-8")
    assert len(codes) > 15
    assert sorted(code for code in codes if f"`{code}`" not in page) == []
