"""What the rows of a do-not-call list bar: phones (international form) and keys of leads."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core import phone, record
from syncd.core.columns import Columns
from syncd.core.refusal import BadValue
from syncd.engine.parts import Suppression
from syncd.errors import ConfigError
from syncd.ledger.suppressions import KEY, PHONE, Listed
from syncd.sources.base import Page


def entries_of(suppression: Suppression, page: Page) -> tuple[list[Listed], int]:
    """What a page of a list bars, and how many of its records bar nobody.

    Raises:
        ConfigError: the page lacks a column that the list names.
    """
    unreadable = len(page.bad)
    if not page.rows:
        return [], unreadable
    columns = Columns(page.columns)
    try:
        phones = [columns.position(name) for name in suppression.phone]
        keys = [columns.position(name) for name in suppression.key]
    except BadValue as bad:
        where = f"suppressions.{suppression.name}"
        raise ConfigError(f"the do-not-call list cannot be read: {bad.why}", where=where) from None
    found: list[Listed] = []
    for row in page.rows:
        mine = [*_phones(row, phones, suppression.default_region), *_keys(row, keys)]
        unreadable += not mine
        found += mine
    return found, unreadable


def _phones(row: Sequence[object], positions: Sequence[int], region: str | None) -> list[Listed]:
    numbers = (phone.normalise(row[position], region) for position in positions)
    return [Listed(PHONE, str(number)) for number in numbers if isinstance(number, int)]


def _keys(row: Sequence[object], positions: Sequence[int]) -> list[Listed]:
    if not positions:
        return []
    try:
        parts = [record.key_part(row[position]) for position in positions]
        return [Listed(KEY, record.join_key(parts))]
    except BadValue:
        return []
