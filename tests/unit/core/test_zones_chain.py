"""The chain that a sync's settings make, and the place of a number."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.core.columns import Columns
from syncd.core.refusal import BadValue
from syncd.core.spec import ZoneSpec
from syncd.core.zones.candidates import Candidates
from syncd.core.zones.chain_of import chain_of, places_reader
from syncd.core.zones.tz_tables import Clocks

CLOCKS = Clocks(datetime(2026, 11, 22, tzinfo=UTC))
COLUMNS = Columns(("id", "zone"))
LONDON = "442079460000"


def resolve(text: object, phone: str = LONDON, **spec: object) -> Candidates:
    given = {"steps": ("column", "phone"), "columns": {"column": "zone"}, **spec}
    chain = chain_of(ZoneSpec(**given), COLUMNS, None, CLOCKS)  # type: ignore[arg-type]
    return chain.resolve(("1", text), phone)


def test_the_first_step_that_knows_a_zone_wins() -> None:
    """The column is read as people write it; blank and unreadable ones fall to the number."""
    assert resolve("МСК+2").zones == ("+05:00",)
    assert resolve("").zones == resolve(None).zones == ("Europe/London",)
    unreadable = resolve("somewhere")
    assert unreadable.zones == ("Europe/London",)
    assert [one.step for one in unreadable.evidence] == ["column", "phone"]


def test_the_steps_are_asked_in_the_order_given() -> None:
    """With the number first, the column is not asked."""
    assert resolve("Asia/Tokyo", steps=("phone", "column")).zones == ("Europe/London",)


def test_a_default_answers_for_those_of_whom_nothing_is_known() -> None:
    """And only where it is written down; one that is no zone is refused."""
    satellite = "881612345678"
    assert resolve("", satellite).zones == ()
    assert resolve("", satellite, steps=("phone", "default"), default="UTC+3").zones == ("+03:00",)
    with pytest.raises(BadValue, match="is no zone"):
        resolve("", steps=("default",), default="nowhere")


def test_own_prefixes_come_before_the_tables() -> None:
    """Written as people write numbers."""
    found = resolve("", overrides={"+44 20": ("Asia/Tokyo",)})
    assert found.zones == ("Asia/Tokyo",)
    russian = {"steps": ("registry", "phone"), "overrides": {"+7 916": ("UTC+5",)}}
    assert resolve("", "79161234567", **russian).zones == ("+05:00",)
    assert len(resolve("", "79171234567", **russian).zones) == 11
    alone = resolve("", steps=("column",), overrides={"+44 20": ("Asia/Tokyo",)})
    assert alone.zones == ("Asia/Tokyo",)


@pytest.mark.parametrize(
    ("phone", "place"),
    [
        ("12125550100", (("US", "NY"),)),
        ("14165550100", (("CA", ""),)),
        ("18005550100", (("US", ""),)),
        ("79161234567", (("RU", ""),)),
        ("33612345678", (("FR", ""),)),
        ("881612345678", (("", ""),)),
        ("19995550100", (("", ""),)),
    ],
)
def test_a_number_tells_its_country_and_an_american_one_its_state(
    phone: str, place: tuple[tuple[str, str], ...]
) -> None:
    """By calling code and area code; a state that the record names goes first."""
    assert places_reader(ZoneSpec(()), COLUMNS)(("1", ""), phone) == place
    of_record = places_reader(ZoneSpec((), {"region": "zone"}), COLUMNS)
    assert of_record(("1", "Florida"), "12125550100") == (("US", "FL"),)


def test_every_step_has_its_column() -> None:
    """Region, city, post code and country in their order; the table of one's own counts."""
    columns = Columns(("zone", "region", "city", "zip", "country"))
    steps = ("column", "region", "city", "postcode", "country", "registry", "phone")
    named = {"column": "zone", "region": "region", "city": "city", "postcode": "zip"}
    spec = ZoneSpec(steps, {**named, "country": "country"}, table="value,zone\nHQ,Asia/Tokyo\n")
    chain = chain_of(spec, columns, None, CLOCKS)

    def step(*row: str) -> str:
        return chain.resolve(row, LONDON).evidence[-1].step

    assert step("UTC+1", "", "", "", "") == "column"
    assert step("", "Florida", "", "", "US") == "region"
    assert step("", "", "Chicago", "", "US") == "city"
    assert step("", "", "", "10001", "US") == "postcode"
    assert step("", "", "", "", "France") == "country"
    assert step("", "", "", "", "") == "phone"
    assert chain.resolve(("HQ", "", "", "", ""), LONDON).zones == ("Asia/Tokyo",)
    mapped = ZoneSpec(("column", "phone"), {"region": "region"})
    assert chain_of(mapped, columns, None, CLOCKS).resolve(("",) * 5, LONDON).zones
