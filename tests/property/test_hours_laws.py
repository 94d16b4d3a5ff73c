"""Laws of common hours, judged minute by minute by an oracle that shares no code with them."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.hours.common import CommonHours, common_hours
from syncd.core.hours.week import parse
from syncd.core.window import DAYS

WEEK = 10_080
BEGIN = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
SPAN = 84 * WEEK  #: minutes that the oracle knows
FIXED = ("+05:45", "-03:30", "+00:00", "-11:00", "+14:00")
IDS = tuple(
    line.split("\t")[2]
    for line in resources.files("tzdata")
    .joinpath("zoneinfo/zone.tab")
    .read_text("utf-8")
    .split("\n")
    if line and not line.startswith("#")
)
#: Half hours, far ends of the day, changes in other weeks, of half an hour, of Ramadan.
ODD = (
    "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham",
    "Africa/Casablanca", "Africa/Cairo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Gaza",
    "Europe/London", "America/New_York", "America/Santiago", "Antarctica/Troll", "Europe/Moscow",
)  # fmt: skip
Windows = dict[str, list[tuple[int, int]]]


@cache
def offsets(zone: str) -> tuple[tuple[int, int, int], ...]:
    """(first minute, last + 1, offset) from BEGIN on: looked at each hour, and then each minute."""
    if zone[0] in "+-":
        hours, minutes = int(zone[1:3]), int(zone[4:])
        return ((0, SPAN, (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)),)
    zoneinfo.reset_tzpath(to=())
    info = zoneinfo.ZoneInfo(zone)

    def offset(minute: int) -> int:
        there = (BEGIN + timedelta(minutes=minute)).astimezone(info)
        return int((there.replace(tzinfo=UTC) - BEGIN).total_seconds()) // 60 - minute

    found, begin, now = [], 0, offset(0)
    for hour in range(60, SPAN + 1, 60):
        if offset(hour) != now:
            change = next(at for at in range(hour - 59, hour + 1) if offset(at) != now)
            found.append((begin, change, now))
            begin, now = change, offset(change)
    return (*found, (begin, SPAN, now))


def clipped(zone: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The same within [start, end)."""
    for first, last, offset in offsets(zone):
        if max(first, start) < min(last, end):
            yield max(first, start), min(last, end), offset


def week_bytes(windows: Windows) -> bytes:
    """One byte for each minute of the local week: 1 is open."""
    week = bytearray(WEEK)
    for day, spans in windows.items():
        for start, end in spans:
            for minute in range(start, end):
                week[DAYS.index(day) * 1440 + minute] = 1
    return bytes(week)


def by_minute(zone: str, week: bytes, start: int, end: int) -> int:
    """One byte for each UTC minute of [start, end): is the local week open then?"""
    many, found = week * 90, []
    for first, last, offset in clipped(zone, start, end):
        at = (first + offset) % WEEK
        found.append(many[at : at + last - first])
    return int.from_bytes(b"".join(found), "little")


def folded(zone: str, open_then: int, start: int, end: int) -> bytes:
    """One byte for each minute of the zone's week: 1 when it has instants, and each is open."""
    flags = open_then.to_bytes(end - start, "little")
    met, shut = bytearray(WEEK), bytearray(WEEK)
    for first, last, offset in clipped(zone, start, end):
        for at in range(first, last, WEEK):
            part = flags[at - start : min(at + WEEK, last) - start]
            place = (at + offset) % WEEK
            for piece, to in ((part[: WEEK - place], place), (part[WEEK - place :], 0)):
                old = int.from_bytes(shut[to : to + len(piece)], "little")
                ones = int.from_bytes(b"\x01" * len(piece), "little")
                new = old | (ones ^ int.from_bytes(piece, "little"))
                shut[to : to + len(piece)] = new.to_bytes(len(piece), "little")
                met[to : to + len(piece)] = b"\x01" * len(piece)
    return bytes(one and not other for one, other in zip(met, shut, strict=True))


def sent_bytes(found: CommonHours) -> bytes:
    """The week that the intervals on the wire mean."""
    return week_bytes(
        {day: [(one.start_min, one.end_min) for one in spans] for day, spans in found.hours.items()}
    )


