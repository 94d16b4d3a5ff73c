"""A week as a small picture: seven rows of 24 cells, for people who read it on a terminal."""

from __future__ import annotations

from typing import Final

from syncd.core.hours.week import Week
from syncd.core.window import DAYS

_HOUR_MIN: Final = 60
_HOUR: Final = (1 << _HOUR_MIN) - 1
OPEN, PART, CLOSED = "█", "▒", "·"


def picture(week: Week, shift_min: int = 0) -> tuple[str, ...]:
    """A head line and seven rows, Monday first; a cell is an hour: open, partly open or closed.

    Args:
        shift_min: minutes by which the reader's clock is ahead of the week's.
    """
    shown = week.shift(-shift_min)
    head = "    " + "".join(f"{hour:<6d}" for hour in range(0, 24, 6)).rstrip()
    return (head, *(f"{day} {_cells(shown.day(at))}" for at, day in enumerate(DAYS)))


def _cells(day: int) -> str:
    hours = (day >> hour * _HOUR_MIN & _HOUR for hour in range(24))
    return "".join(OPEN if hour == _HOUR else PART if hour else CLOSED for hour in hours)
