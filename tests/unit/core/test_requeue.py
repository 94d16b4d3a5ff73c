"""Whether a queued window would be another one today."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.core import requeue
from syncd.core.call_window import CallWindow
from syncd.core.columns import Columns
from syncd.core.requeue import Queued, Recheck
from syncd.core.spec import HoursSpec, MappingSpec, ZoneSpec
from syncd.core.sync_times import times_at

NOW = datetime(2026, 11, 24, 23, 59, 58, tzinfo=UTC)
LATER = NOW + timedelta(days=9)
COLUMNS = ("id", "phone", "oblast", "land")
REGION = "Новосибирская область"
BERLIN, MOSCOW = 4930123456, 74951234567
PLACES = ZoneSpec(("region", "phone"), {"region": "oblast"})
PHONE = ZoneSpec(("phone",))
DECENT = HoursSpec()
CLOSED = HoursSpec(closed=("2026-12-24",))


def made(number: int, region: str, zones: ZoneSpec, hours: HoursSpec) -> CallWindow:
    spec = MappingSpec(("id",), ("phone",), None, {}, {}, None, zones=zones, hours=hours)
    row = ("1", str(number), region, "")
    return times_at(spec, None)(NOW)(Columns(COLUMNS)).window(row, number)


def check(zones: ZoneSpec = PHONE, hours: HoursSpec = DECENT) -> Recheck:
    return Recheck(hours, zones, None, LATER)


def queued(window: CallWindow) -> Queued:
    return Queued(window.basis.decode(), window.fields.decode(), NOW - timedelta(seconds=4))


@pytest.mark.parametrize("hours", [DECENT, CLOSED])
def test_time_alone_changes_nothing(hours: HoursSpec) -> None:
    """Days later the same is worked out, as of then; and other settings give other hours."""
    window = made(BERLIN, "", PHONE, hours)
    rechecked = check(hours=hours)
    for _ in range(2):
        assert not rechecked.differs(queued(window), BERLIN, window.finish_at)
    assert check(hours=HoursSpec(week={"mon": ("10:00-11:00",)})).differs(
        queued(window), BERLIN, None
    )


def test_a_slice_that_began_later_is_made_from_its_start() -> None:
    """Its start stands in what was sent."""
    first = made(BERLIN, "", PHONE, CLOSED)
    rechecked = check(hours=CLOSED)
    assert first.finish_at is not None
    renewal = requeue.Renewal(CLOSED, NOW)
    until = NOW + timedelta(days=60)
    second = renewal.window(first.basis.decode(), BERLIN, until, first.finish_at)
    assert not rechecked.differs(queued(second), BERLIN, until)


def test_zones_are_looked_for_by_what_was_read() -> None:
    """The number by the number, a place by its text; what cannot be read again stays."""
    by_number = made(BERLIN, "", PLACES, DECENT).basis.decode()
    by_place = made(MOSCOW, "Новосибирская область", PLACES, DECENT).basis.decode()
    rechecked = check(PLACES)
    assert (rechecked.by_number(by_number), rechecked.by_number(by_place)) == (True, False)
    assert rechecked.basis(by_number, BERLIN) == by_number
    assert rechecked.basis(by_place, MOSCOW) == by_place
    table = f"value,zone\n{REGION},Asia/Omsk"
    moved = check(replace(PLACES, table=table))
    assert '"zones":["+06:00"]' in moved.basis(by_place, MOSCOW).replace("Asia/Omsk", "+06:00")
    masked = by_place.replace("Новосибирская", "…")
    assert rechecked.basis(masked, MOSCOW) == masked
    abroad = check(replace(PHONE, overrides={"+4930": ("Asia/Tokyo", "Asia/Omsk")}))
    assert "Asia/Tokyo" in abroad.basis(by_number.replace('["region"', '["phone"'), BERLIN)


def test_what_does_not_tell_all_is_left_as_it_is() -> None:
    """A zone of the mapping's own; a place that was read in a country of another column."""
    by_place = made(MOSCOW, "Новосибирская область", PLACES, DECENT).basis.decode()
    assert check(PHONE).basis(by_place, MOSCOW) == by_place
    with_country = ZoneSpec(("region",), {"region": "oblast", "country": "land"})
    assert check(with_country).basis(by_place, MOSCOW) == by_place
    by_number = made(BERLIN, "", PHONE, DECENT).basis.decode()
    assert check(replace(with_country, steps=("phone",))).basis(by_number, BERLIN) == by_number


def test_shares_come_and_go_with_the_zones() -> None:
    """They are of the zones that were found."""
    plain = made(BERLIN, "", PHONE, DECENT).basis.decode()
    told: dict[str, Any] = {"zones": ["Asia/Tokyo"], "shares": [1.0]}
    found = requeue.Candidates(("Asia/Omsk",), (), (1.0,))
    assert '"shares":[1.0]' in requeue._with_zones(told, found)
    assert "shares" not in requeue._with_zones(told, replace(found, shares=()))
    assert "shares" not in plain


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than is kept begins anew, and is the same."""
    monkeypatch.setattr(requeue, "_KEPT_MAX", 1)
    monkeypatch.setattr(requeue, "_MOMENTS_MAX", 1)
    rechecked = check()
    for day, number in enumerate((BERLIN, MOSCOW, BERLIN)):
        window = made(number, "", PHONE, DECENT)
        later = queued(window)._replace(made_at=NOW + timedelta(days=day))
        assert rechecked.basis(window.basis.decode(), number) == window.basis.decode()
        assert not rechecked.differs(later, number, None)
