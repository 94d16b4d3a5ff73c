"""When a record's person may be called: what is sent, what is held, and what is shared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from syncd.core import call_times
from syncd.core.call_times import (
    HELD_NO_COMMON_WINDOW,
    HELD_NO_PRESET,
    HELD_NO_ZONE,
    HELD_TOO_FAR,
    HELD_WINDOW_MISSED,
    NO_BOUNDS,
    Bounds,
    CallTimes,
)
from syncd.core.call_window import CallWindow, whole_item
from syncd.core.columns import Columns
from syncd.core.spec import HoursSpec, MappingSpec, ZoneSpec
from syncd.core.sync_times import times_at
from syncd.core.window import Interval
from syncd.core.zones.registry import Block, compiled

NOW = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)  # a Tuesday
NEW_YORK, LONDON, MOSCOW, PARIS, SATELLITE = (
    12125550100,
    442079460000,
    79161234567,
    33612345678,
    881612345678,
)
OFFICE = {"mon-fri": ("09:00-18:00",)}
MAPPING = MappingSpec(("id",), ("phone",), None, {}, {}, None)


def times(*, now: datetime = NOW, default: str | None = None, **hours: Any) -> CallTimes:
    steps = ("registry", "phone") if default is None else ("phone", "default")
    zones = ZoneSpec(steps, default=default)
    spec = replace(MAPPING, zones=zones, hours=HoursSpec(**hours))
    return times_at(spec, None)(now)(Columns(("id", "phone")))


def window(number: int, bounds: Bounds = NO_BOUNDS, **hours: Any) -> CallWindow:
    return times(**hours).window(("1", str(number)), number, bounds)


def fields(made: CallWindow) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(b"{" + made.fields + b"}")
    return read


def basis(made: CallWindow) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(made.basis)
    return read


def of_day(made: CallWindow, day: str) -> list[str]:
    spans = fields(made)["allowedTime"].get(day, [])
    return [f"{one['localTimeFrom']}-{one['localTimeTo']}" for one in spans]


def test_without_any_choice_decent_hours_are_sent() -> None:
    """Nine to nine less the guard, in the number's zone, on every day, each named."""
    made = window(LONDON)
    assert made.held is None
    assert fields(made)["gmtZone"] == made.gmt_zone == "Europe/London"
    assert len(fields(made)["allowedDays"]) == 7
    assert of_day(made, "sun") == ["09:00-20:59"]
    assert basis(made)["hours"] == ["decent 2026-11-21"]


def test_an_unknown_russian_mobile_gets_the_hours_of_all_eleven_clocks() -> None:
    """They share two hours a day, and why is told."""
    made = window(MOSCOW)
    assert (made.gmt_zone, of_day(made, "mon")) == ("+03:00", ["10:00-11:59"])
    assert "no registry" in str(basis(made)["evidence"])


def test_one_window_is_made_for_all_who_share_it() -> None:
    """Two numbers of one area give the same object; it is told apart by its digest."""
    made = times()
    row = ("1", "2")
    assert made.window(row, NEW_YORK) is made.window(row, NEW_YORK + 1)
    assert window(NEW_YORK).digest == window(NEW_YORK).digest
    assert window(NEW_YORK).digest != window(LONDON).digest


def test_without_a_zone_the_call_waits() -> None:
    """A satellite number tells none; with a default it goes."""
    assert window(SATELLITE).held == HELD_NO_ZONE
    assert window(SATELLITE).fields == b""
    made = times(default="Asia/Tokyo").window(("1", "2"), SATELLITE)
    assert made.gmt_zone == "+09:00"


@pytest.mark.parametrize(
    ("choice", "held", "zone"),
    [
        ("hold", HELD_NO_COMMON_WINDOW, None),
        ("likely", None, "+03:00"),
        ("campaign", None, None),
    ],
)
def test_without_a_common_hour_the_sync_says_what_follows(
    choice: str, held: str | None, zone: str | None
) -> None:
    """Office hours of eleven clocks share nothing: hold, the likeliest zones, or the campaign's."""
    made = window(MOSCOW, presets=(), week=OFFICE, on_ambiguous=choice)
    assert (made.held, made.gmt_zone) == (held, zone)
    if choice != "hold":
        assert "settled_for" in basis(made)


