"""Offsets of a zone over time, as pieces in which they do not change.

A minute is counted in UTC since Monday, 5 January 1970: modulo 10,080 it is a minute of the week.

It owns the search for transitions, which `zoneinfo` does not tell. A year of a zone is searched
once: in steps of a week, then by halves to the minute. Real zones keep an offset for weeks at
least, and have changed it on whole minutes for a hundred years.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from syncd.core import zone as zones

#: A Monday, so that a minute modulo 10,080 is a minute of the week.
_EPOCH: Final = datetime(1970, 1, 5, tzinfo=UTC)
_STEP_MIN: Final = 7 * 1440
_MIN_S: Final = 60
_ONE_MIN: Final = timedelta(minutes=1)


class Piece(NamedTuple):
    """From `start` to `end` the zone is `offset` minutes east."""

    start: int
    end: int
    offset: int


def minute_of(at: datetime) -> int:
    """The minute that an aware instant lies in."""
    return (at - _EPOCH) // _ONE_MIN


def minute_at_or_after(at: datetime) -> int:
    """The first minute that does not begin before an aware instant."""
    return -((_EPOCH - at) // _ONE_MIN)


def instant(minute: int) -> datetime:
    """The instant at which a minute begins, in UTC."""
    return _EPOCH + timedelta(minutes=minute)


def offset_at(zone: str, minute: int) -> int:
    """The offset at a minute, in minutes east. `zone` is as in `pieces`."""
    return next(pieces(zone, minute, minute + 1)).offset


def pieces(zone: str, start: int, end: int) -> Iterator[Piece]:
    """The pieces of [start, end), in order, without gaps; neighbours differ in their offset.

    `zone` is a zone id or `+HH:MM`; anything else is a ValueError: the resolver lets none through.
    """
    read = zones.parse(zone)
    if read is None or (isinstance(read, int) and read % _MIN_S):
        raise ValueError("no zone that can be sent came this far")
    if isinstance(read, int):
        yield Piece(start, end, read // _MIN_S)
        return
    at, offset = start, _offset(zones.load(read), start)
    for year in range(instant(start).year, instant(end).year + 1):
        for change, after in _changes(read, year):
            if at < change < end:
                yield Piece(at, change, offset)
                at, offset = change, after
    yield Piece(at, end, offset)


def _offset(info: ZoneInfo, minute: int) -> int:
    offset = instant(minute).astimezone(info).utcoffset() or timedelta(0)
    return offset // _ONE_MIN


@lru_cache(maxsize=4096)  # some 400 zones, over the years that a daemon lives
def _changes(region: str, year: int) -> tuple[tuple[int, int], ...]:
    """The changes of a year in UTC: the minute, and the offset from then on."""
    info = zones.load(region)
    begin = minute_of(datetime(year, 1, 1, tzinfo=UTC))
    finish = minute_of(datetime(year + 1, 1, 1, tzinfo=UTC))
    found = []
    before, offset = begin - 1, _offset(info, begin - 1)
    for at in (*range(begin, finish, _STEP_MIN), finish - 1):
        after = _offset(info, at)
        if after != offset:
            found.append((_change(info, before, at), after))
        before, offset = at, after
    return tuple(found)


def _change(info: ZoneInfo, before: int, after: int) -> int:
    """The first minute, after `before`, of the offset that `after` has."""
    offset = _offset(info, after)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(info, middle) == offset:
            after = middle
        else:
            before = middle
    return after
