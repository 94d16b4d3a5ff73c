"""What a mapping says: which columns become which parts of a call job.

It owns the shape and the digest of a mapping. It must never look at a record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import orjson

from syncd.core.values import ValueType

#: Goes up when the same spec and record give another key, body, zone or rejection than before, so
#: that what an older release rejected is tried again.
MAPPING_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """One mapped value: exactly one of `column`, `template` and `value` is given."""

    column: str | None = None
    template: str | None = None  #: "{first_name} {last_name}"; "{{" and "}}" are braces
    value: object = None  #: a literal that JSON can hold; not None
    type: ValueType = "str"  #: how columns and templates are read; a literal stays what it is
    required: bool = False  #: missing or blank is a rejection; else the value is left out
    default: object = None  #: a literal for a missing or blank value


@dataclass(frozen=True, slots=True)
class MappingSpec:
    """How a record becomes a call job.

    `key` and `phone` name columns; of `phone` the first that holds a valid number is taken.
    `fields` has the vendor's own names (Calls API, "A job in addPhones").
    """

    key: tuple[str, ...]
    phone: tuple[str, ...]
    default_region: str | None
    payload: Mapping[str, ValueSpec]
    fields: Mapping[str, ValueSpec]
    filter: str | None

    @property
    def digest(self) -> str:
        """64 hex digits that change when anything that decides what a record becomes changes."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        parts["payload"] = {name: _plain(value) for name, value in self.payload.items()}
        parts["fields"] = {name: _plain(value) for name, value in self.fields.items()}
        parts["version"] = MAPPING_VERSION
        data = orjson.dumps(parts, default=repr, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(data).hexdigest()


def _plain(spec: ValueSpec) -> dict[str, object]:
    return {each.name: getattr(spec, each.name) for each in fields(spec)}
