"""The real numbering registry, where a copy is at hand: it is no part of the project.

SYNCD_TEST_NUMBERING_CSV=DEF-9xx.csv pytest -s tests/integration/test_numbering_real_file.py
"""

from __future__ import annotations

import csv
import os
import random
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.clock import SystemClock
from syncd.core.zones.registry import Registry
from syncd.core.zones.subjects import clock
from syncd.numbering.bring import bring_in
from syncd.numbering.download import Downloads

FILE = os.environ.get("SYNCD_TEST_NUMBERING_CSV", "")
DRAWN = 20_000

pytestmark = pytest.mark.skipif(
    not FILE, reason="SYNCD_TEST_NUMBERING_CSV names no copy of DEF-9xx.csv"
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The copy, imported and loaded again; its figures are printed."""
    place = tmp_path_factory.mktemp("numbering") / "numbering.bin"
    downloads = Downloads(SystemClock())
    began_s = time.perf_counter()
    bring_in([FILE], place, downloads, now=datetime(2026, 11, 22, tzinfo=UTC))
    taken_s = time.perf_counter() - began_s
    downloads.close()
    raw = place.read_bytes()
    loaded = Registry.load(raw)
    print(  # noqa: T201 - what `pytest -s` is for
        f"\n{loaded.about['rows']:,} rows, {loaded.ranges:,} ranges, {len(raw):,} bytes,"
        f" imported in {taken_s:.2f} s"
    )
    return loaded


def test_numbers_drawn_by_capacity_have_one_clock(registry: Registry) -> None:
    """99 in 100 numbers have exactly one clock, each look-up costs a microsecond or so."""
    blocks = registry.blocks()
    sizes = [block.last - block.first + 1 for block in blocks]
    draw = random.Random(20_000)
    numbers = [
        str(draw.randint(block.first, block.last)) for block in draw.choices(blocks, sizes, k=DRAWN)
    ]
    began_s = time.perf_counter()
    answers = [registry.zones_of(number) for number in numbers]
    each_us = (time.perf_counter() - began_s) / DRAWN * 1e6
    one = sum(
        answer is not None and len({clock(zone) for zone in answer[0]}) == 1 for answer in answers
    )
    print(f"\n{one / DRAWN:.2%} have one clock; {each_us:.2f} µs each")  # noqa: T201 - as above
    assert one / DRAWN >= 0.99
    assert registry.about["unknown"] == []


@pytest.mark.parametrize(
    ("prefix", "subject", "zone"),
    [
        ("79147", "Приморский край", "Asia/Vladivostok"),
        ("79242", "Приморский край", "Asia/Vladivostok"),
        ("79139", "Новосибирская область", "Asia/Novosibirsk"),
        ("791145", "Калининградская область", "Europe/Kaliningrad"),
        ("792171", "Калининградская область", "Europe/Kaliningrad"),
        ("791222", "Свердловская область", "Asia/Yekaterinburg"),
        ("791488", "Иркутская область", "Asia/Irkutsk"),
        ("791462", "Камчатский край", "Asia/Kamchatka"),
        ("79276", "Самарская область", "Europe/Samara"),
    ],
)
def test_known_prefixes(registry: Registry, prefix: str, subject: str, zone: str) -> None:
    """The blocks of a region inside a known prefix have its zone, up to both of their ends."""
    with Path(FILE).open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter=";") if row[6] == subject]
    low, high = (int(prefix.ljust(11, digit)) for digit in "09")
    blocks = [(int(f"7{row[0]}{row[1]}"), int(f"7{row[0]}{row[2]}")) for row in rows]
    inside = [
        number
        for first, last in blocks
        if first <= high and last >= low
        for number in (max(first, low), min(last, high))
    ]
    assert inside
    assert {registry.zones_of(str(number)) for number in inside} == {((zone,), ())}
