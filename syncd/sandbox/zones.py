"""Zones as the vendor understands them: the grammar of gmtZone, and the zone of a phone number.

Owns the sandbox's reading of `java.time.ZoneId.of`, which the vendor's wording points to. It must
never borrow the client's: two independent readings are what makes this server a witness. Zone data
come from the tzdata package only, because a system's own data may be older.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

#: Names that tz data have and Java's ZoneId.of refuses. GMT+0 and GMT-0 are offsets to it.
_REFUSED_IDS = frozenset({"EST", "MST", "HST", "ROC", "Factory"})
_MAX_OFFSET_S = 18 * 3600
_OFFSET = re.compile(
    r"(?P<sign>[+-])(?:(?P<h1>[0-9])|(?P<h>[0-9]{2})"
    r"(?:(?P<m>[0-9]{2})(?P<s>[0-9]{2})?|:(?P<mc>[0-9]{2})(?::(?P<sc>[0-9]{2}))?)?)"
)
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9~/._+-]+")
_LONGEST_PREFIX = 4

#: The sandbox's own table for jobs without gmtZone: longest prefix wins. It says one zone for a
#: whole country code, which is why its calls are marked `zone_known: false`.
_PHONE_ZONES = {
    "1": "America/New_York", "1206": "America/Los_Angeles", "1213": "America/Los_Angeles",
    "1310": "America/Los_Angeles", "1312": "America/Chicago", "1303": "America/Denver",
    "1415": "America/Los_Angeles", "1416": "America/Toronto", "1604": "America/Vancouver",
    "1808": "Pacific/Honolulu", "1907": "America/Anchorage", "20": "Africa/Cairo",
    "27": "Africa/Johannesburg", "30": "Europe/Athens", "31": "Europe/Amsterdam",
    "32": "Europe/Brussels", "33": "Europe/Paris", "34": "Europe/Madrid", "351": "Europe/Lisbon",
    "353": "Europe/Dublin", "358": "Europe/Helsinki", "36": "Europe/Budapest",
    "370": "Europe/Vilnius", "371": "Europe/Riga", "372": "Europe/Tallinn",
    "373": "Europe/Chisinau", "374": "Asia/Yerevan", "375": "Europe/Minsk", "380": "Europe/Kyiv",
    "381": "Europe/Belgrade", "39": "Europe/Rome", "40": "Europe/Bucharest",
    "41": "Europe/Zurich", "420": "Europe/Prague", "43": "Europe/Vienna", "44": "Europe/London",
    "45": "Europe/Copenhagen", "46": "Europe/Stockholm", "47": "Europe/Oslo",
    "48": "Europe/Warsaw", "49": "Europe/Berlin", "52": "America/Mexico_City",
    "54": "America/Argentina/Buenos_Aires", "55": "America/Sao_Paulo", "56": "America/Santiago",
    "57": "America/Bogota", "60": "Asia/Kuala_Lumpur", "61": "Australia/Sydney",
    "62": "Asia/Jakarta", "63": "Asia/Manila", "64": "Pacific/Auckland", "65": "Asia/Singapore",
    "66": "Asia/Bangkok", "7": "Europe/Moscow", "7343": "Asia/Yekaterinburg",
    "7383": "Asia/Novosibirsk", "7423": "Asia/Vladivostok", "76": "Asia/Almaty",
    "77": "Asia/Almaty", "81": "Asia/Tokyo", "82": "Asia/Seoul", "84": "Asia/Ho_Chi_Minh",
    "86": "Asia/Shanghai", "90": "Europe/Istanbul", "91": "Asia/Kolkata", "966": "Asia/Riyadh",
    "971": "Asia/Dubai", "972": "Asia/Jerusalem", "992": "Asia/Dushanbe", "994": "Asia/Baku",
    "995": "Asia/Tbilisi", "996": "Asia/Bishkek", "998": "Asia/Tashkent",
}  # fmt: skip
NOWHERE = "UTC"
"""The zone of a number whose country code the table lacks."""


@cache
def known_ids() -> frozenset[str]:
    """The zone IDs that Java's ZoneId.of takes, as far as tz data tell."""
    listed = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return frozenset(listed) - _REFUSED_IDS


@cache
def region(name: str) -> ZoneInfo:
    """The rules of a known zone ID, from the tzdata package."""
    where = files("tzdata.zoneinfo").joinpath(*name.split("/"))
    with where.open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


@lru_cache(maxsize=10_000)
def parse_zone(text: str) -> tzinfo | None:
    """The meaning of a gmtZone, or None when the vendor refuses it.

    `Z`, an offset, a prefix UTC, GMT or UT with or without an offset, or an IANA zone ID. Case
    matters and nothing is trimmed. Offsets reach from -18:00 to +18:00.
    Source: Calls API, A job in addPhones (gmtZone).
    """
    if text == "Z":
        return UTC
    if len(text) <= 1 or text[0] in "+-":
        return _offset(text)
    for prefix in ("UTC", "GMT", "UT"):
        if text.startswith(prefix):
            rest = text[len(prefix) :]
            if not rest:
                return UTC
            if rest[0] in "+-":
                return _offset(rest)
            break
    if _REGION.fullmatch(text) and text in known_ids():
        return region(text)
    return None


def _offset(text: str) -> tzinfo | None:
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    part = {name: int(digits) for name, digits in found.groupdict("0").items() if name != "sign"}
    minutes, seconds = part["m"] + part["mc"], part["s"] + part["sc"]
    total_s = (part["h1"] + part["h"]) * 3600 + minutes * 60 + seconds
    if max(minutes, seconds) > 59 or total_s > _MAX_OFFSET_S:  # noqa: PLR2004 - the sixtieth is no minute
        return None
    return timezone(timedelta(seconds=-total_s if found["sign"] == "-" else total_s))


@lru_cache(maxsize=10_000)
def _by_prefix(prefix: str) -> str:
    for length in range(len(prefix), 0, -1):
        if prefix[:length] in _PHONE_ZONES:
            return _PHONE_ZONES[prefix[:length]]
    return NOWHERE


def zone_of_phone(phone: str) -> str:
    """The zone ID that the sandbox takes for a number without gmtZone."""
    return _by_prefix(phone[:_LONGEST_PREFIX])
