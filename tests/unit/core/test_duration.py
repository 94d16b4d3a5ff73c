"""Durations: one notation, with a unit always."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core import duration
from syncd.core.refusal import BadValue


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(minutes=90)),
        ("1d", timedelta(days=1)),
        ("0s", timedelta(0)),
    ],
)
def test_each_unit_means_what_it_says(text: str, expected: timedelta) -> None:
    """A duration is read, and written back the same way."""
    assert duration.parse(text) == expected
    assert duration.write(expected) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5h", timedelta(minutes=90)),
        ("0.001s", timedelta(milliseconds=1)),
        ("0.1s0.2s", timedelta(milliseconds=300)),
        (" 5m\t", timedelta(minutes=5)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_one_length_has_several_texts(text: str, expected: timedelta) -> None:
    """Fractions, spaces around and any size of a part are read, exactly."""
    assert duration.parse(text) == expected


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=366)))
def test_a_duration_survives_writing_and_reading(value: timedelta) -> None:
    """Writing and reading give the same duration, to the millisecond."""
    rounded = timedelta(milliseconds=value // timedelta(milliseconds=1))
    assert duration.parse(duration.write(rounded)) == rounded


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "30",
        "5 m",
        "-5m",
        "1.h",
        ".5h",
        "1.0005s",
        "PT5M",
        "5M",
        "soon",
        "\u0665m",
        "9" * 99 + "s",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A number without a unit means nothing; neither does another notation."""
    with pytest.raises(BadValue, match="with its unit"):
        duration.parse(text)


def test_what_no_calendar_holds_is_refused() -> None:
    """A sum beyond what can be counted is refused like any other mistake."""
    with pytest.raises(BadValue, match="is longer"):
        duration.parse("999999999d999999999d")
