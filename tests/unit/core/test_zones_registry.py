"""The compiled Russian numbering registry."""

from __future__ import annotations

import pytest

from syncd.core.zones.registry import (
    Block,
    Registry,
    compiled,
    shares_of_russia,
)
from syncd.core.zones.subjects import ALL_RUSSIA
from syncd.errors import ConfigError

MOSCOW, SAMARA, OMSK = ("Europe/Moscow",), ("Europe/Samara",), ("Asia/Omsk",)
MIXED = ("Europe/Moscow", "Europe/Samara", "Europe/Saratov")
YAKUTIA = ("Asia/Yakutsk", "Asia/Ust-Nera", "Asia/Srednekolymsk")


def block(code: int, first: int, last: int, zones: tuple[str, ...]) -> Block:
    """Numbers `first` to `last` of a code."""
    start = 70_000_000_000 + code * 10_000_000
    return Block(start + first, start + last, zones)


def test_answers_at_every_edge() -> None:
    """A range holds its first and its last number, and no other; a gap has no answer."""
    registry = compiled(
        [block(900, 100, 199, SAMARA), block(900, 200, 299, MOSCOW), block(900, 400, 499, MOSCOW)],
        {},
    )
    answers = {
        last: registry.zones_of(f"7900{last:07d}")
        for last in (99, 100, 199, 200, 299, 300, 399, 400, 499, 500)
    }
    assert {last for last, answer in answers.items() if answer is None} == {99, 300, 399, 500}
    assert {last for last, answer in answers.items() if answer == (SAMARA, ())} == {100, 199}


def test_neighbours_are_merged_and_gaps_are_not_bridged() -> None:
    """Equal neighbours are one range, whatever their order; across a gap they are two."""
    registry = compiled(
        [block(900, 20, 29, MOSCOW), block(900, 0, 19, MOSCOW), block(900, 40, 49, MOSCOW)], {}
    )
    assert registry.ranges == 2
    assert registry.blocks() == [block(900, 0, 29, MOSCOW), block(900, 40, 49, MOSCOW)]


@pytest.mark.parametrize("digits", ["49301234567", "7900000010", "790000001000", "77012345678"])
def test_other_numbers_have_no_answer(digits: str) -> None:
    """Other countries' numbers, shorter and longer ones are nobody's here."""
    assert compiled([block(900, 0, 9_999_999, MOSCOW)], {}).zones_of(digits) is None
    assert compiled([], {}).zones_of(digits) is None


def test_overlaps_are_refused() -> None:
    """Two blocks with a common number are refused, and named."""
    with pytest.raises(ConfigError, match="overlap: 1 times") as refused:
        compiled([block(900, 0, 10, MOSCOW), block(900, 10, 20, SAMARA)], {})
    assert refused.value.problems[0].what == (
        "900 0000000 to 900 0000010 and 900 0000010 to 900 0000020 overlap"
    )


def test_shares_are_those_of_the_clocks() -> None:
    """Nationwide numbers are spread as those with one clock are; Yakutia's parts are unknown."""
    whole = [
        block(900 + at, 0, 9 if zone == "Europe/Moscow" else 0, (zone,))
        for at, zone in enumerate(ALL_RUSSIA)
    ]
    other = [
        block(950, 0, 9, ALL_RUSSIA),
        block(951, 0, 9, YAKUTIA),
        block(953, 0, 9, MIXED),
        block(952, 0, 9, ("Europe/Saratov",)),  # the clock of Samara
    ]
    registry = compiled([*whole, *other], {})
    everywhere = registry.zones_of("79500000000")
    assert everywhere is not None
    assert everywhere[0] == ALL_RUSSIA
    assert everywhere[1] == shares_of_russia(registry)
    assert everywhere[1][:4] == (10 / 30, 1 / 30, 1 / 30, 11 / 30)
    assert sum(everywhere[1]) == pytest.approx(1)
    assert registry.zones_of("79510000000") == (YAKUTIA, ())
    assert registry.zones_of("79530000000") == (MIXED, (10 / 21, 5.5 / 21, 5.5 / 21))
    assert registry.about["numbers"] == {"9": 60}
    assert (registry.about["one_clock"], registry.about["several_clocks"]) == (30, 30)
    assert shares_of_russia(compiled(other, {})) == ()


def test_bytes_are_read_back() -> None:
    """What was dumped is loaded as it was, with what is told about it."""
    registry = compiled([block(900, 0, 9, MOSCOW), block(495, 5, 9, ALL_RUSSIA)], {"source": "ё"})
    raw = registry.dump()
    again = Registry.load(raw)
    assert again.blocks() == registry.blocks()
    assert again.about == registry.about
    assert again.dump() == raw


def test_the_digest_is_of_the_data() -> None:
    """The same blocks imported on another day have the same digest, other blocks another."""
    blocks = [block(900, 0, 9, MOSCOW)]
    assert compiled(blocks, {}).digest == compiled(blocks, {"imported_at": "later"}).digest
    assert compiled(blocks, {}).digest != compiled([block(900, 0, 9, OMSK)], {}).digest


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda raw: b"", "is no compiled"),
        (lambda raw: b"<html>" + raw, "is no compiled"),
        (lambda raw: raw.replace(b" 1 ", b" 2 ", 1), "another version"),
        (lambda raw: raw[:-1], "cut or damaged"),
        (lambda raw: raw[:-1] + b"x", "cut or damaged"),
        (lambda raw: raw.partition(b"\n")[0], "cut or damaged"),
    ],
)
def test_other_bytes_are_refused(spoil: object, what: str) -> None:
    """Neither another file, nor another version's, nor a damaged one is used."""
    assert callable(spoil)
    raw = compiled([block(900, 0, 9, OMSK)], {}).dump()
    with pytest.raises(ConfigError, match=what):
        Registry.load(spoil(raw))
