"""Syncd with one care taken out: the year must show it, or the witness sees too little."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from syncd.core import call_times
from syncd.core.hours import common, rules
from syncd.core.hours.dates import Dates
from syncd.core.zones.candidates import Candidates, Chain

_resolve = Chain.resolve


def _likeliest(self: Chain, *asked: Any) -> Candidates:
    found = _resolve(self, *asked)
    return replace(found, zones=found.zones[:1], shares=())


def _offset_of_today(anchor: str, first: int, last: int) -> int | None:
    return next(iter(common.pieces(anchor, first, first + 1))).offset


MUTANTS: Mapping[str, Callable[[], Any]] = {
    "only the likeliest zone": lambda: patch.object(Chain, "resolve", _likeliest),
    "the offset of today for good": lambda: patch.object(common, "_constant", _offset_of_today),
    "a horizon of three days": lambda: patch.object(call_times, "HORIZON", timedelta(days=3)),
    "no holidays": lambda: patch.object(rules, "holiday_dates", lambda *_: Dates()),
    "no dates of one's own": lambda: patch.object(Dates, "with_own", lambda self, **_: self),
    "the week as it is, without a shift": lambda: patch.object(common, "rotated", _unshifted),
}


def _unshifted(mask: int, minutes: int) -> int:
    return mask


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """Within the block, syncd lacks this care."""
    with MUTANTS[name]():
        yield
