"""Presets in words: hours, caps and holidays, and the page of the reference."""

from __future__ import annotations

from pathlib import Path

from syncd.core.hours.caps import Caps
from syncd.core.hours.preset_text import caps_text, holidays_text, hours_text, page
from syncd.core.hours.presets import NO_ADVICE, named, presets
from syncd.core.hours.week import parse

PAGE = Path(__file__).parents[3] / "docs/reference/presets.md"


def test_days_in_a_row_with_the_same_hours_are_told_together() -> None:
    """A week as people write it; a day without hours is not named."""
    week = parse({"mon-thu": ["10:00-13:00", "14:00-20:00"], "sat-sun": ["09:00-24:00"]})
    assert hours_text(week) == "mon-thu 10:00-13:00 14:00-20:00, sat-sun 09:00-23:59"
    assert hours_text(parse({"wed": ["10:00-13:00"]})) == "wed 10:00-13:00"
    assert hours_text(parse({})) == "closed"


def test_caps_in_words() -> None:
    """Each cap that is set, in its period."""
    assert caps_text(Caps(1, 2, 8, 4)) == "1 a day, 2 a week, 8 a month, 4 in 30 days"
    assert caps_text(Caps()) == ""


def test_holidays_in_words() -> None:
    """What a holiday does, what its eve does, and whose they are."""
    expected = {
        "ru-debt": "Sunday's hours; of RU",
        "it-codice": "closed; an eve has Saturday's hours; of IT",
        "us-ri": "closed; of US-RI",
        "decent": "as other days",
    }
    for name, text in expected.items():
        row = named(name)
        assert row is not None
        assert holidays_text(row) == text


def test_the_page_is_what_the_tables_say() -> None:
    """docs/reference/presets.md is generated (`make docs`), with each source and the note."""
    text = page(presets().values())
    assert PAGE.read_text(encoding="utf-8") == text
    assert NO_ADVICE in text
    for row in presets().values():
        assert f"\n## {row.id}\n" in text
        assert all(f"\n- Source: {source}\n" in text for source in row.sources)
