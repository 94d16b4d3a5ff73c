"""Presets: every row, written a second time, and which one is chosen."""

from __future__ import annotations

from datetime import UTC, date, datetime

import phonenumbers
import pytest

from syncd.core.hours import holiday_dates as holidays_of
from syncd.core.hours.caps import Caps
from syncd.core.hours.dates import weeks_of
from syncd.core.hours.holiday_dates import holiday_dates
from syncd.core.hours.presets import (
    DEFAULT,
    SCOPES,
    NoPreset,
    Preset,
    auto,
    auto_of_all,
    intersection,
    named,
    places_of,
    presets,
)
from syncd.core.hours.slices import slice_at
from syncd.core.hours.us_states import state_named, states_of_number
from syncd.core.hours.week import parse
from syncd.core.refusal import BadValue

#: hours, policy, (day, week, month, 30 days), verified: each row again, against a slip of a key.
TABLE = {
    "ru-debt": ("mon-fri 8-22, sat-sun 9-20", "weekend", (1, 2, 8, None), True),
    "ru-ads": ("mon-sun 9-21", "none", None, False),
    "kz-debt": ("mon-fri 8-21", "closed", (3, None, None, None), True),
    "us-tcpa": ("mon-sun 8-21", "none", None, True),
    "us-debt": ("mon-sun 8-21", "none", None, True),
    "us-fl": ("mon-sun 8-20", "none", (3, None, None, None), True),
    "us-ok": ("mon-sun 8-20", "none", None, True),
    "us-wa": ("mon-sun 8-20", "none", None, True),
    "us-tx": ("mon-sat 9-21, sun 12-21", "none", None, False),
    "us-ri": ("mon-fri 9-18, sat 10-17", "closed", None, True),
    "us-sd-auto": ("mon-fri 9-21", "none", None, True),
    "us-nv": ("mon-sun 9-20", "none", None, False),
    "us-pa": ("mon-sat 9-21, sun 13:30-21", "closed", None, False),
    "us-al": ("mon-sat 8-20", "closed", None, False),
    "us-la": ("mon-sat 8-20", "closed", None, False),
    "us-ms": ("mon-sat 8-20", "none", None, False),
    "us-md": ("mon-sun 8-20", "none", None, False),
    "us-ma": ("mon-sun 8-20", "none", None, False),
    "us-ct": ("mon-sun 9-20", "none", None, False),
    "us-ky": ("mon-sun 10-21", "none", None, False),
    "us-mi": ("mon-sun 9-21", "none", None, False),
    "us-mn": ("mon-sun 9-21", "none", None, False),
    "us-nm": ("mon-sun 9-21", "none", None, False),
    "us-strict": ("mon-fri 10-18", "closed", (3, None, None, None), False),
    "ca-utr": ("mon-fri 9-21:30, sat-sun 10-18", "none", None, True),
    "gb-dma": ("mon-fri 8-21, sat 9-21", "closed", None, True),
    "de-ccv": ("mon-fri 8-20, sat 9-18", "closed", None, True),
    "fr-d223-9": ("mon-fri 10-13 14-20", "closed", (None, None, None, 4), True),
    "es-lgdcu": ("mon-fri 9-21", "closed", None, True),
    "it-codice": ("mon-fri 9-20, sat 10-19", "closed", None, True),
    "au-2017": ("mon-fri 9-20, sat 9-17", "closed", None, True),
    "br-conduta": ("mon-fri 9-21, sat 10-16", "closed", (2, None, 15, None), True),
    "in-trai": ("mon-sun 9-21", "none", None, False),
    "in-debt": ("mon-sun 8-19", "none", None, True),
    "ae-2024": ("mon-sun 9-18", "none", (1, 2, None, None), True),
    "mx-debt": ("mon-sun 7-22", "none", None, True),
    "pl-consent": ("mon-fri 8-20", "closed", None, False),
    "tr-iys": ("mon-sat 9-20", "closed", None, False),
    "decent": ("mon-sun 9-21", "none", None, False),
}  # fmt: skip


def hour(text: str) -> str:
    """`8` is 08:00."""
    hours, _, minutes = text.partition(":")
    return f"{int(hours):02}:{minutes or '00'}"


def told(hours: str) -> dict[str, list[str]]:
    """The short notation of the table as a configuration's texts."""
    days = (one.split() for one in hours.split(", "))
    return {day: ["-".join(map(hour, span.split("-"))) for span in spans] for day, *spans in days}


def chosen(country: str, region: str, scope: str) -> str:
    """The name of the preset that is chosen, or what is said instead."""
    found = auto(country, region, scope)  # type: ignore[arg-type]
    return found.id if isinstance(found, Preset) else str(found)


