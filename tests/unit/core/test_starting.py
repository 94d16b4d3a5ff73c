"""`--from VALUE`: numbers by size, everything else by text."""

from __future__ import annotations

import pytest

from syncd.core.starting import StartAt


@pytest.mark.parametrize(
    ("value", "key", "reached"),
    [
        ("100", "99", False),
        ("100", "100", True),
        ("100", "100.0", True),
        ("100", "1000", True),
        ("-5", "-6", False),
        ("1e3", "1001", True),
        ("9007199254740993", "9007199254740992", False),
        ("b", "a", False),
        ("b", "b", True),
        ("b", "ba", True),
        ("100", "99a", True),
        ("2026-03-01", "2026-02-28", False),
        ("2026-03-01", "2026-03-01T00:00", True),
        ("nan", "NaN", False),
        ("inf", "1", False),
        ("1", "Infinity", True),
        ("", "", True),
        ("", "a", True),
        ("10", "", False),
    ],
)
def test_a_key_is_at_or_after_the_start(value: str, key: str, reached: bool) -> None:
    """The start itself counts; keys that are no numbers are compared as text."""
    assert StartAt(value).reached_by(key) is reached
