"""Tells records apart: the key that says which one, and the revision that says which content.

The key decides who has been called already, so two records must never share one by accident, and
one record must never change its own by a space or by the kind of file it comes in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import orjson

from syncd.core.refusal import BadValue
from syncd.core.values import MAX_INT, clean_text, is_blank

KEY_MISSING: Final = "key_missing"
KEY_INVALID: Final = "key_invalid"

MAX_KEY_CHARS: Final = 512  #: of the whole key
_REVISION_BYTES = 8


def key_part(value: object) -> str:
    """One key column as text: `7`, `"7"`, `" 7 "` and a spreadsheet's `7.0` are one key."""
    if value.__class__ is str:
        text = str(value).strip()
    elif is_blank(value):
        text = ""
    elif isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INT:
        text = str(int(value))
    elif isinstance(value, datetime | date):
        text = value.isoformat()
    elif isinstance(value, str | int | float | Decimal):
        text = str(value).strip()
    elif hasattr(value, "hex") and hasattr(value, "urn"):  # a database's UUID
        text = str(value)
    else:
        raise BadValue("a key is text, a number, a date or a UUID", reason=KEY_INVALID)
    if not text:
        raise BadValue("a key column is blank", reason=KEY_MISSING)
    if not text.isprintable() and clean_text(text) != text:
        raise BadValue("a key holds control characters", reason=KEY_INVALID)
    return text


def join_key(parts: Sequence[str]) -> str:
    r"""`12/34` of several columns; a slash or backslash inside one is written `\/` or `\\`."""
    if len(parts) > 1:
        parts = [part.replace("\\", "\\\\").replace("/", "\\/") for part in parts]
    key = "/".join(parts)
    if len(key) > MAX_KEY_CHARS:
        raise BadValue(f"a key of more than {MAX_KEY_CHARS} characters", reason=KEY_INVALID)
    return key


def revision(values: Sequence[object]) -> bytes:
    """Eight bytes that change when any of `values` changes, be it by a space."""
    try:
        data = orjson.dumps(values, default=repr)
    except (TypeError, ValueError, RecursionError):  # half surrogates, or very deep data
        data = repr(values).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(data, digest_size=_REVISION_BYTES).digest()
