"""What a mapping says: which columns become which parts of a call job.

It owns the shape and the digest of a mapping. It must never look at a record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

import orjson

from syncd.core.values import ValueType

#: Goes up when the same spec and record give another key, body, zone or rejection than before, so
#: that what an older release rejected is tried again.
MAPPING_VERSION: Final = 1

#: Hours that are decent everywhere, for those who give none.
DEFAULT_PRESET: Final = "decent"


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
class ZoneSpec:
    """Where zones are learnt: the steps of a chain, and what each of them reads."""

    steps: tuple[str, ...]  #: see core/zones; the first that knows a zone wins
    columns: Mapping[str, str] = field(default_factory=dict)  #: column by step
    table: str = ""  #: the user's own table, a CSV of value and zone
    default: str | None = None
    overrides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: zones by prefix
    registry: str = ""  #: digest of the numbering registry, so that a new one counts as a change


@dataclass(frozen=True, slots=True)
class HoursSpec:
    """When people may be called; nothing given leaves the hours to the campaign."""

    presets: tuple[str, ...] = (DEFAULT_PRESET,)  #: names, or "auto" alone
    scope: str = "telemarketing"
    guard_min: int | None = None  #: off the end of each interval; None: as the preset says
    holidays: str | None = None  #: "closed", "weekend" or "none"; None: as the preset says
    closed: tuple[str, ...] = ()  #: ISO dates
    working: tuple[str, ...] = ()  #: ISO dates that are no holidays
    on_ambiguous: str = "hold"
    week: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: own hours, by weekday


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
    zones: ZoneSpec | None = None  #: None: the phone's one zone, or the one that is mapped
    hours: HoursSpec | None = None  #: None: what is mapped is sent as it is

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
