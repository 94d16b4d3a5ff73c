"""Makes the demo's export: the kind of file that a CRM gives, ugly on purpose.

cp1251 with `;`, decimal commas, quoted line ends, blank lines, a header that repeats a name and
stands in the middle once more, rows too short and too long, phones as people type them. The same
seed gives the same file. Every number is one of `demo_ranges`; it must never hold another.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Final

from syncd.cli.demo_ranges import CALLED, REFUSED, Range

ENCODING: Final = "cp1251"
COLUMNS: Final = ("id", "name", "phone", "phone", "time zone", "amount", "consent", "comment")
FIRST_ID: Final = 1001

#: Rows by heart, one for each thing that the demo explains; numbers by the sandbox's endings.
ANSWERED: Final = "1001"
CALLED_BACK: Final = "+1 (212) 555-0194"
HELD: Final = "1003"
_CAST: Final = (
    ("1001", "Ann Lee", "(212) 555-0190", "", "", "1 250,00", "yes", "asked for a\noffer; urgent"),
    ("1002", "Иван Петров", "001 212 555 01 94", "", "America/New_York", "990,50", "да", ""),
    ("1003", "Hill & Co", "+1 (800) 555-0199", "", "", "", "yes", "where is it?"),
    ("1004", "LEE, Ann", "+1 212.555.0190 ext. 12", "", "", "1250", "yes", 'said "call me"'),
    ("1005", "Олег Серов", "8 (212) 555-01-90", "", "", "", "да", "which country?"),
    ("1006", "Jo March", "n/a", "+44 (0)20 7946 0197", "Europe/London", "", "yes", ""),
)
_TAKEN: Final = {"12125550190", "12125550194", "18005550199", "442079460197"}

_NAMES = ("Ann", "Bob", "Eve", "Joan", "Lars", "Marie", "Tom", "Иван", "Ольга", "Пётр", "Анна",
          "Sven", "Uwe", "Zoe", "Хуан", "Мария")  # fmt: skip
_FAMILIES = ("Lee", "Hill", "March", "Smith-Jones", "O'Neil", "Berg", "Martin", "Петров",
             "Серов", "Ким", "Lund", "Weber", "Юрьев", "Long")  # fmt: skip
_COMMENTS = (*[""] * 9, "after lunch", "перезвонить\nв обед", 'said "yes; maybe"', "из формы",
             "line 1\r\nline 2\r\n")  # fmt: skip
#: Zones without summer time are sometimes written as an offset.
_OFFSETS = {"America/Phoenix": "-07:00", "Pacific/Honolulu": "-10:00", "America/Jamaica": "-5",
            "America/Puerto_Rico": "UTC-4", "Pacific/Guam": "+10:00",
            "America/Regina": "-06:00"}  # fmt: skip
_BAD_PHONES = ("", "-", "call the office", "555-01", "+1 212 555", "2,12556E+09",
               "(212) 555-0190/91", "0", "8 (415) 555-01-90")  # fmt: skip
_NOT_ONE = ("n/a", "see note", "")
#: What is wrong with a row: how many of a thousand, and its column with what stands there then.
_SPOILT: Final[dict[str, tuple[int, int, tuple[str, ...]]]] = {
    "no phone": (15, 2, _BAD_PHONES),
    "no zone": (5, 4, ("MSK", "Moscow", "GMT+25")),
    "no amount": (5, 5, ("a lot",)),
    "no consent": (25, 6, ("no", "нет", "")),
}
_AGAIN, _REFUSED, _SECOND = "again", "refused", "second phone"
_KINDS: Final = {_AGAIN: 30, _REFUSED: 30, _SECOND: 20} | {k: v[0] for k, v in _SPOILT.items()}
_PLAIN_SHARE: Final = 1000 - sum(_KINDS.values())

#: How often the zone column is blank: where the number tells the zone, and where it does not.
_BLANK_SHARE, _BLANK_NEEDED_SHARE, _OFFSET_SHARE = 0.6, 0.3, 0.5
_LITTER_EVERY: Final = 97  #: rows


@dataclass(slots=True)
class Export:
    """The file, and how many rows of each kind went in."""

    text: str
    leads: int
    countries: set[str] = field(default_factory=set)
    zones: set[str] = field(default_factory=set)

    def encoded(self) -> bytes:
        """The bytes of the file."""
        return self.text.encode(ENCODING)


def make_export(leads: int, *, seed: int = 1) -> Export:
    """An export with so many different leads; the rows that are none come on top."""
    return _Maker(leads, random.Random(seed)).make()  # noqa: S311 - a sample, no secret


class _Maker:
    """Writes one export."""

    def __init__(self, leads: int, rng: random.Random) -> None:
        self._rng = rng
        self._export = Export("", leads)
        self._called = _Draw(CALLED, rng)
        self._refused = _Draw(REFUSED, rng)
        self._out = StringIO()
        self._writer = csv.writer(self._out, delimiter=";", lineterminator="\r\n")
        self._written: list[list[str]] = []
        self._people: list[tuple[str, str, str]] = []  # name, digits, zone

    def make(self) -> Export:
        self._writer.writerow(COLUMNS)
        for row in _CAST:
            self._write(list(row))
        for number in range(len(_CAST), self._export.leads):
            if number % _LITTER_EVERY == 0:
                self._litter(number)
            self._write(self._row(str(FIRST_ID + number)))
        self._export.text = self._out.getvalue()
        return self._export

    def _write(self, row: list[str]) -> None:
        self._writer.writerow(row)
        self._written.append(row)

    def _row(self, key: str) -> list[str]:
        kind = self._rng.choices(["plain", *_KINDS], [_PLAIN_SHARE, *_KINDS.values()])[0]
        if kind == _AGAIN and self._people:
            return self._again(key)
        drawn, digits = (self._refused if kind == _REFUSED else self._called).number()
        zone = self._zone(drawn)
        self._export.countries.add(drawn.country)
        self._export.zones.update(drawn.zones)
        row = self._person(key, _spelt(digits, self._rng), zone)
        self._people.append((row[1], digits, zone))
        if kind == _SECOND:
            row[2], row[3] = self._rng.choice(_NOT_ONE), row[2]
        elif kind in _SPOILT:
            _, column, texts = _SPOILT[kind]
            row[column] = self._rng.choice(texts)
        return row

    def _person(self, key: str, phone: str, zone: str) -> list[str]:
        pick = self._rng.choice
        amount = self._rng.randrange(10_000, 2_000_000)
        whole = f"{amount // 100:,}".replace(",", pick((" ", "\u00a0", "")))
        money = pick((f"{whole},{amount % 100:02d}", whole, ""))
        name = f"{pick(_NAMES)} {pick(_FAMILIES)}"
        return [key, name, phone, "", zone, money, pick(("yes", "да")), pick(_COMMENTS)]

    def _again(self, key: str) -> list[str]:
        """A person whom a colleague has entered before, with another ID and spelling."""
        name, digits, zone = self._rng.choice(self._people)
        row = self._person(key, _spelt(digits, self._rng), zone)
        row[1] = " ".join(reversed(name.split())).upper()
        return row

    def _zone(self, drawn: Range) -> str:
        """The zone column: blank where the number tells, and sometimes where it does not."""
        rng = self._rng
        if rng.random() < (_BLANK_SHARE if len(drawn.zones) == 1 else _BLANK_NEEDED_SHARE):
            return ""
        zone = rng.choice(drawn.zones)
        return _OFFSETS[zone] if zone in _OFFSETS and rng.random() < _OFFSET_SHARE else zone

    def _litter(self, number: int) -> None:
        """What stands between good rows."""
        line = (
            "",
            ";".join(COLUMNS),
            f"{FIRST_ID + number}-cut;Ann",
            f"{FIRST_ID + number}-long;Bob Lee;+1 212 555 0177;;;;yes;likes a;b;c",
            "   ",
            ";Nobody;+1 212 555 0178;;;;yes;has no ID",
        )[number // _LITTER_EVERY % 6]
        self._out.write(line + "\r\n")
        if number // _LITTER_EVERY % 3 == 1:
            self._writer.writerow(self._rng.choice(self._written))


class _Draw:
    """Numbers of ranges, each once, by weight."""

    def __init__(self, ranges: Sequence[Range], rng: random.Random) -> None:
        self._rng = rng
        self._left: dict[Range, list[str]] = {}
        for one in ranges:
            numbers = [number for number in one.numbers() if number not in _TAKEN]
            rng.shuffle(numbers)
            if numbers:
                self._left[one] = numbers

    def number(self) -> tuple[Range, str]:
        ranges = list(self._left)
        drawn = self._rng.choices(ranges, [one.weight for one in ranges])[0]
        numbers = self._left[drawn]
        digits = numbers.pop()
        if not numbers:
            del self._left[drawn]
        return drawn, digits


def _spelt(digits: str, rng: random.Random) -> str:
    """A number as somebody types it."""
    spell: Callable[[str], str] = rng.choice(_NANP if digits[0] == "1" else _ABROAD)
    return spell(digits)


def _grouped(digits: str, by: str = " ") -> str:
    return by.join(digits[at : at + 3] for at in range(0, len(digits), 3))


#: The mapping's default region is US: numbers of its plan may be written without "+1".
_NANP: Final[tuple[Callable[[str], str], ...]] = (
    lambda d: f"+{d}",
    lambda d: f"({d[1:4]}) {d[4:7]}-{d[7:]}",
    lambda d: f"{d[1:4]}.{d[4:7]}.{d[7:]}",
    lambda d: f"1-{d[1:4]}-{d[4:7]}-{d[7:]}",
    lambda d: f"001 {d[1:4]} {d[4:7]} {d[7:9]} {d[9:]}",
    lambda d: f"+1 ({d[1:4]}) {d[4:7]}-{d[7:9]}-{d[9:]}",
    lambda d: f"{d[1:4]} {d[4:7]} {d[7:]} ext. 12",
    lambda d: f"тел.: +1 {d[1:4]} {d[4:7]} {d[7:]} доб. 7",
    lambda d: d,
)
_ABROAD: Final[tuple[Callable[[str], str], ...]] = (
    lambda d: f"+{d}",
    lambda d: f"00{d[:2]} {_grouped(d[2:])}",
    lambda d: f"+{d[:2]} (0){_grouped(d[2:])}",
    lambda d: f"+{d[:2]}\u00a0{_grouped(d[2:], '-')}",
    lambda d: f"011 {_grouped(d)}",
    lambda d: f"+{d[:2]} {_grouped(d[2:])} x5",
    lambda d: d,
)
