"""The demo's export: ugly on purpose, the same each time, and no number in it can ring."""

from __future__ import annotations

import csv
import io

import pytest

from syncd.cli import demo, demo_data
from syncd.cli.demo_data import COLUMNS, ENCODING, Export, make_export
from syncd.cli.demo_ranges import CALLED, REFUSED, TOLL_FREE
from syncd.core import phone, zone
from syncd.sandbox.outcomes import MAGIC

LEADS = 2_000
REGION = "US"
FICTION = {int(number) for one in (*CALLED, TOLL_FREE, *REFUSED) for number in one.numbers()}


@pytest.fixture(scope="module")
def export() -> Export:
    """The export of the demo."""
    return make_export(LEADS)


@pytest.fixture(scope="module")
def rows(export: Export) -> list[list[str]]:
    """Its rows of the right width, without the header."""
    read = csv.reader(io.StringIO(export.encoded().decode(ENCODING), newline=""), delimiter=";")
    return [row for row in read if len(row) == len(COLUMNS) and row[0] != COLUMNS[0]]


def test_the_same_seed_gives_the_same_file(export: Export) -> None:
    """What the README shows is what everybody sees; another seed is another file."""
    assert make_export(LEADS).encoded() == export.encoded()
    assert make_export(LEADS, seed=2).encoded() != export.encoded()


def test_it_has_so_many_leads_from_some_twenty_countries(
    export: Export, rows: list[list[str]]
) -> None:
    """IDs are counted once; rows that repeat one or have none come on top."""
    assert len({row[0] for row in rows if row[0]}) == LEADS
    assert len(export.countries) >= 20
    assert len(export.zones) >= 40


def test_every_number_that_could_be_called_is_kept_for_fiction(rows: list[list[str]]) -> None:
    """Whatever the reader of phones makes of a cell, it is a number that nobody has."""
    read = {phone.normalise(row[column], REGION) for row in rows for column in (2, 3)}
    numbers = {number for number in read if isinstance(number, int)}
    assert len(numbers) > LEADS * 0.8
    assert numbers <= FICTION


def test_numbers_of_the_first_list_are_valid_in_every_spelling() -> None:
    """A spelling that is refused, or read as another number, would spoil the demo's counts."""
    wrong = [
        text
        for one in CALLED
        for number in list(one.numbers())[:3]
        for spell in (demo_data._NANP if number[0] == "1" else demo_data._ABROAD)
        if phone.normalise(text := spell(number), REGION) != int(number)
    ]
    assert wrong == []


def test_numbers_of_the_second_list_are_valid_in_no_spelling() -> None:
    """They show what a rejection is: phonenumbers knows no such number."""
    taken = [
        text
        for one in REFUSED
        for number in list(one.numbers())[:3]
        for spell in (demo_data._NANP if number[0] == "1" else demo_data._ABROAD)
        if isinstance(phone.normalise(text := spell(number), REGION), int)
    ]
    assert taken == []


def test_no_two_ranges_share_a_number() -> None:
    """Each lead of the export has a phone of its own unless the same person comes again."""
    assert len(FICTION) == sum(map(len, (*CALLED, TOLL_FREE, *REFUSED)))


def test_every_zone_of_a_range_is_one_that_the_vendor_takes() -> None:
    """A zone with a typing error would hold a whole country back."""
    named = {name for one in (*CALLED, *REFUSED) for name in one.zones}
    named |= set(demo_data._OFFSETS.values())
    assert [name for name in named if zone.canonical(name) is None] == []


def test_a_number_tells_one_zone_or_the_range_has_several() -> None:
    """Leads are held where neither the column nor the number tells the zone, and only there."""
    silent = [
        one.prefix
        for one in CALLED
        if phone.zone_of(int(next(one.numbers()))) is None and len(one.zones) == 1
    ]
    # Area codes with a second zone in the numbering data, and one place in the table.
    assert silent == ["170955501", "187655501"]


def test_it_is_ugly(export: Export) -> None:
    """Each trouble that the reader claims to cope with is in the file."""
    text = export.encoded().decode(ENCODING)
    assert text.startswith(";".join(COLUMNS))
    assert text.count(";".join(COLUMNS)) > 1
    for trouble in (
        "\r\n\r\n",
        "\r\n   \r\n",
        "-cut;Ann\r\n",
        "likes a;b;c",
        '"asked for a\noffer',
    ):
        assert trouble in text
    for spelling in ("8 (212)", "тел.: ", "доб. ", "0044", "011 ", " ext. ", "E+09", "\u00a0"):
        assert spelling in text


def test_every_magic_ending_is_there(rows: list[list[str]]) -> None:
    """So that the outcome table of the demo has each outcome that the sandbox knows."""
    read = {phone.normalise(row[2], REGION) for row in rows}
    assert set(MAGIC) <= {str(number)[-2:] for number in read if isinstance(number, int)}


@pytest.mark.parametrize("leads", [demo.LEADS_MIN, demo.LEADS_MAX])
def test_the_smallest_and_the_largest_export_can_be_made(leads: int) -> None:
    """The numbers kept for fiction suffice for the largest."""
    assert make_export(leads).leads == leads
