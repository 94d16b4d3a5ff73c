"""Tables of names of places: regions and towns of countries that have several clocks.

A name is looked up as it stands, then without words that only tell its kind ("обл.", "Oblast"),
then, for Russia, by its sound in Latin letters, which people write in a dozen ways. In a text of
several parts ("Омск, ул. Мира") every part that is known counts, the narrower before the wider. A
name of several places has the zones of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from syncd.core.zones.subjects import Subject, subjects, zones_of_subject
from syncd.core.zones.texts import fold, rows

_RUSSIA: Final = "RU"
_PARTS = re.compile(r"[,;/()\u2013\u2014]| - ")
_SOFT_SIGN = re.compile("['`\u2019\u02b9]")
_SUBJECT = re.compile(r"(.+)ск(?:ая|ии|ои|ое)")
_KINDS: Final = frozenset(
    fold(
        "область обл край республика респ автономный автономная округ ао город гор г пгт п пос "
        "oblast obl region reg province prov krai kray republic respublika resp rep autonomous "
        "avtonomnyi avtonomny avtonomnyy avtonomnaya okrug ao territory state estado of de do "
        "gorod g provincia"
    ).split()
)
_LATIN: Final = str.maketrans(
    {
        **dict(zip("абвгдезиклмнопрстуфх", "abvgdeziklmnoprstufh", strict=True)),
        "ж": "zh",
        "ц": "c",
        "ч": "ch",
        "ш": "sh",
        "щ": "sh",
        "ъ": "",
        "ы": "i",
        "ь": "",
        "э": "e",
        "ю": "u",
        "я": "a",
    }
)
#: What one Russian sound is written as in Latin letters, in order.
_SOUNDS: Final = (
    (re.compile("sh?ch"), "sh"),
    (re.compile("kh"), "h"),
    (re.compile("t[sz]"), "c"),
    (re.compile("[yij]+a"), "a"),
    (re.compile("[yij]+o"), "e"),
    (re.compile("[yij]+u"), "u"),
    (re.compile("[yij]+e"), "e"),
    (re.compile("[yij]+"), "i"),
    (re.compile(r"(.)\1+"), r"\1"),
)

_Zones = tuple[str, ...]


def zones_of_region(text: str, country: str) -> _Zones:
    """The zones of the part of a country that `text` names; () when unknown.

    `country` is an upper-case ISO 3166 code; "US-CA" is read as "CA".
    """
    text = re.sub(rf"(?i)^{country}-", "", text)
    table = _regions().get(country, {})
    if country == _RUSSIA:
        return zones_of_subject(text) or _find(text, table, sounds=True)
    return _find(text, table)


def zones_of_city(text: str, country: str) -> _Zones:
    """The zones of the towns in a country that have the name `text`; () when unknown."""
    return _find(text, _cities().get(country, {}), sounds=country == _RUSSIA)


def _find(text: str, table: Mapping[str, _Zones], *, sounds: bool = False) -> _Zones:
    found = _known(text, table, sounds=sounds)
    if found:
        return found
    known = [_known(part, table, sounds=sounds) for part in _PARTS.split(text)]
    parts = [zones for zones in known if zones]
    # "Россия, Омская обл.": the narrower name says more.
    narrow = [zones for zones in parts if not any(set(other) < set(zones) for other in parts)]
    return tuple(dict.fromkeys(zone for zones in narrow for zone in zones))


def _known(text: str, table: Mapping[str, _Zones], *, sounds: bool) -> _Zones:
    key = fold(_SOFT_SIGN.sub("", text) if sounds else text)
    bare = " ".join(word for word in key.split() if word not in _KINDS)
    found = table.get(key) or table.get(bare, ())
    return found or (table.get(sound(bare), ()) if sounds and bare else ())


def sound(key: str) -> str:
    """A folded Russian name, in Russian or Latin letters, by its sound: one spelling for all."""
    text = key.translate(_LATIN)
    for pattern, letter in _SOUNDS:
        text = pattern.sub(letter, text)
    return f"~{text}"


@cache
def _regions() -> Mapping[str, Mapping[str, _Zones]]:
    table = _table("regions.tsv")
    # A subject is looked up by its own module first; here are its sounds and its English names.
    russia = dict(spoken for subject in subjects() for spoken in _spoken(subject))
    table[_RUSSIA] = {**russia, **_sounds(table[_RUSSIA]), **table[_RUSSIA]}
    return table


def _spoken(subject: Subject) -> Iterator[tuple[str, _Zones]]:
    """The sound of a subject's names, of its adjective and of the name that this is made of."""
    for name in (subject.name, *subject.others):
        bare = " ".join(word for word in fold(name).split() if word not in _KINDS)
        yield sound(bare), subject.zones
        adjective = _SUBJECT.fullmatch(bare)
        if adjective:
            yield sound(f"{adjective[1]}ск"), subject.zones


@cache
def _cities() -> Mapping[str, Mapping[str, _Zones]]:
    table = _table("cities.tsv")
    table[_RUSSIA] = {**_sounds(table[_RUSSIA]), **table[_RUSSIA]}
    return table


def _sounds(table: Mapping[str, _Zones]) -> dict[str, _Zones]:
    """A table by sound; names that sound alike have the zones of all."""
    found: dict[str, _Zones] = {}
    for name, zones in table.items():
        key = sound(name)
        found[key] = tuple(dict.fromkeys((*found.get(key, ()), *zones)))
    return found


def _table(name: str) -> dict[str, dict[str, _Zones]]:
    """Zones by folded name, by country; a name in several rows has the zones of all."""
    found: dict[str, dict[str, _Zones]] = {}
    for country, zones, names in rows(name):
        table = found.setdefault(country, {})
        for each in names.split("|"):
            table[fold(each)] = tuple(dict.fromkeys((*table.get(fold(each), ()), *zones.split())))
    return found
