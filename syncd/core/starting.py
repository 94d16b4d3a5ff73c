"""From which key on a backfill takes records: `--from VALUE`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True, slots=True)
class StartAt:
    """Keys from `value` on, itself included: numbers by size, other keys by text."""

    value: str

    def reached_by(self, key: str) -> bool:
        """Whether `key` is at or after the start."""
        mine, other = _number(self.value), _number(key)
        if mine is not None and other is not None:
            return other >= mine
        return key >= self.value


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
