"""Slices of seven local days: vectors, holidays, and where they end."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.core.hours.dates import Dates, Weeks, weeks_of
from syncd.core.hours.slices import Slice, next_slice, slice_at
from syncd.core.hours.week import Week, parse
from syncd.core.window import hours_to_wire

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "windows.json").read_text(encoding="utf-8")
)["slice_vectors"]
OFFICE = parse({"mon-fri": ["09:00-21:00"], "sat": ["10:00-14:00"]})
CLOSED = weeks_of(OFFICE, "closed")
NONE = Dates()
FAR = datetime(2030, 1, 1, tzinfo=UTC)


def shown(found: Slice) -> dict[str, str]:
    """The intervals of a slice, as text."""
    assert found.hours is not None
    return {day: " ".join(map(str, spans)) for day, spans in found.hours.hours.items()}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_vector(vector: dict[str, Any]) -> None:
    """What is sent for a week with holidays is what the vectors say."""
    start, finish = map(datetime.fromisoformat, vector["horizon"])
    week = parse(
        {day: ["-".join(pair) for pair in pairs] for day, pairs in vector["windows"].items()}
    )
    weeks = weeks_of(week, "weekend" if vector["holidayWindows"] else "closed")
    dates = Dates(frozenset(map(date.fromisoformat, vector["holidays"])))
    found = slice_at(vector["zones"], weeks, dates, start, finish + timedelta(days=30))
    assert (found.start, found.finish) == (start, finish)
    assert found.hours is not None
    assert {
        "gmtZone": found.hours.gmt_zone,
        "anchor": found.hours.anchor,
        "allowedDays": list(found.hours.hours),
        "allowedTime": hours_to_wire(found.hours.hours),
        "minutesPerWeek": found.hours.minutes_a_week,
    } == vector["expect"]


def test_a_slice_begins_now_and_ends_at_the_anchors_midnight() -> None:
    """From Wednesday afternoon to Wednesday 00:00: the hours that are over are not open."""
    start = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)  # 15:30 in Moscow
    found = slice_at(["Europe/Moscow"], CLOSED, NONE, start, FAR)
    assert found.finish == datetime(2026, 12, 1, 21, tzinfo=UTC)
    assert shown(found)["wed"] == "15:30-21:00"
    assert shown(found)["tue"] == "09:00-21:00"


def test_a_slice_ends_with_the_job() -> None:
    """The job's own end comes first; the days after it are not open."""
    start = datetime(2026, 11, 23, 5, tzinfo=UTC)
    finish = datetime(2026, 11, 24, 10, 0, 30, tzinfo=UTC)
    found = slice_at(["Europe/Moscow"], CLOSED, NONE, start, finish)
    assert found.finish == finish
    assert shown(found) == {"mon": "09:00-21:00", "tue": "09:00-13:01"}
    assert slice_at(["Europe/Moscow"], CLOSED, NONE, finish, start).hours is None


def test_each_zone_closes_its_own_local_date() -> None:
    """Monday is a holiday: Auckland's ends 24 hours before Honolulu's, and both are kept."""
    dates = Dates(frozenset({date(2026, 11, 23)}))
    week = weeks_of(parse({"mon-sun": ["00:00-24:00"]}), "closed")
    start = datetime(2026, 11, 22, 0, tzinfo=UTC)
    found = slice_at(["Pacific/Honolulu", "Pacific/Kiritimati"], week, dates, start, FAR)
    # The date begins at +14:00 on Sunday 10:00 UTC, and ends at -10:00 on Tuesday 10:00 UTC.
    assert shown(found) == {
        "sat": "14:00-23:59", "tue": "00:00-23:59", "wed": "00:00-23:59", "thu": "00:00-23:59",
        "fri": "00:00-23:59",
    }  # fmt: skip


def test_a_change_of_clocks_inside_a_slice() -> None:
    """On the night of a change a local hour is missing or doubled; it is open if all of it is."""
    nights = weeks_of(parse({"mon-sun": ["00:00-04:00"]}))
    autumn = datetime(2026, 10, 30, 16, tzinfo=UTC)
    found = slice_at(["America/New_York", "America/Phoenix"], nights, NONE, autumn, FAR)
    assert found.hours is not None
    assert found.hours.gmt_zone == "-07:00"
    # 1 November: New York's 00:00-04:00 is 21:00-02:00 in Phoenix.
    assert shown(found)["sun"] == "00:00-02:00"
    assert shown(found)["sat"] == "00:00-01:00"


def test_a_doubled_hour_that_is_open_once_is_not_open() -> None:
    """New York's 01:00 comes twice; Chicago is at 00:00 the first time, and no HH:mm tells them."""
    night = weeks_of(parse({"sun": ["01:00-02:00"]}))
    autumn = datetime(2026, 10, 30, 16, tzinfo=UTC)
    assert slice_at(["America/New_York", "America/Chicago"], night, NONE, autumn, FAR).hours is None


