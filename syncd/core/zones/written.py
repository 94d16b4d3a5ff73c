"""Reads a zone as people and programs write it: ids, offsets, Windows names, hours from Moscow.

core/zone.py reads what the vendor takes, to the letter; this module reads what stands in a
customer's column and gives what may be sent. It must never guess: `EST` is New York, Panama or
Sydney, and "(UTC-05:00)" before an unknown name may have summer time, so both say nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from tzlocal.windows_tz import win_tz  # CLDR windowsZones

from syncd.core import zone
from syncd.core.zones.texts import fold, rows
from syncd.core.zones.tz_ids import canonical_id

_MAX_CHARS: Final = 120
_MOSCOW: Final = "Europe/Moscow"
_MOSCOW_MIN: Final = 180
_FROM_MOSCOW_MIN: Final = range(-60, 9 * 60 + 1, 60)  #: Kaliningrad to Kamchatka
_OFFSETS_S: Final = range(-12 * 3600, 14 * 3600 + 1, 15 * 60)  #: places have no other

_PARTS = re.compile(r"[()]+")
_MSK = r"(?:мск|msk|москв[аеы]|moscow)"
_MOSCOW_FIRST = re.compile(rf"{_MSK}\s*([+-])\s*([0-9]{{1,2}})(?:[:.]?00)?\s*(?:ч|h)?\.?")
_MOSCOW_LAST = re.compile(
    rf"([+-])\s*([0-9]{{1,2}})(?:[:.]?00)?\s*(?:ч|час|часа|часов|h)?\.?\s*(?:к|от|с)?\s*{_MSK}"
)
_OFFSET = re.compile(
    r"(?:utc|gmt|ut)?\s*([+-])\s*(?:([0-9]{1,2})(?:(?::|[.,](?=0|30|45))([0-9]{1,2}))?"
    r"|([0-9]{2})([0-9]{2}))"
)
_HALF = re.compile(r"(?<=[0-9])[.,](?:50?)$")
_QUARTER = re.compile(r"(?<=[0-9])[.,]75$")
_ZERO: Final = frozenset({"utc", "gmt", "ut", "z"})
_SUMMER = re.compile(r"\b(daylight|summer)\b", re.IGNORECASE)


@lru_cache(maxsize=8192)  # a file has few zones and many rows
def zones_of_text(text: str) -> tuple[str, ...]:
    """The zones that `text` may mean, in order of likelihood; () when it tells none.

    Each is a `zone.tab` id or `+HH:MM`.
    """
    clean = " ".join(unicodedata.normalize("NFKC", text).replace("\u2212", "-").split())
    if not clean or len(clean) > _MAX_CHARS:
        return ()
    whole = _named(clean) or _hours(clean)
    if whole:
        return whole
    parts = [part for part in (part.strip(" ,;") for part in _PARTS.split(clean)) if part]
    return _of_parts(parts) if parts else ()


def _of_parts(parts: list[str]) -> tuple[str, ...]:
    """`(UTC+05:00) Ekaterinburg`, `МСК+2 (UTC+5)`: a name says more than an offset."""
    if _hours(parts[0]):
        named = _named(" ".join(parts[1:]))
        if named:
            return named
    names = {zones for part in parts if (zones := _named(part))}
    if not names:
        names = {_hours(part) for part in parts}
    return names.pop() if len(names) == 1 else ()


def _named(text: str) -> tuple[str, ...]:
    """The zone of an id, of a Windows name, or of the label that programs show for one."""
    known = canonical_id(text.replace(" ", "_"))
    known = (
        known or _windows().get(fold(_SUMMER.sub("standard", text))) or _labels().get(fold(text))
    )
    return (known,) if known else ()


def _hours(text: str) -> tuple[str, ...]:
    """The offset of hours from Greenwich or from Moscow."""
    seconds = zone.parse(text)
    if isinstance(seconds, int):
        return _offset(seconds)
    lower = text.lower()
    if lower in _ZERO:
        return ("+00:00",)
    moscow = _MOSCOW_FIRST.fullmatch(lower)
    if moscow:
        return _from_moscow(moscow)
    moscow = _MOSCOW_LAST.fullmatch(lower)
    if moscow:
        zones = _from_moscow(moscow)
        # "+3 МСК" is three hours from Moscow to some, and Moscow's own UTC+3 to others.
        return (*zones, "+03:00") if zones == ("+06:00",) else zones
    found = _OFFSET.fullmatch(_QUARTER.sub(":45", _HALF.sub(":30", lower)))
    return () if found is None else _from_greenwich(found)


def _from_moscow(found: re.Match[str]) -> tuple[str, ...]:
    minutes = int(found[1] + found[2]) * 60
    if minutes not in _FROM_MOSCOW_MIN:
        return ()
    return (zone.offset_text((_MOSCOW_MIN + minutes) * 60),)


def _from_greenwich(found: re.Match[str]) -> tuple[str, ...]:
    sign, hour, minute, hours, minutes = found.groups()
    total = int(hour or hours) * 60 + int(minute or minutes or 0)
    return _offset(-total * 60 if sign == "-" else total * 60)


def _offset(seconds: int) -> tuple[str, ...]:
    """An offset that a place may have, as it is sent."""
    return (zone.offset_text(seconds),) if seconds in _OFFSETS_S else ()


@cache
def _windows() -> Mapping[str, str]:
    """Ids by folded Windows name, `Russian Standard Time`."""
    known = ((name, zone.canonical(each)) for name, each in win_tz.items())
    return {fold(name): each for name, each in known if each}


@cache
def _labels() -> Mapping[str, str]:
    return {fold(label): each for each, *labels in rows("labels.tsv") for label in labels}
