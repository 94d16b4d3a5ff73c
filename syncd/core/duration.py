"""Lengths of time as people write them: "250ms", "30s", "5m", "1.5h", "1h30m", "1d".

It owns the notation, for every room that reads or shows one. It must never take a number without a
unit, and never judge whether a length makes sense where it stands.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Final

from syncd.core.refusal import BadValue

#: Also the pattern in the JSON Schema of the configuration.
PATTERN: Final = r"^\s*([0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h|d))+\s*$"
HINT: Final = 'write it as "250ms", "30s", "5m", "1h", "1h30m" or "1d"'

_PART = re.compile(r"([0-9.]+)(ms|s|m|h|d)")
_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_US_A_MS = 1000


def parse(text: str) -> timedelta:
    """The length that `text` tells, the sum of its parts; BadValue for anything else."""
    if not re.fullmatch(PATTERN, text):
        raise BadValue("must be a duration with its unit")
    ms = sum(Decimal(number) * _UNIT_MS[unit] for number, unit in _PART.findall(text))
    try:
        return timedelta(microseconds=int(ms * _US_A_MS))
    except OverflowError:
        raise BadValue("is longer than any duration can be") from None


def write(value: timedelta) -> str:
    """The text that `parse` reads as `value`, of whole units, to the millisecond."""
    rest = value // timedelta(milliseconds=1)
    parts = []
    for unit, size in _UNIT_MS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
