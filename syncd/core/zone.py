"""Reads `gmtZone`: an offset or a region id, by the rules of `java.time.ZoneId.of`.

The vendor's words for the field (Calls API, "A job in addPhones") are that method's, and one zone
it does not know refuses a whole batch; so what passes here passes there. What is sent is narrower:
`+HH:MM`, or an id of `zone.tab`. This module must never trim, fold case or repair (zones/written.py
does), and must never use the machine's own time zone files: they can be years old and would
silently win over the `tzdata` package.
"""

from __future__ import annotations

import re
import zoneinfo
from functools import cache, lru_cache
from importlib import metadata
from zoneinfo import ZoneInfo

from syncd.core.zones.tz_ids import canonical_id, known_regions

__all__ = [
    "canonical",
    "data_version",
    "known_regions",
    "load",
    "offset_text",
    "parse",
    "use_packaged_data",
]

_MAX_OFFSET_S = 18 * 3600
_MAX_TEXT = 64
_OFFSET = re.compile(
    r"([+-])(?:([0-9])|([0-9]{2})(?:([0-9]{2})([0-9]{2})?|:([0-9]{2})(?::([0-9]{2}))?)?)"
)
_PREFIXES = ("UTC", "GMT", "UT")  # the longer first
_ZERO_IDS = frozenset({"GMT", "GMT0", "Greenwich", "UCT", "UTC", "Universal", "Zulu"})
_FIXED = re.compile(r"Etc/GMT([+-])([0-9]{1,2})")


def parse(text: str) -> int | str | None:
    """The offset in seconds east of Greenwich, or the region id, or None when Java refuses it.

    A region with one offset for ever (`Etc/GMT-3`, `Zulu`) is that offset.
    """
    if len(text) > _MAX_TEXT:
        return None
    if len(text) <= 1 or text[0] in "+-":
        return 0 if text == "Z" else _offset(text)
    for prefix in _PREFIXES:
        if text == prefix:
            return 0
        if text.startswith(prefix) and text[len(prefix)] in "+-":
            return _offset(text[len(prefix) :])
    return _region(text)


@lru_cache(maxsize=4096)  # a file has few zones and many rows
def canonical(text: str) -> str | None:
    """The form that is sent: `+HH:MM`, or the `zone.tab` id of a region; None for no zone.

    `Europe/Kiev` gives `Europe/Kyiv`. An offset with seconds, which no place has had for a
    century, is none.
    """
    zone = parse(text)
    if isinstance(zone, int):
        return None if zone % 60 else offset_text(zone)
    return None if zone is None else canonical_id(zone)


def offset_text(seconds: int) -> str:
    """`+03:00` for 10800, `+00:00` for 0; `seconds` are whole minutes."""
    assert seconds % 60 == 0, "an offset that is sent has no seconds"
    sign = "-" if seconds < 0 else "+"
    minutes = abs(seconds) // 60
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def _offset(text: str) -> int | None:
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    sign, hour, hours, *rest = found.groups()
    minutes, seconds = (int(rest[at] or rest[at + 2] or 0) for at in (0, 1))
    total = int(hour or hours) * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 59 or total > _MAX_OFFSET_S:  # noqa: PLR2004 - of an hour, a minute
        return None
    return -total if sign == "-" else total


def _region(text: str) -> int | str | None:
    if text not in known_regions():
        return None
    if text.removeprefix("Etc/") in _ZERO_IDS:
        return 0
    fixed = _FIXED.fullmatch(text)
    if fixed is None:
        return text
    hours = int(fixed[2])
    return -3600 * hours if fixed[1] == "+" else 3600 * hours  # POSIX counts westward


@lru_cache(maxsize=1024)
def load(region: str) -> ZoneInfo:
    """The zone of a known region id, from the `tzdata` package; kept, as a new one costs 40 µs."""
    use_packaged_data()
    return ZoneInfo(region)


@cache
def use_packaged_data() -> None:
    """Make the whole process read zones from `tzdata` only; called at the start and by `load`."""
    zoneinfo.reset_tzpath(to=())
    ZoneInfo.clear_cache()


def data_version() -> str:
    """The version of the `tzdata` package, for `status` (IANA 2026f is 2026.6)."""
    return metadata.version("tzdata")
