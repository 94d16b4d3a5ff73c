"""The settings of a job: everything in an addPhones item but phone and payload.

Owns their rules. Jobs with equal settings share one object, so a batch of 500 leads is read once
and compared cheaply; it must therefore never change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final, cast

import orjson

from syncd.sandbox.clock import parse_ms
from syncd.sandbox.refusals import RefusalError, bad_request
from syncd.sandbox.windows import WHOLE_DAY, Hours, Week
from syncd.sandbox.zones import NOWHERE, parse_zone, region, zone_of_phone

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RETRY_MINUTES: Final = (1, 2880)
MAX_ATTEMPTS: Final = (0, 50)
PRIORITIES: Final = (1, 5)
DEFAULT_PRIORITY: Final = 3
CACHE_LIMIT: Final = 50_000

_KNOWN = frozenset(
    {"startDateTime", "finishDateTime", "allowedDays", "allowedTime", "retryIntervalInMinutes"}
    | {"maxAttempts", "gmtZone", "dialerPriority", "externalCheck"}
    | {"localTimeFrom", "localTimeTo"}
)
_HH_MM = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
)


class JobSettings:
    """What the dialer obeys for a job. None: the campaign's own setting."""

    __slots__ = (
        "_hours",
        "canonical",
        "ignored",
        "max_attempts",
        "own",
        "priority",
        "retry_ms",
        "sent",
    )

    def __init__(self, fields: Mapping[str, Any], phone: str) -> None:
        self.sent = dict(fields)
        self.canonical = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
        #: Fields that no document knows: taken without a word, as the vendor does.
        self.ignored = tuple(sorted(fields.keys() - _KNOWN))
        self.own = bool(fields)
        self.priority = _priority(fields.get("dialerPriority"))
        retry = _integer(fields, "retryIntervalInMinutes", RETRY_MINUTES)
        self.retry_ms = None if retry is None else retry * 60_000
        self.max_attempts = _integer(fields, "maxAttempts", MAX_ATTEMPTS)
        _external_check(fields.get("externalCheck"))
        start, finish = _instant(fields, "startDateTime"), _instant(fields, "finishDateTime")
        if start is not None and finish is not None and start >= finish:
            raise bad_request("startDateTime must be before finishDateTime")
        self._hours = _Clockwork(
            _zone_name(fields.get("gmtZone"), phone), week(fields), start, finish
        )

    def hours(self, phone: str) -> Hours:
        """The permitted hours of a job for this phone."""
        return self._hours.of(phone)

    @property
    def zone_known(self) -> bool:
        """Whether gmtZone was sent; else the zone is the sandbox's guess from the country code."""
        return self._hours.zone_name is not None


class _Clockwork:
    """One Hours object for each zone that the settings are used in."""

    __slots__ = ("_by_zone", "_finish_ms", "_start_ms", "_week", "zone_name")

    def __init__(
        self, zone_name: str | None, hours: Week | None, start_ms: int | None, finish_ms: int | None
    ) -> None:
        self.zone_name = zone_name
        self._week = hours
        self._start_ms = start_ms
        self._finish_ms = finish_ms
        self._by_zone: dict[str, Hours] = {}

    def of(self, phone: str) -> Hours:
        name = self.zone_name or zone_of_phone(phone)
        found = self._by_zone.get(name)
        if found is None:
            zone = parse_zone(name) or region(NOWHERE)
            found = Hours(zone, name, self._week, self._start_ms, self._finish_ms)
            self._by_zone[name] = found
        return found


class SettingsCache:
    """Reads settings once for each distinct way of writing them."""

    def __init__(self) -> None:
        self._read: dict[bytes, JobSettings] = {}

    def of(self, fields: Mapping[str, Any], phone: str) -> JobSettings:
        """Valid settings; raises RefusalError, with the phone where the vendor names it."""
        written = orjson.dumps(fields)
        found = self._read.get(written)
        if found is None:
            found = JobSettings(fields, phone)
            if len(self._read) >= CACHE_LIMIT:
                self._read.clear()
            self._read[written] = found
        return found


def week(fields: Mapping[str, Any]) -> Week | None:
    """The weekly hours, or None for any hour.

    `allowedDays` bars other days. A weekday that `allowedTime` does not list uses its `default`,
    and the whole day where there is none. The deprecated pair counts as `default`.
    Source: Calls API, A job in addPhones.
    """
    days = _days(fields.get("allowedDays"))
    times = _times(fields)
    if days is None and not times:
        return None
    default = times.get("default", WHOLE_DAY)
    return tuple(times.get(day, default) if days is None or day in days else () for day in DAYS)


def _days(value: object) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(day in DAYS for day in value):
        raise bad_request("allowedDays must list 1 to 7 of mon, tue, wed, thu, fri, sat, sun")
    return frozenset(value)


def _times(fields: Mapping[str, Any]) -> dict[str, tuple[tuple[int, int], ...]]:
    value = fields.get("allowedTime")
    if value is None:
        pair = {end: fields[end] for end in ("localTimeFrom", "localTimeTo") if fields.get(end)}
        value = {"default": [pair]} if pair else {}
    if not isinstance(value, dict) or not value.keys() <= {*DAYS, "default"}:
        raise _bad_time("allowedTime must be an object with keys mon to sun and default")
    return {day: _intervals(listed) for day, listed in value.items() if listed is not None}


def _intervals(listed: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(listed, list) or not listed:
        raise _bad_time("a day of allowedTime must be a list of at least one interval")
    intervals = sorted(_interval(item) for item in listed)
    for (_, closes), (opens, _) in pairwise(intervals):
        if closes > opens:
            raise _bad_time("intervals of one day overlap")
    return tuple(intervals)


def _interval(item: object) -> tuple[int, int]:
    ends = item if isinstance(item, dict) else {}
    opens, closes = _minute(ends.get("localTimeFrom")), _minute(ends.get("localTimeTo"))
    if opens >= closes:
        raise _bad_time("localTimeFrom must be before localTimeTo")
    return opens, closes


def _minute(text: object) -> int:
    if not isinstance(text, str) or not _HH_MM.fullmatch(text):
        raise _bad_time("localTimeFrom and localTimeTo are both required, as HH:mm")
    return int(text[:2]) * 60 + int(text[3:])


def _bad_time(message: str) -> RefusalError:
    return RefusalError("invalid.call.allowed.time", message)


def _priority(value: object) -> int:
    if value is None:
        return DEFAULT_PRIORITY
    if type(value) is not int or not PRIORITIES[0] <= value <= PRIORITIES[1]:
        raise RefusalError("invalid.dialer_priority", "dialerPriority must be 1 to 5")
    return value


def _integer(fields: Mapping[str, Any], name: str, limits: tuple[int, int]) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not limits[0] <= value <= limits[1]:
        raise bad_request(f"{name} must be an integer from {limits[0]} to {limits[1]}")
    return value


def _instant(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return parse_ms(value)
        except (ValueError, OverflowError):
            pass  # the shape is right, the date does not exist
    raise bad_request(f"{name} must be ISO 8601 with zone, such as 2020-03-23T00:00:00Z")


def _zone_name(value: object, phone: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or parse_zone(value) is None:
        raise RefusalError(
            "phone.gmtZone.bad.format", "gmtZone is not understood", phone=phone, gmtZone=value
        )
    return value


def _external_check(value: object) -> None:
    if value is None:
        return
    check = cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
    if not isinstance(check.get("externalCheckUrl"), str):
        raise bad_request("externalCheck needs an externalCheckUrl")