@pytest.mark.parametrize("name", TABLE)
def test_a_row_is_what_its_sources_say(name: str) -> None:
    """Hours, what holidays do, caps and the flag."""
    hours, policy, caps, verified = TABLE[name]
    row = named(name)
    assert row is not None
    assert row.week == parse(told(hours))
    assert (row.policy, row.verified) == (policy, verified)
    assert row.caps == Caps(*(caps or ()))
    assert row.guard_min == 1
    assert row.sources
    assert row.version <= date(2026, 11, 22)
    assert set(row.scopes) <= set(SCOPES)


def test_no_row_is_missing_and_none_is_made_up() -> None:
    """The default comes first, the others by name."""
    assert list(presets()) == [DEFAULT, *sorted(set(TABLE) - {DEFAULT})]
    assert named("nobody") is None


@pytest.mark.parametrize(
    "name", ["ru-ads", "fr-d223-9", "es-lgdcu", "pl-consent", "de-ccv", "ca-utr"]
)
def test_a_duty_of_consent_is_told(name: str) -> None:
    """Consent is no hour, so it stands in the notes of each preset that has the duty."""
    row = named(name)
    assert row is not None
    assert any(note.startswith("Consent: ") for note in row.notes)


def test_a_state_is_never_wider_than_the_federal_rule() -> None:
    """A state's row alone is enough: it keeps the federal hours too."""
    federal = named("us-tcpa")
    assert federal is not None
    for row in presets().values():
        if row.country == "US":
            assert row.week & federal.week == row.week


@pytest.mark.parametrize(
    ("country", "region", "scope", "expected"),
    [
        ("ru", "", "debt", "ru-debt"),
        ("RU", "", "telemarketing", "ru-ads"),
        ("RU", "", "service", "no preset for service in RU"),
        ("KZ", "", "telemarketing", "no preset for telemarketing in KZ"),
        ("", "", "debt", "no preset for debt in an unknown country"),
        ("US", "FL", "telemarketing", "us-fl"),
        ("US", "Florida", "telemarketing", "us-fl"),
        ("US", "US-SD", "telemarketing", "us-sd-auto"),
        ("US", "CA", "telemarketing", "us-tcpa"),
        ("US", "FL", "debt", "us-debt"),
        ("US", "", "telemarketing", "us-strict"),
        ("US", "Atlantis", "telemarketing", "us-strict"),
        ("US", "", "debt", "us-debt"),
        ("PR", "", "telemarketing", "us-tcpa"),
        ("US", "PR", "telemarketing", "us-tcpa"),
        ("GB", "SCT", "telemarketing", "gb-dma"),
    ],
)
def test_auto_takes_the_country_the_state_and_the_scope(
    country: str, region: str, scope: str, expected: str
) -> None:
    """A state that is not known may be any; a country without a row has no preset."""
    assert chosen(country, region, scope) == expected


def test_several_places_keep_the_rules_of_all() -> None:
    """Florida or Texas: 9-20, on Sunday from noon, three calls a day; one without a rule: none."""
    both = auto_of_all([("US", "FL"), ("US", "TX"), ("US", "FL")], "telemarketing")
    assert isinstance(both, Preset)
    assert both.id == "us-fl + us-tx"
    assert both.week == parse(told("mon-sat 9-20, sun 12-20"))
    assert (both.jurisdiction, both.caps, both.policy) == ("US", Caps(day=3), "none")
    assert both.scopes == ("telemarketing",)
    assert auto_of_all([("US", "FL"), ("KZ", "")], "telemarketing") == NoPreset(
        "KZ", "telemarketing"
    )
    assert auto_of_all([], "debt") == NoPreset("", "debt")
    assert auto_of_all([("US", "TX")], "telemarketing") == named("us-tx")


@pytest.mark.parametrize(
    ("country", "region", "digits", "expected"),
    [
        ("US", "", "18505550100", "us-fl"),
        ("US", "Texas", "18505550100", "us-tx"),
        ("us", "Somewhere", "18505550100", "us-strict"),
        ("US", "", "18005550100", "us-strict"),
        ("US", "", "12015550100", "us-tcpa"),
        ("FR", "Bretagne", "33123456789", "fr-d223-9"),
    ],
)
def test_a_state_comes_from_the_record_or_else_from_the_area_code(
    country: str, region: str, digits: str, expected: str
) -> None:
    """A record knows better than a number that moved; unread, or without both: the strictest."""
    found = auto_of_all(places_of(country, region, digits), "telemarketing")
    assert isinstance(found, Preset)
    assert found.id == expected