def test_legal_hours_are_never_given_up() -> None:
    """With a legal preset the call waits, whatever the sync would settle for."""
    for choice in ("likely", "campaign"):
        made = window(
            MOSCOW, presets=("ru-debt",), week={"mon": ("09:00-10:00",)}, on_ambiguous=choice
        )
        assert made.held == HELD_NO_COMMON_WINDOW, choice


def test_slices_settle_for_the_likeliest_zones_too() -> None:
    """Own hours with a closed date are cut into slices; the tail of the zones is left out."""
    made = window(MOSCOW, presets=(), week=OFFICE, closed=("2026-11-26",), on_ambiguous="likely")
    assert made.held is None
    assert "thu" not in fields(made)["allowedDays"]
    assert "settled_for" in basis(made)


def test_a_country_without_a_preset_waits() -> None:
    """The preset "auto" never takes other hours than the country's."""
    made = window(NEW_YORK, presets=("auto",), scope="service")
    assert made.held == HELD_NO_PRESET
    assert "US" in basis(made)["missing"]


def test_auto_takes_the_hours_of_the_state() -> None:
    """A Florida area code: until eight in the evening."""
    made = window(13055550100, presets=("auto",))
    assert of_day(made, "mon") == ["08:00-19:59"]


def test_holidays_are_sent_as_slices_of_a_week() -> None:
    """The slice ends at a local midnight within seven days, and a holiday has no hours."""
    now = datetime(2026, 12, 22, 8, tzinfo=UTC)
    made = times(now=now, presets=("fr-d223-9",)).window(("1", "2"), PARIS)
    assert made.finish_at == datetime(2026, 12, 28, 23, tzinfo=UTC)
    assert fields(made)["finishDateTime"] == "2026-12-28T23:00:00Z"
    assert "fri" not in fields(made)["allowedDays"]  # Christmas
    assert of_day(made, "mon") == ["10:00-12:59", "14:00-19:59"]


def test_a_slice_without_hours_is_skipped() -> None:
    """When all of the days are closed, the next slice is sent, with its start."""
    closed = tuple((NOW + timedelta(days=n)).date().isoformat() for n in range(8))
    made = window(LONDON, closed=closed)
    assert fields(made)["startDateTime"] > NOW.isoformat()
    assert made.finish_at is not None
    assert made.finish_at > NOW + timedelta(days=8)


def test_a_slice_whose_hours_are_over_is_skipped() -> None:
    """Late on the last open day of a slice, the next one is sent."""
    late = datetime(2026, 11, 24, 22, tzinfo=UTC)
    closed = tuple((late + timedelta(days=n)).date().isoformat() for n in range(1, 7))
    made = times(now=late, closed=closed).window(("1", "2"), LONDON)
    assert made.finish_at is not None
    assert made.finish_at > late + timedelta(days=7)


def test_a_record_that_ends_before_its_hours_waits_at_once() -> None:
    """A finish at noon of a day on which only the evening is permitted."""
    early = Bounds(finish=NOW + timedelta(hours=2))
    assert window(LONDON, early, presets=(), week={"tue": ("18:00-19:00",)}).held == (
        HELD_WINDOW_MISSED
    )
    over = Bounds(finish=NOW)
    assert window(LONDON, over, closed=("2026-11-24",)).held is None, "it expires"
    closed = Bounds(finish=NOW + timedelta(hours=2))
    assert window(LONDON, closed, closed=("2026-11-24",)).held == HELD_WINDOW_MISSED
    morning: dict[str, Any] = {
        "presets": (),
        "week": {"tue": ("06:00-07:00",)},
        "closed": ("2026-12-01",),
    }
    assert window(LONDON, closed, **morning).held == HELD_WINDOW_MISSED, "the hours are over"
    assert window(LONDON, Bounds(finish=NOW + timedelta(days=1))).held is None


def test_a_date_far_away_is_no_error() -> None:
    """The clocks of near years count; where dates do, the call waits, for nobody knows them."""
    far = Bounds(start=datetime(9998, 1, 1, tzinfo=UTC), finish=datetime(9999, 12, 30, tzinfo=UTC))
    assert window(LONDON, far).gmt_zone == "Europe/London"
    assert window(LONDON, far, closed=("2026-12-25",)).held == HELD_TOO_FAR
    endless = Bounds(start=datetime(9999, 12, 1, tzinfo=UTC))
    assert window(LONDON, endless).held is None


