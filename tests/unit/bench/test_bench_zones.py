"""The figures of zones count what they say: numbers are valid, drawn alike, and each is counted."""

from __future__ import annotations

import phonenumbers
import pytest

from bench import numbers, zones_cost
from bench.table import Section, ZoneRow, markdown
from bench.zones_figures import table


@pytest.mark.parametrize("draw", [numbers.of_all_types, numbers.of_people])
def test_numbers_are_those_of_many_countries_and_the_same_at_each_run(draw: object) -> None:
    """Nine in ten are valid by the library: the rest fit a pattern that other rules narrow."""
    assert callable(draw)
    drawn = draw(300)
    assert drawn == draw(300)
    read = [phonenumbers.parse(f"+{number}") for number in drawn]
    assert sum(map(phonenumbers.is_valid_number, read)) > 270
    assert len({number.country_code for number in read}) > 100


def test_a_registry_gives_mobiles_one_clock() -> None:
    """Without it a Russian mobile may be on any clock; with it nearly all are on one."""
    rows = {cells[:2]: cells[2:] for cells in table(40, zones_cost.made_registry())}
    assert rows["Russia, mobiles", "no"] == ("0.0 %", "100.0 %", "0.0 %", "14")
    assert rows["Russia, mobiles", "yes"] == ("100.0 %", "0.0 %", "0.0 %", "84")


def test_a_table_of_costs_compares_with_its_first_row() -> None:
    """Cold costs as a ratio."""
    rows = [ZoneRow("decent", False, 10, 4.0, 2.0), ZoneRow("auto", True, 10, 6.0, 3.0)]
    text = markdown([Section("ten numbers", rows)], "a machine")
    assert "| auto   |      yes |    10 |          6.0 |          3.0 |          1.50 |" in text
