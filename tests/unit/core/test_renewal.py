"""The windows of kept jobs, worked out again by the rules of now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from syncd.core import renewal
from syncd.core.call_times import HELD_NO_PRESET, Bounds, CallTimes
from syncd.core.call_window import CallWindow
from syncd.core.columns import Columns
from syncd.core.hours.caps import Caps
from syncd.core.hours.rules import may_cap
from syncd.core.renewal import Renewal, content_with
from syncd.core.spec import HoursSpec, MappingSpec, ZoneSpec
from syncd.core.sync_times import times_at
from syncd.core.window import Interval

NOW = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)  # a Tuesday
LATER = NOW + timedelta(days=8)
YEAR = NOW + timedelta(weeks=54)
BERLIN, MOSCOW = 4930123456, 74951234567
CLOSED = {"week": {"mon-fri": ("09:00-18:00",)}, "presets": (), "closed": ("2026-12-24",)}
AUTO = {"presets": ("auto",), "scope": "debt"}


def made(number: int, bounds: Bounds | None = None, **hours: Any) -> CallWindow:
    spec = MappingSpec(("id",), ("phone",), None, {}, {}, None)
    spec = replace(spec, zones=ZoneSpec(("phone",)), hours=HoursSpec(**hours))
    times: CallTimes = times_at(spec, None)(NOW)(Columns(("id", "phone")))
    row = ("1", str(number))
    return times.window(row, number, bounds) if bounds else times.window(row, number)


def again(window: CallWindow, number: int, now: datetime = LATER, **hours: Any) -> CallWindow:
    return Renewal(HoursSpec(**hours), now).window(window.basis.decode(), number, YEAR)


def fields(window: CallWindow) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(b"{" + window.fields + b"}")
    return read


def test_the_next_slice_has_the_same_basis() -> None:
    """Only what is sent goes with the days; what it was worked out from stays."""
    first = made(BERLIN, **CLOSED)
    second = again(first, BERLIN, **CLOSED)
    assert fields(first)["finishDateTime"] == "2026-11-30T23:00:00Z"
    assert fields(second)["finishDateTime"] == "2026-12-08T23:00:00Z"
    assert second.basis == first.basis
    assert second.gmt_zone == "+01:00"


def test_a_slice_that_begins_later_says_so() -> None:
    """Whoever was called must not be called again before then; a start in the past is none."""
    renewed = Renewal(HoursSpec(**CLOSED), NOW)
    first = made(BERLIN, **CLOSED)
    basis = first.basis.decode()
    since = datetime(2026, 11, 30, 23, tzinfo=UTC)
    second = renewed.window(basis, BERLIN, YEAR, since)
    assert fields(second)["startDateTime"] == "2026-11-30T23:00:00Z"
    assert fields(second)["finishDateTime"] == "2026-12-07T23:00:00Z"
    assert second.basis == first.basis
    assert renewed.window(basis, BERLIN, YEAR, NOW) == renewed.window(basis, BERLIN, YEAR)


def test_the_records_own_hours_and_start_are_kept() -> None:
    """They stand in the basis, and hold on; a start of a slice takes no place there."""
    bounds = Bounds(hours={"wed": (Interval(600, 660),)}, start=NOW)
    first = made(BERLIN, bounds, **CLOSED)
    since = NOW + timedelta(days=3)
    second = Renewal(HoursSpec(**CLOSED), NOW).window(first.basis.decode(), BERLIN, YEAR, since)
    assert fields(second)["allowedDays"] == ["wed"]
    assert fields(second)["startDateTime"] == "2026-11-27T07:30:00Z"
    assert second.basis == first.basis


def test_where_no_date_matters_any_more_the_job_has_its_own_ends() -> None:
    """Weekly hours from then on; the content of a slice has no ends, others have."""
    weekly = {**CLOSED, "closed": ()}
    first = made(BERLIN, **CLOSED)
    second = again(first, BERLIN, **weekly)
    assert second.finish_at is None
    assert "finishDateTime" not in fields(second)
    body = '{"phone":"1"}'
    content = content_with(body, second, YEAR, LATER)
    assert orjson.loads(content) == {
        "phone": "1",
        "startDateTime": "2026-12-02T07:30:00Z",
        "finishDateTime": "2027-12-07T07:30:00Z",
    }
    assert content_with(content, first, YEAR) == content_with(body, first, YEAR) == body
    assert content_with(content, second, None) == body


def test_the_preset_of_the_place_holds_again() -> None:
    """Where the place decides, it is kept with the window; else the number tells it."""
    german = made(BERLIN, **{**AUTO, "scope": "telemarketing"})
    assert orjson.loads(german.basis)["places"] == [["DE", ""]]
    assert again(german, MOSCOW, **{**AUTO, "scope": "telemarketing"}).basis == german.basis
    fixed = made(MOSCOW, presets=("ru-debt",))
    assert "places" not in orjson.loads(fixed.basis)
    assert again(fixed, MOSCOW, **AUTO).held is None
    assert again(fixed, BERLIN, **AUTO).held == HELD_NO_PRESET


def test_caps_are_those_of_the_rule() -> None:
    """Of the job's own place; none where nothing is capped, or nothing holds."""
    debt = made(MOSCOW, presets=("ru-debt",)).basis.decode()
    assert Renewal(HoursSpec(("ru-debt",)), NOW).caps(debt, MOSCOW) == Caps(1, 2, 8)
    assert Renewal(HoursSpec(), NOW).caps(debt, MOSCOW) is None
    assert Renewal(HoursSpec(()), NOW).caps(debt, MOSCOW) is None


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """More windows than are kept begin anew, and are the same."""
    monkeypatch.setattr(renewal, "_KEPT_MAX", 1)
    renewed = Renewal(HoursSpec(**CLOSED), NOW)
    bases = [made(number, **CLOSED).basis.decode() for number in (BERLIN, MOSCOW, BERLIN)]
    windows = [renewed.window(basis, BERLIN, YEAR) for basis in bases]
    assert windows[0].digest == windows[2].digest != windows[1].digest


def test_which_syncs_may_have_caps() -> None:
    """Those of a preset with caps, and those whose preset goes by the number."""
    told = [(), ("decent",), ("decent", "us-fl"), ("auto",)]
    assert [may_cap(HoursSpec(presets)) for presets in told] == [False, False, True, True]
