"""Shortens what must not be shown whole: phones and values of records.

It owns the two shapes in which a person's data may reach a log or a screen that did not ask for it
by name. It must never give back enough to dial a number or to know a value.
"""

from __future__ import annotations

_SHOWN_HEAD = 4
_SHOWN_TAIL = 4
_LEAST_HIDDEN = 3
_SHOWN_TEXT = 2


def mask_phone(phone: int | str) -> str:
    """`+7916***4567`; a number of fewer than eleven digits shows less, never more than half."""
    digits = "".join(character for character in str(phone) if character.isdecimal())
    if len(digits) >= _SHOWN_HEAD + _LEAST_HIDDEN + _SHOWN_TAIL:
        # Only what reads as international gets a plus: "8 (212) …" does not begin with +8.
        text = str(phone).strip()
        plus = "+" if text.isdecimal() or text.startswith("+") else ""
        return f"{plus}{digits[:_SHOWN_HEAD]}***{digits[-_SHOWN_TAIL:]}"
    return f"***{digits[-2:]}" if len(digits) > _SHOWN_TAIL else f"***({len(digits)} digits)"


def mask_text(value: object) -> str:
    """`ab…(12 characters)`: two characters and the length; a short value shows its length only."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    head = text[:_SHOWN_TEXT] if len(text) > 2 * _SHOWN_TEXT else ""
    shown = "".join(character if character.isprintable() else "?" for character in head)
    return f"{shown}…({len(text)} characters)"
