"""A mapping that works out zones and hours: what is content, and what is sent beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from syncd.core.mapping import MappedJob, Mapper, MappingSpec, Rejected, ValueSpec
from syncd.core.spec import HoursSpec, ZoneSpec
from syncd.core.sync_times import times_at

COLUMNS = ("id", "phone", "city")
SPEC = MappingSpec(("id",), ("phone",), None, {}, {}, None)


def spec(**parts: Any) -> MappingSpec:
    """The least mapping, with these parts replaced."""
    known = {name: getattr(SPEC, name) for name in MappingSpec.__slots__}
    return MappingSpec(**{**known, **parts})


def row(city: str = "") -> list[object]:
    """A row with a valid phone."""
    return ["1", "+44 20 7946 0123", city]


def timed(hours: HoursSpec | None = None, **fields: ValueSpec) -> Mapper:
    """A mapper that works out zones and hours, at noon of a Tuesday."""
    told = spec(fields=fields, zones=ZoneSpec(("phone",)), hours=hours or HoursSpec())
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    return Mapper(told, COLUMNS, times_at(told, None)(now))


def test_a_window_is_sent_beside_the_content() -> None:
    """The content has no field of time, so that it is the same on every day."""
    job = timed().map(row())
    assert isinstance(job, MappedJob)
    assert job.window is not None
    assert b"gmtZone" not in job.body
    assert orjson.loads(job.item)["gmtZone"] == job.zone
    assert job.item.startswith(job.body[:-1])


def test_a_records_own_time_meets_the_hours() -> None:
    """Zone, days and hours of a record leave the content; its start and finish stay in it."""
    given = {
        "gmtZone": ValueSpec(value="Asia/Tokyo"),
        "allowedDays": ValueSpec(value="sat-sun"),
        "allowedTime": ValueSpec(value="10:00-12:00"),
        "finishDateTime": ValueSpec(value="2026-12-24T12:00:00Z"),
    }
    job = timed(**given).map(row())
    assert isinstance(job, MappedJob)
    sent = orjson.loads(job.item)
    assert (sent["gmtZone"], sent["allowedDays"]) == ("+09:00", ["sat", "sun"])
    assert list(sent["allowedTime"]) == ["sat", "sun"]
    assert (job.finish_at, job.ends_at) == (datetime(2026, 12, 24, 12, tzinfo=UTC), None)
    days = timed(HoursSpec(presets=()), allowedDays=given["allowedDays"]).map(row())
    assert isinstance(days, MappedJob)
    assert list(orjson.loads(days.item)["allowedTime"]) == ["sat", "sun"]


def test_a_slice_has_the_ends_that_are_sent() -> None:
    """Where dates count, start and finish go with the window, and its own end is kept apart."""
    closed = HoursSpec(closed=("2026-12-25",))
    finish = datetime(2026, 12, 24, 12, tzinfo=UTC)
    job = timed(closed, finishDateTime=ValueSpec(value=finish.isoformat())).map(row())
    assert isinstance(job, MappedJob)
    assert b"finishDateTime" not in job.body
    assert job.finish_at is not None
    assert job.finish_at < finish == job.ends_at
    endless = timed(closed).map(row())
    assert isinstance(endless, MappedJob)
    assert endless.ends_at is not None


def test_times_that_exclude_each_other_or_too_long_a_body_are_refused() -> None:
    """As they are where nothing is worked out."""
    swapped = timed(
        startDateTime=ValueSpec(value="2026-12-24T12:00:00Z"),
        finishDateTime=ValueSpec(column="city"),
    )
    refused = swapped.map(row(city="2026-12-23T12:00:00Z"))
    assert isinstance(refused, Rejected)
    assert refused.reason == "start_not_before_finish"
    big = spec(
        payload={f"p{n}": ValueSpec(column="city") for n in range(9)},
        zones=ZoneSpec(("phone",)),
        hours=HoursSpec(),
    )
    times = times_at(big, None)(datetime(2026, 11, 24, 12, tzinfo=UTC))
    too_long = Mapper(big, COLUMNS, times).map(row(city="x" * 9_000))
    assert isinstance(too_long, Rejected)
    assert too_long.reason == "body_too_long"
