"""Reads the values of a record as typed data: text, numbers, yes or no, dates, JSON.

It owns what people write in exports: decimal commas, thousand spaces, `да`, `31.12.2026`. It must
never guess between two meanings: what can be read in two ways is refused with a reason. Values
come as text from files and as Python objects from databases and spreadsheets; both are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from math import isnan
from typing import Final, Literal

import orjson

from syncd.core.refusal import BadValue

ValueType = Literal["str", "int", "float", "bool", "date", "datetime", "json"]
Reader = Callable[[object], object]

MAX_TEXT_CHARS: Final = 10_000  #: of one value
_SURE_DIGITS = 15  #: fewer than MAX_INT has
MAX_INT: Final = 2**53 - 1  #: call scripts read JSON numbers as doubles; beyond, digits are lost

_YES = frozenset({"yes", "y", "true", "t", "1", "on", "да", "д", "истина", "так", "иә"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "нет", "н", "ложь", "ні", "жоқ"})
_SIMPLE = re.compile(r"[0-9]{1,12}[.,][0-9]{1,12}")  # one way to read it, and the common one
_SPACES = re.compile(r"[\s'\u2019]")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}([\s'\u2019.,])[0-9]{3}(?:\1[0-9]{3})*(?:[.,][0-9]*)?")
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_DOTTED_DATE = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?:[ T,]+(.+))?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T].*)?")
_ISO_TIME = re.compile(
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?\s*(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_CONTROL = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def is_blank(value: object) -> bool:
    """Whether a record has nothing there: NULL, NaN, or text of white space only."""
    if isinstance(value, str):
        return not value or value.isspace()
    if isinstance(value, Decimal):
        return value.is_nan()
    return value is None or (isinstance(value, float) and isnan(value))  # tables spell it NaN


def to_text(value: object) -> str:
    """Text without the spaces around it, control characters or half surrogates."""
    if value.__class__ is str:
        text = str(value).strip()
    elif isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INT:
        text = str(int(value))  # a spreadsheet has no whole numbers: 7.0 was typed as 7
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, Decimal):
        text = f"{value:f}"
    elif isinstance(value, datetime | date | time):
        text = value.isoformat()
    elif isinstance(value, str | int | float):
        text = str(value).strip()
    else:
        text = json_text(value)
    if len(text) > MAX_TEXT_CHARS:
        raise BadValue(f"longer than {MAX_TEXT_CHARS} characters", reason="value_too_long")
    return text if text.isprintable() else clean_text(text)


def clean_text(text: str) -> str:
    """The text without control characters (tab and newline stay); half surrogates are U+FFFD."""
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))


def to_int(value: object) -> int:
    """A whole number; `1 234` and `5,00` are, `5,5` and `1,234` (1.234 or 1234?) are not."""
    sure = _sure_int(value)
    if sure is not None:
        return sure
    number = _decimal(value)
    if number != number.to_integral_value():
        raise BadValue("not a whole number")
    if abs(number) > MAX_INT:
        raise BadValue("a whole number beyond 2^53 - 1 loses digits in the call script")
    return int(number)


def to_float(value: object) -> float:
    """A finite number; a comma is a decimal comma unless a dot follows it, or commas repeat."""
    if value.__class__ is str and _SIMPLE.fullmatch(str(value)):
        return float(str(value).replace(",", "."))
    sure = _sure_int(value)
    number = float(_decimal(value) if sure is None else sure)
    if number in (float("inf"), float("-inf")):
        raise BadValue("a number out of range")
    return number


def _sure_int(value: object) -> int | None:
    """Digits alone, the common case, at a tenth of the cost."""
    if value.__class__ is not str:
        return None
    digits = str.strip(value)
    sure = len(digits) <= _SURE_DIGITS and digits.isdecimal() and digits.isascii()
    return int(digits) if sure else None


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool):
        raise BadValue("yes or no where a number is expected")
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
        if not number.is_finite():
            raise BadValue("not a finite number")
        return number
    if not isinstance(value, str) or len(value) > 64:  # noqa: PLR2004 - no number is that long
        raise BadValue("not a number")
    return _decimal_of_text(value.strip().replace("\u2212", "-"))


def _decimal_of_text(text: str) -> Decimal:
    grouped = _GROUPED.fullmatch(text)
    if grouped is not None and (grouped[1] not in ".," or _groups_sure(text, grouped[1])):
        text = text.replace(grouped[1], "")
        text = _SPACES.sub("", text)
    if not text.isascii() or _PLAIN.fullmatch(text) is None:
        raise BadValue("not a number")
    return Decimal(text.replace(",", "."))


def _groups_sure(text: str, separator: str) -> bool:
    """`1,234,567` and `1,234.5` are surely grouped; `1,234` is read with a decimal comma."""
    other = "." if separator == "," else ","
    return text.count(separator) > 1 or other in text


def to_bool(value: object) -> bool:
    """Yes or no in the words of _YES and _NO, any case; 1 and 0."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise BadValue("neither yes nor no")


def to_moment(value: object) -> datetime:
    """A date and time, aware if its text tells a zone; ISO 8601 or `31.12.2026 18:30`."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    text = value.strip() if isinstance(value, str) and len(value) <= MAX_TEXT_CHARS else ""
    dotted = _DOTTED_DATE.fullmatch(text)
    if dotted is not None:
        day, month, year, clock = dotted.groups()
        day_text = f"{year}-{month:0>2}-{day:0>2}"
    elif _ISO_DATE.fullmatch(text):
        day_text, clock = text[:10], text[11:]
    else:
        raise BadValue("not a date such as 2026-12-31 or 31.12.2026")
    try:
        return datetime.fromisoformat(f"{day_text}T{_clock(clock)}" if clock else day_text)
    except ValueError:
        raise BadValue("no such date or time") from None


def _clock(text: str) -> str:
    """`9:05` as `09:05:00`, with the zone when there is one."""
    found = _ISO_TIME.fullmatch(text.strip())
    if found is None:
        raise BadValue("not a time such as 18:30 or 18:30:00+03:00")
    hour, minute, second, zone = found.groups()
    return f"{hour:0>2}:{minute}:{second or '00'}{zone or ''}"


def to_date_text(value: object) -> str:
    """`2026-12-31`; the time of day, if any, is left out."""
    return to_moment(value).date().isoformat()


def to_moment_text(value: object) -> str:
    """`2026-12-31T18:30:00+03:00`; without an offset when the record gives none."""
    return to_moment(value).isoformat(timespec="seconds")


def to_json(value: object) -> object:
    """Data that can be sent as JSON: parsed from text, or an object of a database as it is."""
    if not isinstance(value, str):
        json_text(value)
        return value
    if len(value) > MAX_TEXT_CHARS:
        raise BadValue(f"longer than {MAX_TEXT_CHARS} characters", reason="value_too_long")
    try:
        data: object = orjson.loads(value)
    except (ValueError, UnicodeEncodeError):
        raise BadValue("not JSON") from None
    json_text(data)  # depth and width that can be read cannot always be written
    return data


def json_text(value: object) -> str:
    """`value` as JSON text; raises `BadValue` when it cannot be."""
    try:
        return orjson.dumps(value, default=_json_default).decode()
    except (TypeError, ValueError, RecursionError):
        raise BadValue("cannot be written as JSON") from None


def _json_default(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


READERS: Final[Mapping[ValueType, Reader]] = {
    "str": to_text,
    "int": to_int,
    "float": to_float,
    "bool": to_bool,
    "date": to_date_text,
    "datetime": to_moment_text,
    "json": to_json,
}