def test_a_records_own_zone_and_hours_count() -> None:
    """They meet the sync's hours; its start and finish are kept in the basis."""
    hours = {"tue": (Interval(600, 1439),)}
    bounds = Bounds("Asia/Tokyo", hours, NOW, NOW + timedelta(days=20))
    made = window(LONDON, bounds)
    assert (made.gmt_zone, fields(made)["allowedDays"]) == ("+09:00", ["tue"])
    both = times()
    later = bounds._replace(finish=NOW + timedelta(days=30))
    assert both.window(("1", "2"), LONDON, bounds) is not both.window(("1", "2"), LONDON, later)
    assert of_day(made, "tue") == ["10:00-20:59"]
    assert {"own_hours", "start", "finish"} <= basis(made).keys()
    alone = window(LONDON, bounds, presets=())
    assert of_day(alone, "tue") == ["10:00-23:59"]


def test_a_slice_carries_the_start_of_its_record() -> None:
    """Both ends travel with the window, since the content has none of them then."""
    start = NOW + timedelta(days=1)
    made = window(LONDON, Bounds(start=start), closed=("2026-12-25",))
    assert fields(made)["startDateTime"] == "2026-11-25T07:30:00Z"


def test_off_leaves_the_hours_to_the_campaign() -> None:
    """The zone is sent alone, and only where there is one; else the choice of the sync counts."""
    assert fields(window(LONDON, presets=())) == {"gmtZone": "Europe/London"}
    assert window(MOSCOW, presets=()).held == HELD_NO_COMMON_WINDOW
    assert window(MOSCOW, presets=(), on_ambiguous="likely").gmt_zone == "+03:00"


@pytest.mark.parametrize(
    ("presets", "item", "bounded"),
    [
        (("decent",), {"maxAttempts": 9}, {"maxAttempts": 9}),
        (("us-fl",), {}, {"maxAttempts": 3}),
        (("us-fl",), {"maxAttempts": 5}, {"maxAttempts": 5, "retryIntervalInMinutes": 480}),
        (("ru-debt",), {"maxAttempts": 5}, {"maxAttempts": 2, "retryIntervalInMinutes": 1440}),
        (("ru-debt",), {}, {"maxAttempts": 1}),
    ],
)
def test_caps_bound_the_attempts(
    presets: tuple[str, ...], item: dict[str, Any], bounded: dict[str, Any]
) -> None:
    """No more attempts, and none sooner, than the preset allows; without a cap nothing changes."""
    made = times(presets=presets)
    made.bound(("1", "2"), NEW_YORK, item)
    assert item == bounded


def test_a_windows_fields_join_the_content() -> None:
    """What is sent is one object; a job without fields is its content alone."""
    assert whole_item(b'{"phone":"1"}', b'"gmtZone":"+03:00"') == (
        b'{"phone":"1","gmtZone":"+03:00"}'
    )
    assert whole_item(b'{"phone":"1"}', b"") == b'{"phone":"1"}'


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list in which every record has a zone and an end of its own never fills the memory."""
    monkeypatch.setattr(call_times, "_KEPT_MAX", 2)
    made = times()
    for hours in range(3, 9):
        bounds = Bounds(f"+0{hours}:00", None, None, NOW + timedelta(days=hours))
        assert made.window(("1", "2"), LONDON, bounds).gmt_zone == f"+0{hours}:00"


def test_shares_of_zones_are_kept() -> None:
    """Where the registry knows them, the basis tells how likely each zone is."""
    moscow, yekaterinburg = "Europe/Moscow", "Asia/Yekaterinburg"
    blocks = [
        Block(79160000000, 79160000059, (moscow,)),
        Block(79160000100, 79160000139, (yekaterinburg,)),
        Block(79160000200, 79160000299, (moscow, yekaterinburg)),
    ]
    registry = compiled(blocks, {})
    spec = replace(MAPPING, zones=ZoneSpec(("registry",)), hours=HoursSpec())
    made = times_at(spec, registry)(NOW)(Columns(("id", "phone")))
    assert basis(made.window(("1", "2"), 79160000250))["shares"] == [0.6, 0.4]
