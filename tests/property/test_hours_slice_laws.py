"""Laws of slices, judged minute by minute with `zoneinfo` alone."""

from __future__ import annotations

import zoneinfo
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.hours.dates import Dates, Policy, weeks_of
from syncd.core.hours.slices import slice_at
from syncd.core.hours.week import parse
from syncd.core.window import DAYS

BEGIN = datetime(2027, 3, 10, tzinfo=UTC)  # changes of clocks in America, Asia and Europe follow
ZONES = (
    "America/New_York", "Europe/London", "Europe/Moscow", "Asia/Beirut", "Asia/Kathmandu",
    "Pacific/Auckland", "Pacific/Honolulu", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo",
)  # fmt: skip
Windows = dict[str, list[tuple[int, int]]]

ends = st.one_of(st.integers(0, 24).map(lambda hour: hour * 60), st.integers(0, 1440))
spans = st.one_of(
    st.tuples(st.integers(0, 720), st.integers(900, 1440)),
    st.tuples(ends, ends).filter(lambda two: two[0] != two[1]).map(sorted).map(tuple),
)
windows_ = st.fixed_dictionaries({}, optional=dict.fromkeys(DAYS, st.lists(spans, max_size=2)))
dates_ = st.frozensets(st.integers(0, 40).map(lambda day: BEGIN.date() + timedelta(days=day)))


def texts(windows: Windows) -> dict[str, list[str]]:
    """The windows as a configuration has them."""
    return {
        day: [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in spans]
        for day, spans in windows.items()
    }


def is_open(windows: Windows, policy: Policy, holidays: frozenset[date], local: datetime) -> bool:
    """Whether the rule lets one call at this local time, read off the words of the policy."""
    day = DAYS[local.weekday()]
    if local.date() in holidays:
        if policy == "closed":
            return False
        if policy == "weekend":
            day = "sun"
    return any(a <= local.hour * 60 + local.minute < b for a, b in windows.get(day, ()))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    windows_,
    st.sampled_from(("none", "closed", "weekend")),
    dates_,
    st.integers(0, 30 * 1440),
    st.integers(1, 9 * 1440),
)
def test_a_slice_is_permitted_to_the_minute_and_no_minute_is_lost(
    zones: Sequence[str], windows: Windows, policy: Policy, holidays: frozenset[date],
    begin: int, length: int,
) -> None:  # fmt: skip
    """Each minute of the slice, on its own local date in each zone; never an eighth date."""
    zoneinfo.reset_tzpath(to=())
    infos = {zone: zoneinfo.ZoneInfo(zone) for zone in zones}
    start = BEGIN + timedelta(minutes=begin)
    finish = start + timedelta(minutes=length)
    weeks = weeks_of(parse(texts(windows)), policy)
    found = slice_at(zones, weeks, Dates(holidays), start, finish)
    assert start < found.finish <= finish
    anchors = zones if found.hours is None else [found.hours.anchor]
    all_open: dict[tuple[str, int, int], bool] = defaultdict(lambda: True)
    seen = defaultdict(set)
    for at in range(int((found.finish - start).total_seconds()) // 60):
        locals_ = {zone: (start + timedelta(minutes=at)).astimezone(infos[zone]) for zone in zones}
        permitted = all(is_open(windows, policy, holidays, local) for local in locals_.values())
        for anchor in anchors:
            local = locals_[anchor]
            seen[anchor].add(local.date())
            all_open[anchor, local.weekday(), local.hour * 60 + local.minute] &= permitted
    expected = {key for key, open_ in all_open.items() if open_ and key[2] != 1439}
    assert max(map(len, seen.values())) <= 7
    if found.hours is None:
        assert expected == set()
        return
    assert expected == {
        (found.hours.anchor, DAYS.index(day), minute)
        for day, spans in found.hours.hours.items()
        for one in spans
        for minute in range(one.start_min, one.end_min)
    }
    there = found.finish.astimezone(infos[found.hours.anchor])
    assert found.finish == finish or there.date() not in seen[found.hours.anchor]
    assert found.finish == finish or len(seen[found.hours.anchor]) == 7
