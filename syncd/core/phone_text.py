"""Turns what people type into a phone column into digits with an optional "+".

It owns separators, foreign digits, labels and extensions. It must never decide whether a number
exists, and never repair one: a text that holds more than one number, letters, or a number that a
spreadsheet rounded is refused.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

from syncd.core.values import is_blank

PHONE_MISSING: Final = "phone_missing"  #: blank
PHONE_INVALID: Final = "phone_invalid"  #: no text of a number, or not a valid number of its country
PHONE_ROUNDED: Final = "phone_rounded"  #: "7.9123E+10": a spreadsheet dropped the last digits

_MAX_TEXT = 64  #: longer text is no phone, and not worth the time
_MAX_WHOLE = 10**15  #: a float below is exact, so its digits are those that were typed
_SEPARATORS = " \t\r\n\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000().\\-\u00ad\u2010-\u2015\u2212"
_JOINERS = "/\\[\\]_*~\u00b7\u2022\u30fb"

_DROP_SEPARATORS = str.maketrans("", "", " -()\u00a0")
_SEPARATOR = re.compile(f"[{_SEPARATORS}{_JOINERS}]+")
_INVISIBLE = re.compile("[\u0000-\u0008\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_PLUS = re.compile("[\uff0b\ufe62\u207a]")
_LABEL = re.compile(r"^[^\d+(]*[(\s]*(?=[\d+])")
_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+")
_DECIMAL_TAIL = re.compile(r"(?<=\d{7})[.,]0+$")
_EXTENSION = re.compile(
    r"""[\s,;]*
    (?: (?: ;\s*ext= | e?xt(?:ensi[oó]n?)?n?\b | доб(?:авочный)?\b | вн(?:утр(?:енний)?)?\b
          | int\b | anexo\b | tel\.?\s*int\b | [x#] ) [\s.:=\-]* \d{1,9} [#]?
      | [,;]+ \s* \d{1,5} [#]? )
    [\s)]*$""",
    re.IGNORECASE | re.VERBOSE,
)
_RANGE = re.compile(r"[/\\~]\s*\d{1,3}$")
_JUNK_TAIL = re.compile(r"[\s.,;:!'\"`)\]\-]+$")
_NUMBER = re.compile(r"\+?[0-9]+")


def clean(value: object) -> tuple[str, bool] | str:
    """The digits of `value` with "+" if it had one, and whether that is all it held.

    Returns a reason code instead when `value` can be no phone.
    """
    if value.__class__ is not str:
        return _from_object(value)
    text = str(value)
    if text.isdecimal() and text.isascii():
        return (text, True) if len(text) <= _MAX_TEXT else PHONE_INVALID
    short = text.translate(_DROP_SEPARATORS) if len(text) <= _MAX_TEXT else text
    if short[:1] == "+" and short[1:].isdecimal() and short.isascii():
        return short, False
    if short.isdecimal() and short.isascii():
        return short, False
    return _from_text(text)


def _from_object(value: object) -> tuple[str, bool] | str:
    """Spreadsheets and databases give phones as numbers; those are digits and no more."""
    if isinstance(value, str):  # a subclass
        return clean("".join(value))
    if is_blank(value):
        return PHONE_MISSING
    if isinstance(value, float | Decimal) and 0 < value < _MAX_WHOLE and value == int(value):
        return str(int(value)), True
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MAX_WHOLE:
        return str(value), True
    return PHONE_INVALID


def _from_text(text: str) -> tuple[str, bool] | str:
    text = _INVISIBLE.sub("", text).strip()
    if not text:
        return PHONE_MISSING
    if len(text) > _MAX_TEXT:
        return PHONE_INVALID
    text = _FOREIGN_DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), text)
    text = _PLUS.sub("+", text)
    if _ROUNDED.fullmatch(text):
        return PHONE_ROUNDED
    text = _LABEL.sub("", text, count=1)
    text = _JUNK_TAIL.sub("", _EXTENSION.sub("", text, count=1))
    whole = _DECIMAL_TAIL.sub("", text)  # "79161234567.0": a table kept the column as numbers
    if _RANGE.search(whole):
        return PHONE_INVALID  # "555 01 23/24" is two numbers
    short = _SEPARATOR.sub("", whole)
    if short.startswith("++"):
        short = "+" + short.lstrip("+")
    if not _NUMBER.fullmatch(short):
        return PHONE_INVALID
    return short, short == whole and short[0] != "+"