def texts(windows: Windows) -> dict[str, list[str]]:
    """The windows as a configuration has them."""
    return {
        day: [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in spans]
        for day, spans in windows.items()
    }


minutes = st.one_of(st.integers(0, 24).map(lambda hour: hour * 60), st.integers(0, 1440))
spans = st.tuples(minutes, minutes).filter(lambda two: two[0] != two[1]).map(sorted).map(tuple)
broad = st.tuples(st.integers(0, 720), st.integers(900, 1440))
days = st.lists(st.one_of(broad, spans), max_size=3)
weeks = st.one_of(
    days.map(lambda day: dict.fromkeys(DAYS, day)),
    st.fixed_dictionaries({}, optional=dict.fromkeys(DAYS, days)),
)
near = st.sampled_from((
    "Europe/London", "Europe/Paris", "Africa/Lagos", "Africa/Casablanca", "Europe/Athens",
    "Africa/Cairo", "Asia/Beirut", "Europe/Moscow", "Atlantic/Azores", "America/Nuuk", "+01:30",
))  # fmt: skip
far = st.one_of(st.sampled_from(ODD), st.sampled_from(IDS), st.sampled_from(FIXED))
zones = st.one_of(
    st.lists(near, min_size=2, max_size=4, unique=True),
    st.lists(far, min_size=1, max_size=5, unique=True),
)
starts = st.integers(0, 28 * WEEK)
lengths = st.one_of(st.just(54 * WEEK), st.integers(1, 3 * WEEK))


@settings(max_examples=60, deadline=None)
@given(zones, weeks, starts, lengths)
def test_what_is_sent_is_permitted_in_each_zone_and_no_minute_is_lost(
    zones: Sequence[str], windows: Windows, start: int, length: int
) -> None:
    """Every minute of the horizon; and no other anchor would have had more minutes."""
    told = BEGIN + timedelta(minutes=start)
    found = common_hours(zones, parse(texts(windows)), told, told + timedelta(minutes=length))
    end = start + max(length, WEEK)
    week = week_bytes(windows)
    everywhere = by_minute(zones[0], week, start, end)
    for zone in zones[1:]:
        everywhere &= by_minute(zone, week, start, end)
    kept = {zone: folded(zone, everywhere, start, end) for zone in zones}
    if len(zones) == 1:
        kept[zones[0]] = week  # its own changes leave the window as it is
    if found is None:
        assert not any(sum(one) - sum(one[1439::1440]) for one in kept.values())
        return
    sent = sent_bytes(found)
    gone = by_minute(found.gmt_zone, sent, start, start + length)
    assert gone & ~(everywhere & ((1 << 8 * length) - 1)) == 0
    assert sent == bytes(
        0 if minute % 1440 == 1439 else open_ for minute, open_ in enumerate(kept[found.anchor])
    )
    assert found.minutes_a_week == sum(kept[found.anchor])
    constant = {zone: len(list(clipped(zone, start, start + length))) == 1 for zone in zones}
    told_of = [zone for zone in zones if sum(kept[zone]) > sum(kept[zone][1439::1440])]
    assert found.anchor == max(told_of, key=lambda zone: (sum(kept[zone]), constant[zone]))
    assert (found.gmt_zone[0] in "+-") == constant[found.anchor]


@settings(max_examples=20, deadline=None)
@given(zones, weeks, starts, st.integers(1, 30))
def test_a_guard_only_takes_away_and_leaves_its_minutes_before_each_end(
    zones: Sequence[str], windows: Windows, start: int, guard: int
) -> None:
    """A call that begins in the last minute may last the guard and is still inside, everywhere."""
    told = BEGIN + timedelta(minutes=start)
    year = told + timedelta(weeks=54)
    found = common_hours(zones, parse(texts(windows)), told, year, guard)
    if found is None:
        return
    end = start + 53 * WEEK
    sent = by_minute(found.gmt_zone, sent_bytes(found), start, end)
    week = week_bytes(windows)
    for zone in zones:
        for later in (0, guard):
            inside = by_minute(zone, week, start + later, end + later)
            assert sent & ~inside == 0 or zone_changes_within(zone, start, end + guard)


def zone_changes_within(zone: str, start: int, end: int) -> bool:
    """Whether the clock is changed, which can end an hour sooner than any week tells."""
    return len(list(clipped(zone, start, end))) > 1
