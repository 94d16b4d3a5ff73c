"""Writes a CSV export of N leads, the same at each run: some twenty countries, no phone twice.

The numbers are well formed and may exist: they go to the loopback target only, never to a vendor.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

COLUMNS = ("id", "first_name", "last_name", "phone", "tz", "city", "amount", "created_at", "note")
DEFAULT_REGION = "RU"

#: calling code and mobile prefix, how many digits follow, zone, city
COUNTRIES = (
    ("7916", 7, "Europe/Moscow", "Moscow"),
    ("7912", 7, "Asia/Yekaterinburg", "Yekaterinburg"),
    ("7701", 7, "Asia/Almaty", "Almaty"),
    ("38050", 7, "Europe/Kyiv", "Kyiv"),
    ("447400", 6, "Europe/London", "London"),
    ("49151", 8, "Europe/Berlin", "Berlin"),
    ("33612", 6, "Europe/Paris", "Paris"),
    ("346", 8, "Europe/Madrid", "Madrid"),
    ("39347", 7, "Europe/Rome", "Rome"),
    ("48501", 6, "Europe/Warsaw", "Warsaw"),
    ("90532", 7, "Europe/Istanbul", "Istanbul"),
    ("9198", 8, "Asia/Kolkata", "Mumbai"),
    ("551198", 7, "America/Sao_Paulo", "São Paulo"),
    ("5255", 8, "America/Mexico_City", "Mexico City"),
    ("61412", 6, "Australia/Sydney", "Sydney"),
    ("2782", 7, "Africa/Johannesburg", "Johannesburg"),
    ("819012", 6, "Asia/Tokyo", "Tokyo"),
    ("62812", 7, "Asia/Jakarta", "Jakarta"),
    ("234803", 7, "Africa/Lagos", "Lagos"),
    ("2010", 8, "Africa/Cairo", "Cairo"),
)
FIRST = ("Anna", "Boris", "Chen", "Dmitry", "Élise", "Farid", "Gül", "Hans", "Ирина", "João")
LAST = ("Silva", "Novak", "Иванов", "O'Neil", "Schmidt", "Demir", "Tanaka", "Okafor", "Rossi")
#: A prime that divides no power of ten: n * STRIDE modulo 10**k meets each number once.
STRIDE = 7_368_787


def phone(n: int) -> tuple[str, int]:
    """The phone of lead `n` as digits, and the index of its country; no two `n` share one."""
    index = n % len(COUNTRIES)
    prefix, digits, _, _ = COUNTRIES[index]
    serial = (n // len(COUNTRIES) * STRIDE + n) % 10**digits
    return f"{prefix}{serial:0{digits}d}", index


def written(digits: str, n: int) -> str:
    """The phone as people type it: one of five ways, taken in turn."""
    match n % 7:
        case 0 | 1 | 2:
            return f"+{digits}"
        case 3:
            return f"+{digits[:2]} {digits[2:5]} {digits[5:8]}-{digits[8:]}"
        case 4 if digits.startswith("79"):
            return f"8 ({digits[1:4]}) {digits[4:7]}-{digits[7:9]}-{digits[9:]}"
        case 5:
            return f"+{digits[:4]}-{digits[4:7]}-{digits[7:]}"
        case _:
            return f"+{digits[:3]} ({digits[3:6]}) {digits[6:]}"


def rows(count: int, first: int = 0) -> Iterator[tuple[str, ...]]:
    """Leads `first` to `first + count - 1`, aligned to COLUMNS."""
    for n in range(first, first + count):
        digits, index = phone(n)
        _, _, zone, city = COUNTRIES[index]
        yield (
            f"L{n:08d}",
            FIRST[n % len(FIRST)],
            LAST[n % len(LAST)],
            written(digits, n),
            zone,
            city,
            f"{n % 90_000 / 100:.2f}",
            f"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}T{n % 24:02d}:00:00Z",
            "called back, asked for a price" if n % 3 else "",
        )


def write(path: Path, count: int, first: int = 0) -> None:
    """Write `count` leads to `path`; the file appears under its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        writer.writerows(rows(count, first))
    part.replace(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    write(given.path, given.count, given.first)
