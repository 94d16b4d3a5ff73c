"""A week as a mask: read, cut, shifted, written."""

from __future__ import annotations

import pytest

from syncd.core.hours import week
from syncd.core.hours.week import WHOLE_WEEK, Week, of_hours, parse
from syncd.core.refusal import BadValue
from syncd.core.window import parse_hours


def shown(of: Week) -> dict[str, str]:
    """The intervals of a week, as text."""
    return {day: " ".join(map(str, spans)) for day, spans in of.hours().items()}


def test_texts_become_hours() -> None:
    """Days by name or range, any number of intervals, 24:00 as an end; other days are closed."""
    read = parse({"mon-wed": ["10:00-13:00", "14:00 - 20:00"], "sun": ["22:00-24:00"], "sat": []})
    both = "10:00-13:00 14:00-20:00"
    assert shown(read) == {"mon": both, "tue": both, "wed": both, "sun": "22:00-23:59"}
    assert read.minutes == 3 * 9 * 60 + 120


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"mon-fri": ["10:00-20:00"], "fri": ["10:00-13:00"]}, "named twice"),
        ({"mon": ["22:00-06:00"]}, "a night is two"),
        ({"mon": ["10:00-10:00"]}, "start before they end"),
        ({"mon": ["10-20"]}, "HH:mm-HH:mm"),
        ({"mon": ["24:00-24:00"]}, "HH:mm-HH:mm"),
        ({"monday": ["10:00-20:00"]}, "a weekday is one of"),
    ],
)
def test_what_cannot_be_read_is_refused(told: dict[str, list[str]], why: str) -> None:
    """Nothing is guessed: wrong hours call people at night."""
    with pytest.raises(BadValue, match=why):
        parse(told)


def test_overlapping_texts_are_one_interval() -> None:
    """The union of what is written is open; touching intervals are merged."""
    assert shown(parse({"mon": ["10:00-13:00", "12:00-14:00", "14:00-15:00"]})) == {
        "mon": "10:00-15:00"
    }


def test_the_contracts_hours_become_a_week() -> None:
    """`default` stands for the days that are not named."""
    hours = parse_hours(
        {
            "default": [{"localTimeFrom": "10:00", "localTimeTo": "19:00"}],
            "sat": [{"localTimeFrom": "11:00", "localTimeTo": "15:00"}],
        }
    )
    assert of_hours(hours) == parse({"mon-fri,sun": ["10:00-19:00"], "sat": ["11:00-15:00"]})


def test_a_shift_carries_hours_round_the_week() -> None:
    """Hours late on Sunday are early on Monday for clocks that are ahead."""
    sunday = parse({"sun": ["21:00-23:00"]})
    assert shown(sunday.shift(-180)) == {"mon": "00:00-02:00"}
    assert sunday.shift(-180).shift(180) == sunday
    assert Week(WHOLE_WEEK).shift(77) == Week(WHOLE_WEEK)


def test_a_span_of_a_week_is_all_of_it() -> None:
    """Spans wrap round the end of the week and never count a minute twice."""
    assert week.span(123, 10_080) == week.span(5, 99_999) == WHOLE_WEEK
    assert list(week.runs(week.span(10_079, 3))) == [(0, 2), (10_079, 10_080)]
    assert week.span(0, 0) == 0


def test_a_guard_goes_round_the_week() -> None:
    """Hours over midnight of Sunday lose minutes at their own end only."""
    night = parse({"sun": ["22:00-24:00"], "mon": ["00:00-01:00"]}).mask
    assert list(week.runs(week.guarded(night, 10))) == [(0, 50), (10_080 - 120, 10_080)]
    assert week.guarded(night, 0) == night
    assert week.guarded(WHOLE_WEEK, 10) == WHOLE_WEEK


def test_days_and_intersections() -> None:
    """A day's bits are its own; both weeks must be open."""
    one, other = parse({"mon-sun": ["09:00-13:00"]}), parse({"tue": ["12:00-20:00"]})
    assert shown(one & other) == {"tue": "12:00-13:00"}
    assert week.of_days([other.day(at) for at in range(7)]) == other
