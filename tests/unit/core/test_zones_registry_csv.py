"""Rows of the official files of the numbering registry."""

from __future__ import annotations

import pytest

from syncd.core.zones import registry_csv
from syncd.core.zones.registry import Block
from syncd.core.zones.registry_csv import RegistryFile, zones_of_territory
from syncd.core.zones.subjects import ALL_RUSSIA
from syncd.errors import ConfigError

HEADER = "АВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН"
MOSCOW = ("Europe/Moscow",)


def row(territory: str, *, first: int = 0, last: int = 9, operator: str = 'ООО "А"') -> str:
    """A row of the code 900."""
    size = last - first + 1
    return f"900;{first:07d};{last:07d};{size};{operator};-;{territory};7743895280"


def read(*rows: str, header: str = HEADER) -> RegistryFile:
    """The file of these rows."""
    return registry_csv.read([header, *rows], "DEF-9xx.csv")


@pytest.mark.parametrize(
    "header",
    [
        "\ufeff" + HEADER + "\r\n",
        HEADER.replace("АВС", "ABC"),  # Latin letters
        HEADER.replace("АВС/ DEF", "АВС/DEF"),
        HEADER.replace("Емкость", "Ёмкость"),
        HEADER.removesuffix(";ИНН"),
    ],
)
def test_headers_of_the_registry(header: str) -> None:
    """The letters of the first name, the byte order mark and the last column may differ."""
    line = row("Город Москва")
    if "ИНН" not in header:
        line = line.rpartition(";")[0]
    assert read(line + "\r\n", "\n", header=header).blocks == [
        Block(79_000_000_000, 79_000_000_009, MOSCOW)
    ]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "<!DOCTYPE html>",
        "АВС/ DEF;От;До;Емкость;Оператор;Регион",
        HEADER.replace("Территория ГАР", "Город"),
        HEADER.replace(";", ","),
        HEADER.replace("От;До", "До;От"),
    ],
)
def test_other_headers_are_refused(header: str) -> None:
    """A page of errors, an older file and another table are refused before any row."""
    with pytest.raises(ConfigError, match="the header is not the registry's"):
        read(row("Город Москва"), header=header)
    with pytest.raises(ConfigError, match="the header"):
        registry_csv.read([], "DEF-9xx.csv")


@pytest.mark.parametrize(
    ("cell", "zones"),
    [
        ("Город Москва, Московская область", MOSCOW),
        ("г. Норильск|г.о. город Норильск|Красноярский край", ("Asia/Krasnoyarsk",)),
        ("г. А|Самарская область, г. Б|Омская область", ("Europe/Samara", "Asia/Omsk")),
        ("Омская область,Самарская область", ("Europe/Samara", "Asia/Omsk")),
        ("Республика Саха (Якутия)", ("Asia/Yakutsk", "Asia/Ust-Nera", "Asia/Srednekolymsk")),
        ("Российская Федерация", ALL_RUSSIA),
        (
            "Иные территории, включая город и космодром Байконур",
            ("Europe/Moscow", "Asia/Qyzylorda"),
        ),
        ("Атлантида", ()),
        ("Омская область, Атлантида", ()),
        ("-", ()),
        ("", ()),
    ],
)
def test_territories(cell: str, zones: tuple[str, ...]) -> None:
    """Several subjects are the union, likeliest clock first; one that is not known spoils all."""
    assert zones_of_territory(cell) == zones


def test_an_unknown_territory_may_be_anywhere() -> None:
    """It gets all eleven clocks, never Moscow's, and its numbers are counted."""
    found = read(row("Атлантида"), row("Атлантида", first=10, last=12))
    assert {block.zones for block in found.blocks} == {ALL_RUSSIA}
    assert found.unknown == {"Атлантида": 13}


@pytest.mark.parametrize(
    "line",
    [
        "<p>Error</p>",
        "900;0000000;0000009;10;ООО;-;Город Москва",
        "900;0000000;0000009;11;ООО;-;Город Москва;1",
        "900;0000009;0000000;-8;ООО;-;Город Москва;1",
        "900;000000;0000009;10;ООО;-;Город Москва;1",
        "700;0000000;0000009;10;ООО;-;Город Москва;1",
        "9000;0000000;0000009;10;ООО;-;Город Москва;1",
        "900;0000000;x;10;ООО;-;Город Москва;1",
        row("Город Москва", operator="x" * 5000 + ";"),
    ],
)
def test_rows_that_are_none(line: str) -> None:
    """A row that is cut, or whose numbers do not agree, refuses the file with its line."""
    with pytest.raises(ConfigError, match="rows are not understood") as refused:
        read(row("Город Москва"), line)
    assert refused.value.problems[0].where == "DEF-9xx.csv, line 3"


def test_only_the_first_bad_rows_are_told() -> None:
    """Another form of file is not answered with thousands of lines."""
    with pytest.raises(ConfigError) as refused:
        read(*["x"] * 50)
    assert len(refused.value.problems) == 5


def test_a_quoted_delimiter() -> None:
    """An operator's name with a ";" is read when it is quoted, and quotes alone mean nothing."""
    found = read(
        row("Город Москва", operator='"ООО ""А; Б"""'),
        row("Город Москва", operator='"ООО', first=10, last=10),
    )
    assert [block.last for block in found.blocks] == [79_000_000_009, 79_000_000_010]


def test_too_few_rows() -> None:
    """A part of the registry is refused; mobiles are counted by themselves."""
    mobiles = [Block(79_000_000_000 + at, 79_000_000_000 + at, MOSCOW) for at in range(15_000)]
    landlines = [Block(74_950_000_000 + at, 74_950_000_000 + at, MOSCOW) for at in range(15_000)]
    registry_csv.refuse_too_few(mobiles)
    registry_csv.refuse_too_few(landlines)
    with pytest.raises(ConfigError, match="14,999 rows are too few"):
        registry_csv.refuse_too_few(mobiles[1:])
    with pytest.raises(ConfigError, match="1 rows of mobiles are too few"):
        registry_csv.refuse_too_few([*landlines, mobiles[0]])