def test_a_midnight_that_does_not_exist_ends_the_slice_at_the_first_minute_of_its_date() -> None:
    """Beirut puts its clock from 00:00 to 01:00: that date begins at 01:00."""
    start = datetime(2027, 3, 20, 22, tzinfo=UTC)  # Sunday 00:00
    found = slice_at(["Asia/Beirut"], CLOSED, NONE, start, FAR)
    assert found.finish == datetime(2027, 3, 27, 22, tzinfo=UTC)
    assert found.hours is not None
    assert found.hours.gmt_zone == "+02:00"


def test_the_guard_is_taken_off_the_end_of_the_slice_too() -> None:
    """What begins in the last minutes could outlast the slice."""
    found = slice_at(
        ["Europe/Moscow"], weeks_of(parse({"mon-sun": ["00:00-24:00"]})), NONE,
        datetime(2026, 11, 22, 21, tzinfo=UTC), FAR, guard_min=10,
    )  # fmt: skip
    assert shown(found)["sun"] == "00:00-23:50"
    assert shown(found)["sat"] == "00:00-23:59"


def test_a_week_of_holidays_is_passed_over() -> None:
    """The next slice is the first with hours; when there is none, the last one looked at."""
    holidays = Dates(frozenset(date(2027, 1, day) for day in range(1, 12)))
    start = datetime(2026, 12, 31, 21, tzinfo=UTC)  # 1 January in Moscow
    found = next_slice(["Europe/Moscow"], CLOSED, holidays, start, FAR)
    assert found.start == datetime(2027, 1, 7, 21, tzinfo=UTC)
    assert list(shown(found)) == ["tue", "wed", "thu"]
    for finish in (start + timedelta(days=9), datetime.max.replace(tzinfo=UTC)):
        never = next_slice(["Europe/Moscow"], weeks_of(Week(0)), holidays, start, finish)
        assert never.hours is None
    assert next_slice(["Europe/Moscow"], CLOSED, holidays, start, start).hours is None


FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2027, 2, day) for day in (19, 20, 21, 22))


def minutes(weeks: Weeks, dates: Dates) -> list[int]:
    """Open minutes of Friday to Monday."""
    return [weeks.day(day, dates).bit_count() for day in (FRIDAY, SATURDAY, SUNDAY, MONDAY)]


def test_what_a_rule_makes_of_each_kind_of_day() -> None:
    """Closed or Sunday's hours on a holiday, Saturday's before it, a working Saturday works."""
    week = parse({"mon-thu": ["08:00-22:00"], "fri": ["08:00-20:00"], "sat-sun": ["09:00-20:00"]})
    dates = Dates(frozenset({MONDAY}), frozenset({SATURDAY}))
    assert minutes(weeks_of(week), dates) == [720, 660, 660, 840]
    assert minutes(weeks_of(week, "weekend"), dates) == [720, 720, 660, 660]
    assert minutes(weeks_of(week, "closed"), dates) == [720, 720, 660, 0]
    assert minutes(weeks_of(week, "closed", eves=True), Dates(frozenset({SATURDAY}))) == [
        660, 0, 660, 840,
    ]  # fmt: skip


def test_own_hours_keep_their_own_idea_of_a_holiday() -> None:
    """The law has weekend hours on a holiday, the own hours ignore holidays: both must be open."""
    law = weeks_of(parse({"mon-fri": ["08:00-22:00"], "sat-sun": ["09:00-20:00"]}), "weekend")
    own = weeks_of(parse({"mon-fri": ["08:00-18:00"]}))
    assert minutes(law & own, Dates(frozenset({MONDAY}))) == [600, 0, 0, 540]


def test_a_persons_own_dates_lie_over_the_holidays() -> None:
    """Dates are closed, opened or made holidays; what a decree says of later years is kept."""
    base = Dates(frozenset({MONDAY, FRIDAY}), frozenset({SATURDAY}), decreed_until=2027)
    own = base.with_own(closed=[SATURDAY], opened=[MONDAY], added=[SUNDAY])
    assert minutes(weeks_of(OFFICE, "weekend"), own) == [0, 0, 0, 720]
    assert own.decreed_until == 2027
    assert own.holidays == {FRIDAY, SUNDAY}


def test_the_dates_of_two_places_are_joined() -> None:
    """Closed where either is; the earlier end of the decrees counts."""
    one = Dates(frozenset({MONDAY}), frozenset({SATURDAY}), decreed_until=2027)
    other = Dates(frozenset({FRIDAY}), closed=frozenset({SUNDAY}))
    assert one | other == Dates(
        frozenset({MONDAY, FRIDAY}), frozenset(), frozenset({SUNDAY}), decreed_until=2027
    )
    assert (other | other).decreed_until is None
    assert [one.undecreed(date(year, 1, 1)) for year in (2027, 2028)] == [False, True]
    assert not other.undecreed(date(2099, 1, 1))


def test_slices_are_needed_only_where_a_date_has_other_hours() -> None:
    """A holiday on a Sunday that is closed anyway, or one out of sight, changes nothing."""
    dates = Dates(frozenset({SUNDAY}), closed=frozenset({date(2027, 5, 3)}))
    assert not CLOSED.differ(dates, FRIDAY, MONDAY)
    assert CLOSED.differ(dates, FRIDAY, date(2027, 5, 3))
    eves = weeks_of(OFFICE, "closed", eves=True)
    assert eves.differ(Dates(frozenset({SATURDAY})), FRIDAY, FRIDAY)