def test_presets_of_several_countries_meet() -> None:
    """Each closes its own holidays; what they do not share has no name."""
    rows = [row for name in ("ru-debt", "kz-debt", "us-fl") if (row := named(name)) is not None]
    both = intersection(rows[:2])
    assert (both.country, both.jurisdiction, both.policy) == ("", "any", "closed")
    assert both.places == (("RU", ""), ("KZ", ""))
    assert both.caps == Caps(day=1, week=2, month=8)
    assert intersection(rows[::2]).policy == "weekend"
    assert intersection(rows[1:]).scopes == ()
    dates = holiday_dates(both.places, [2026])
    assert {date(2026, 12, 16), date(2026, 11, 4)} <= dates.holidays
    assert dates.decreed_until == 2025


def test_the_holidays_of_russia_have_their_transfers() -> None:
    """2026 and 2027 as the decrees have them; later years are said to be incomplete."""
    dates = holiday_dates([("RU", "")], [2026, 2027])
    moved = {date(2026, 1, 9), date(2026, 12, 31), date(2027, 2, 22), date(2027, 11, 5)}
    assert moved <= dates.holidays
    assert dates.workdays == {date(2027, 2, 20)}
    assert dates.decreed_until is not None
    assert dates.decreed_until >= 2027
    assert holidays_of.data_version()


def test_holidays_of_regions_and_of_no_place() -> None:
    """2 January is a holiday in Scotland only; a country that is not known is an error."""
    row = named("gb-dma")
    assert row is not None
    assert date(2026, 1, 2) in holiday_dates(row.places, [2026]).holidays
    assert date(2026, 1, 2) not in holiday_dates([("GB", "ENG")], [2026]).holidays
    assert holiday_dates([], [2026]).holidays == frozenset()
    assert holiday_dates([("US", "RI")], [2026]).decreed_until is None
    for place, said in ((("XX", ""), "XX"), (("RU", "TA"), "RU-TA")):
        with pytest.raises(BadValue, match=f"no holidays are known of {said}"):
            holiday_dates([place], [2026])


def test_every_preset_with_a_calendar_has_one() -> None:
    """The package knows the holidays of each place that a preset names."""
    for row in presets().values():
        assert bool(row.places) == (row.policy != "none")
        assert holiday_dates(row.places, [2027]).holidays or not row.places


def test_a_debtor_in_russia_has_weekend_hours_on_a_holiday_inside_own_hours() -> None:
    """The whole way: own hours within the law, a holiday, a working Saturday, one more day off."""
    row = named("ru-debt")
    assert row is not None
    own = weeks_of(parse({"mon-sat": ["08:00-19:00"]}))
    dates = holiday_dates(row.places, [2027]).with_own(closed=[date(2027, 2, 24)])
    start = datetime(2027, 2, 17, 21, tzinfo=UTC)  # Thursday 00:00 in Moscow
    found = slice_at(["Europe/Moscow"], row.weeks & own, dates, start, start.replace(month=4))
    assert found.hours is not None
    assert {day: str(one) for day, (one,) in found.hours.hours.items()} == {
        "thu": "08:00-19:00", "fri": "08:00-19:00", "sat": "08:00-19:00",  # Saturday works
        "mon": "09:00-19:00", "tue": "09:00-19:00",  # 22 and 23 February; the 24th is closed
    }  # fmt: skip


def test_a_state_is_found_by_what_people_write() -> None:
    """Codes, names, any case; anything else is no state."""
    for text in ("NY", "ny", "New York", "new-york", "US-NY", " NY "):
        assert state_named(text) == "NY"
    assert [state_named(text) for text in ("Washington, D.C.", "dc", "Ontario", "")] == [
        "DC", "DC", "", "",
    ]  # fmt: skip


def test_a_number_has_the_state_of_its_area_code() -> None:
    """Overlays too; toll-free numbers and other countries have none."""
    assert states_of_number("18505550100") == ("FL",)
    assert states_of_number("14485550100") == ("FL",)
    assert states_of_number("12125550100") == ("NY",)
    for digits in ("18005550100", "14165550100", "79161234567"):
        assert states_of_number(digits) == ()


def test_no_area_code_of_the_us_is_missing() -> None:
    """Each area code in which a geographic number of the US is valid has a state."""
    lacking = []
    for code in range(200, 1000):
        number = phonenumbers.PhoneNumber(country_code=1, national_number=code * 10**7 + 2_345_678)
        geographic = phonenumbers.number_type(number) in (0, 1, 2)
        of_us = geographic and phonenumbers.region_code_for_number(number) == "US"
        if of_us and not states_of_number(f"1{number.national_number}"):
            lacking.append(code)
    assert lacking == []
