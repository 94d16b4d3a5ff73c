"""Steps that read a column: what they answer, pass, and show."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from syncd.core.getters import MISSING, Row
from syncd.core.refusal import BadValue
from syncd.core.zones.candidates import Chain, Evidence
from syncd.core.zones.phone_zones import PhoneStep
from syncd.core.zones.places.own_table import read_own_table
from syncd.core.zones.steps import (
    CityStep,
    ColumnStep,
    CountryOf,
    CountryStep,
    DefaultStep,
    PostcodeStep,
    RegionStep,
)
from syncd.core.zones.tz_tables import Clocks

CLOCKS = Clocks(datetime(2026, 11, 22, tzinfo=UTC))
US = "12125550123"
OWN = read_own_table("North,Europe/Moscow\n", "zones.csv")


def first(row: Row) -> object:
    return row[0]


def second(row: Row) -> object:
    return row[1]


def test_a_column_of_zones() -> None:
    """A zone is read, an own value is found, and the rest is shown and passed."""
    step = ColumnStep(first, OWN)
    assert step.ask(["МСК+2"], US) == Evidence("column", "МСК+2", ("+05:00",))
    assert step.ask(["north"], US) == Evidence(
        "column", "north", ("Europe/Moscow",), "by your own table"
    )
    odd = step.ask(["EST"], US)
    assert odd is not None
    assert (odd.zones, odd.note) == ((), "no zone that is known, or more than one meaning")
    assert step.ask(["EST"], US) is odd
    assert ColumnStep(first).ask(["Europe/Kiev"], US) == Evidence(
        "column", "Europe/Kiev", ("Europe/Kyiv",)
    )


@pytest.mark.parametrize("value", [None, "", "  ", MISSING, float("nan")])
def test_a_blank_cell_is_no_evidence(value: object) -> None:
    """Where nothing is written nothing is said."""
    for step in (ColumnStep(first), RegionStep(first, CountryOf()), CountryStep(first, CLOCKS)):
        assert step.ask([value], US) is None


def test_a_cell_that_cannot_be_read_is_blank() -> None:
    """A value that no text can be made of passes, and does not stop the poll."""

    def bad(_: Row) -> object:
        raise BadValue("no")

    assert ColumnStep(bad).ask([], US) is None


def test_a_place_is_read_in_the_country_of_the_column_or_of_the_number() -> None:
    """The state CA is California for an American, and for a Canadian it is no region."""
    alone = RegionStep(first, CountryOf())
    both = RegionStep(first, CountryOf(second))
    assert alone.ask(["CA"], US) == Evidence("region", "CA", ("America/Los_Angeles",), "in US")
    assert alone.ask(["CA"], "14165550123") == Evidence("region", "CA", (), "not known in CA")
    assert alone.ask(["CA"], "88112345") == Evidence("region", "CA", (), "its country is not known")
    assert both.ask(["NT", "Australia"], US) == Evidence(
        "region", "NT", ("Australia/Darwin",), "in AU"
    )
    assert both.ask(["CA", ""], US) == both.ask(["CA", "Narnia"], US) == alone.ask(["CA"], US)


def test_towns_and_post_codes() -> None:
    """Each kind of place has its table; numbers of a spreadsheet are texts."""
    assert CityStep(first, CountryOf()).ask(["Омск"], "79161234567") == Evidence(
        "city", "Омск", ("Asia/Omsk",), "in RU"
    )
    for value in (90210, 90210.0, Decimal(90210), "90210"):
        assert PostcodeStep(first, CountryOf()).ask([value], US) == Evidence(
            "postcode", "90210", ("America/Los_Angeles",), "in US"
        )
    own = CityStep(first, CountryOf(), OWN).ask(["North"], US)
    assert own == Evidence("city", "North", ("Europe/Moscow",), "by your own table")


def test_countries() -> None:
    """One clock is an answer; several are left to the number, if it is of that country."""
    step = CountryStep(first, CLOCKS)
    assert step.ask(["Germany"], US) == Evidence("country", "Germany", ("Europe/Berlin",))
    assert step.ask(["Narnia"], US) == Evidence("country", "Narnia", (), "no country that is known")
    assert step.ask(["USA"], US) == Evidence(
        "country", "USA", (), "several clocks: the number says more"
    )
    abroad = step.ask(["Spain"], US)
    assert abroad == Evidence(
        "country", "Spain", ("Europe/Madrid", "Atlantic/Canary"), "several clocks"
    )
    last = CountryStep(first, CLOCKS, refine=False).ask(["USA"], US)
    assert last is not None
    assert len(last.zones) == 8


def test_a_default_is_written_down() -> None:
    """The default answers for all."""
    assert DefaultStep(["+03:00"]).ask([], US) == Evidence("default", "+03:00", ("+03:00",))


def test_no_phone_is_shown() -> None:
    """A column of phones, taken by mistake, does not get into evidence; long texts are cut."""
    wrong = ColumnStep(first).ask(["+7 916 123-45-67"], US)
    assert wrong is not None
    assert "916" not in wrong.value
    long = ColumnStep(first).ask(["x" * 500], US)
    assert long is not None
    assert len(long.value) == 80


def test_what_is_kept_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of many values can't fill the memory."""
    monkeypatch.setattr("syncd.core.zones.steps._MAX_KEPT", 2)
    step = ColumnStep(first)
    for text in "abc":
        step.ask([text], US)
    assert len(step._kept._kept) == 1


def test_a_whole_chain() -> None:
    """A record that names nothing falls through to its number, and the way is evidence."""
    chain = Chain(
        [
            ColumnStep(first),
            CountryStep(second, CLOCKS),
            PhoneStep(CLOCKS),
            DefaultStep(["+00:00"]),
        ],
        CLOCKS,
    )
    found = chain.resolve(["EST", "USA"], US)
    assert found.zones == ("America/New_York",)
    assert [each.step for each in found.evidence] == ["column", "country", "phone"]
    assert chain.resolve(["", ""], "88112345").zones == ("+00:00",)
