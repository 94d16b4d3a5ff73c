"""The rules of an addPhones batch: all of it is right, or nothing is taken.

Owns the sandbox's own check of phones. It must never ask the client's phone library: the witness
reads numbers by its own simple rules.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from syncd.sandbox.refusals import RefusalError, bad_request
from syncd.sandbox.settings import JobSettings, SettingsCache

#: 7 to 15 digits with the country code; the codes 1 and 7 have numbers of exactly 11.
_PHONE = re.compile(r"\+?([17][0-9]{10}|[2-689][0-9]{6,14})")


class Draft(NamedTuple):
    """An item that passed; it is a job once the duplicate rule lets it through."""

    phone: str
    payload: str | None
    settings: JobSettings


def read_batch(body: bytes, cache: SettingsCache) -> list[Draft]:
    """The drafts of an addPhones body in its order; raises RefusalError for the first fault.

    Source: Calls API, Errors of addPhones (400; nothing of the batch is added).
    """
    items = read_json(body)
    if type(items) is not list:
        raise bad_request("the body must be a JSON array of jobs")
    drafts = [_draft(item, cache) for item in items]
    if len({draft.phone for draft in drafts}) < len(drafts):
        raise duplicated(_repeats(drafts))
    return drafts


def read_json(body: bytes) -> Any:
    """Any JSON value; RefusalError when the body is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_request("the body is not valid JSON") from None


def draft_one(
    phone: object, payload: dict[str, str] | None, zone: str | None, cache: SettingsCache
) -> Draft:
    """The draft of addPhone: parameters of a query or form."""
    item: dict[str, object] = {"phone": phone, "payload": payload or None}
    if zone:
        item["gmtZone"] = zone
    return _draft(item, cache)


def phone_digits(value: object) -> str:
    """The digits of a phone as sent (text or number, with or without +); RefusalError if bad."""
    text = value if type(value) is str else str(value) if type(value) is int else ""
    found = _PHONE.fullmatch(text)
    if found is not None:
        return found[1]
    raise RefusalError("phone.bad.format", "phone does not comply to the country rules", phone=text)


def duplicated(phones: list[str]) -> RefusalError:
    """The refusal that names all repeats, the first of them as `phone`."""
    return RefusalError(
        "phone.duplicated",
        "phone is duplicated",
        phone=phones[0],
        phonesDuplicates=phones,
    )


def _draft(item: Any, cache: SettingsCache) -> Draft:
    if type(item) is not dict:
        raise bad_request("a job must be a JSON object")
    value = item.pop("phone", None)
    if value is None:
        raise bad_request("a job needs a phone")
    phone = phone_digits(value)
    payload = item.pop("payload", None)
    if payload is not None and type(payload) is not dict:
        raise bad_request("payload must be a JSON object")
    # Kept as text: the bytes that orjson gives hold on to a whole page of memory each.
    kept = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode() if payload else None
    return Draft(phone, kept, cache.of(item, phone))


def _repeats(drafts: list[Draft]) -> list[str]:
    seen: set[str] = set()
    repeats: dict[str, None] = {}
    for draft in drafts:
        if draft.phone in seen:
            repeats[draft.phone] = None
        seen.add(draft.phone)
    return list(repeats)


def length(body: bytes) -> int:
    """How many phones a batch names whose content nobody looks at."""
    try:
        items = orjson.loads(body)
    except orjson.JSONDecodeError:
        return 0
    return len(items) if isinstance(items, list) else 0
