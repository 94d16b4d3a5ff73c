"""Reads the vendor's own fields of a call job, by the vendor's rules.

Source: Calls API, "A job in addPhones". One bad value refuses the whole batch that it is sent with,
so each is checked here, before a job exists. This module must never put a value right: a job with
other hours than were meant is worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import orjson

from syncd.core import window, zone
from syncd.core.refusal import BadValue
from syncd.core.values import MAX_TEXT_CHARS, Reader, to_int, to_moment, to_text

GMT_ZONE: Final = "gmtZone"
DAYS: Final = "allowedDays"
TIME: Final = "allowedTime"
START: Final = "startDateTime"
FINISH: Final = "finishDateTime"
START_NOT_BEFORE_FINISH: Final = "start_not_before_finish"  #: a reason code

RETRY_INTERVAL_MIN: Final = (1, 2880)
MAX_ATTEMPTS: Final = (0, 50)  #: the description says 1, the help page's own example sends 0
DIALER_PRIORITY: Final = (1, 5)


def to_instant(value: object) -> datetime:
    """An aware instant in UTC, to the second; a time without a zone is refused."""
    moment = to_moment(value)
    if moment.utcoffset() is None:
        raise BadValue(
            "a date and time needs its zone, as in 2026-12-31T18:30:00+03:00",
            reason="time_without_zone",
        )
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise BadValue("no such date or time") from None


def to_gmt_zone(value: object) -> str:
    """`+03:00` or the id of a region."""
    read = zone.canonical(to_text(value))
    if read is None:
        raise BadValue("not a zone such as +03:00, UTC+3 or Europe/Moscow", reason="zone_invalid")
    return read


def to_allowed_days(value: object) -> list[str]:
    """`["mon", "tue"]` from a list, JSON, or text such as `mon-fri`."""
    return list(window.parse_days(_parsed(value, "[")))


def to_allowed_time(value: object) -> dict[str, list[dict[str, str]]]:
    """The contract's object from one, from JSON, or from text such as `09:00-21:00`."""
    return window.hours_to_wire(window.parse_hours(_parsed(value, "{")))


def _parsed(value: object, opening: str) -> object:
    """JSON text as data; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(opening):
        return value
    if len(value) > MAX_TEXT_CHARS:
        raise BadValue(f"longer than {MAX_TEXT_CHARS} characters", reason="value_too_long")
    try:
        data: object = orjson.loads(value)
    except (ValueError, UnicodeEncodeError):
        raise BadValue("not JSON") from None
    return data


def _bounded(limits: tuple[int, int]) -> Reader:
    low, high = limits

    def read(value: object) -> int:
        number = to_int(value)
        if not low <= number <= high:
            raise BadValue(f"not between {low} and {high}", reason="value_out_of_range")
        return number

    return read


READERS: Final[Mapping[str, Reader]] = {
    START: to_instant,
    FINISH: to_instant,
    DAYS: to_allowed_days,
    TIME: to_allowed_time,
    "retryIntervalInMinutes": _bounded(RETRY_INTERVAL_MIN),
    "maxAttempts": _bounded(MAX_ATTEMPTS),
    GMT_ZONE: to_gmt_zone,
    "dialerPriority": _bounded(DIALER_PRIORITY),
}
