"""What is shown of a phone, a value, and a name that was mistyped."""

from __future__ import annotations

import pytest

from syncd.core.masking import mask_phone, mask_text
from syncd.core.names import did_you_mean


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        (442079460123, "+4420***0123"),
        ("+1 (212) 555-0123", "+1212***0123"),
        ("2079460123", "***23"),
        ("123", "***(3 digits)"),
        ("none", "***(0 digits)"),
    ],
)
def test_phone(phone: int | str, masked: str) -> None:
    """At least three digits are hidden, and more of a short number."""
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("Ann Lee Jones", "An…(13 characters)"),
        ("Ann", "…(3 characters)"),
        (None, ""),
        (12345, "12…(5 characters)"),
        ("\x00secret", "?s…(7 characters)"),
    ],
)
def test_text(value: object, masked: str) -> None:
    """Two characters and the length, never a whole value."""
    assert mask_text(value) == masked


def test_names() -> None:
    """The nearest name in its own case, or those that there are."""
    assert did_you_mean("PHONES", ["Phone", "name"]) == 'did you mean "Phone"?'
    assert did_you_mean("zzz", ["a", "b"]) == "have: a, b"
    assert did_you_mean("zzz", map(str, range(30))).endswith(", …")
    assert "no names" in did_you_mean("zzz", [])
