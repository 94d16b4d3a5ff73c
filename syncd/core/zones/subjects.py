"""The subjects of the Russian Federation and their time zones: the one table of them.

The table is package data (`data/zones/ru_subjects.csv`, which names its sources); names are
compared without case, punctuation and words such as "край" or "Республика". This module must
never guess: a name that is not in the table has no zones, and Moscow is not a default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Final

#: The zones of the table by clock (equal offsets all year), both in the order in which Russian
#: mobile numbers are spread over them; the first of a clock stands for it. A test compares this
#: with the packaged tzdata.
CLOCKS: Final[tuple[tuple[str, ...], ...]] = (
    ("Europe/Moscow",),
    ("Asia/Yekaterinburg", "Asia/Qyzylorda"),
    (
        "Asia/Krasnoyarsk",
        "Asia/Novosibirsk",
        "Asia/Novokuznetsk",
        "Asia/Barnaul",
        "Asia/Tomsk",
    ),
    ("Europe/Samara", "Europe/Saratov", "Europe/Ulyanovsk", "Europe/Astrakhan"),
    ("Asia/Vladivostok", "Asia/Ust-Nera"),
    ("Asia/Irkutsk",),
    ("Asia/Omsk",),
    ("Asia/Yakutsk", "Asia/Chita"),
    ("Europe/Kaliningrad",),
    ("Asia/Sakhalin", "Asia/Magadan", "Asia/Srednekolymsk"),
    ("Asia/Kamchatka", "Asia/Anadyr"),
)

#: One zone of each of the eleven clocks, the likeliest first: +3 5 7 4 10 8 6 9 2 11 12.
ALL_RUSSIA: Final[tuple[str, ...]] = tuple(zones[0] for zones in CLOCKS)

_TABLE = "data/zones/ru_subjects.csv"
_WORD = re.compile(r"[^\W_]+")
_CLOCK: Final = {zone: at for at, zones in enumerate(CLOCKS) for zone in zones}


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject by its name in the registry, its other names, and its zones, likeliest first."""

    name: str
    others: tuple[str, ...]
    zones: tuple[str, ...]


def clock(zone: str) -> int | None:
    """The place of a zone's clock in `CLOCKS`; None for a zone that is not in the table."""
    return _CLOCK.get(zone)


@lru_cache(maxsize=4096)  # a file of leads has few regions and many rows
def zones_of_subject(text: str) -> tuple[str, ...]:
    """The zones of the subject that `text` names, the likeliest first; () when it names none.

    "Российская Федерация" names all of them: one zone of each of the eleven clocks.
    """
    return _zones_by_key().get(_key(text), ())


@cache
def subjects() -> tuple[Subject, ...]:
    """The table, in the order of its file."""
    found = []
    for line in _lines():
        zones, name, others = line.split(";")
        ids = ALL_RUSSIA if zones == "*" else tuple(zones.split())
        found.append(Subject(name, tuple(filter(None, others.split("|"))), ids))
    return tuple(found)


@cache
def _lines() -> tuple[str, ...]:
    """The lines with subjects: no comments, and not the words that do not count."""
    table = resources.files("syncd").joinpath(_TABLE).read_text(encoding="utf-8")
    return tuple(line for line in table.splitlines() if line[0] not in "#-")


@cache
def _idle_words() -> frozenset[str]:
    table = resources.files("syncd").joinpath(_TABLE).read_text(encoding="utf-8")
    words = next(line for line in table.splitlines() if line[0] == "-")
    return frozenset(words[2:].split())


@cache
def _zones_by_key() -> dict[str, tuple[str, ...]]:
    return {
        _key(name): subject.zones
        for subject in subjects()
        for name in (subject.name, *subject.others)
    }


def _key(text: str) -> str:
    """What is compared: words in lower case, without those that only tell the kind of subject."""
    words = _WORD.findall(text.lower().replace("ё", "е"))
    return " ".join(word for word in words if word not in _idle_words())
