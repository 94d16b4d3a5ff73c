"""Turns a record into a call job, or says why not.

It owns the order in which a record is judged: filter, phone, payload, the vendor's fields, zone.
It must never let a value through that the vendor would refuse, since one refuses a whole batch, and
never show a whole value in a rejection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple

import orjson

from syncd.core import phone, record
from syncd.core.call_times import HELD_NO_ZONE, NO_BOUNDS, Bounds, CallTimes, horizon_end
from syncd.core.call_window import CallWindow, whole_item
from syncd.core.columns import Columns
from syncd.core.compiled import Compiled
from syncd.core.fields import DAYS, FINISH, GMT_ZONE, START, START_NOT_BEFORE_FINISH, TIME
from syncd.core.getters import MISSING, Row, Value
from syncd.core.masking import mask_phone, mask_text
from syncd.core.refusal import BadValue
from syncd.core.spec import MAPPING_VERSION, MappingSpec, ValueSpec
from syncd.core.window import DEFAULT_DAY, WHOLE_DAY, Hours, parse_hours
from syncd.core.zone import canonical

__all__ = [
    "HELD_NO_ZONE",
    "MAPPING_VERSION",
    "MappedJob",
    "Mapper",
    "MappingSpec",
    "Rejected",
    "ValueSpec",
    "check_spec",
]

BODY_TOO_LONG: Final = "body_too_long"

MAX_BODY_BYTES: Final = 65_536  #: of one job
_JSON = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
#: Fields that say when a person may be called.
_TIMED = frozenset({GMT_ZONE, DAYS, TIME, START, FINISH})

#: Compiles zones and hours for the columns of a source.
TimesMaker = Callable[[Columns], CallTimes]


class MappedJob(NamedTuple):
    """What is sent for one record; a light tuple, for there are many."""

    phone: int  #: E.164 digits
    body: bytes  #: one item of addPhones, as JSON; the phone is text of digits without "+"
    zone: str | None  #: gmtZone as sent
    held: str | None  #: why the job must wait, such as "no_zone", or None
    finish_at: datetime | None  #: finishDateTime, aware UTC; of a slice, where there are slices
    window: CallWindow | None = None  #: what is sent beside the body; None: nothing
    ends_at: datetime | None = None  #: where `finish_at` is the end of a slice: the job's own end

    @property
    def item(self) -> bytes:
        """The whole JSON of the call job, as it is sent."""
        return self.body if self.window is None else whole_item(self.body, self.window.fields)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a record became no call job."""

    reason: str  #: a stable code
    column: str | None  #: where it was seen; several are separated by ", "
    masked: str  #: enough of the value to find it, never all


class Mapper:
    """Compiled once for a set of columns; every row must be aligned to them.

    Raises `ConfigError` with all problems at once: absent columns with the nearest name, constants
    that the vendor would refuse, an unreadable filter or template.
    """

    def __init__(
        self,
        spec: MappingSpec,
        columns: tuple[str, ...] | None,
        times: TimesMaker | None = None,
    ) -> None:
        """Compile for these columns.

        Args:
        columns: None checks a mapping whose source has not been opened; it maps nothing.
        times: makes what works out zones and hours; None: what is mapped is sent as it is.
        """
        named = Columns(columns)
        parts = Compiled(spec, named)
        parts.raise_problems()
        self._region = spec.default_region
        self._keep: Callable[[Row], bool] | None = parts.filter.test if parts.filter else None
        self._key = tuple(zip(parts.key, spec.key, strict=True))
        self._phones = tuple(zip(parts.phones, spec.phone, strict=True))
        self._payload = tuple(parts.payload.items())
        self._fields = tuple((n, v) for n, v in parts.fields.items() if not v.constant)
        self._constants = {n: v.get(()) for n, v in parts.fields.items() if v.constant}
        self._bounded = START in parts.fields or FINISH in parts.fields
        self._times = None if times is None else times(named)
        self._timed = bool(_TIMED & parts.fields.keys())
        self._read: Callable[[Row], object] = itemgetter(*parts.positions())

    def key(self, row: Row) -> str | Rejected:
        """Which record this is, or that its key columns are blank or cannot be one."""
        texts: list[str] = []
        position, column = self._key[0]
        try:
            for position, column in self._key:  # noqa: B007 - both say where it failed
                texts.append(record.key_part(row[position]))
            return record.join_key(texts)
        except BadValue as bad:
            return Rejected(bad.reason, column, mask_text(row[position]))

    def revision(self, row: Row) -> bytes:
        """Eight bytes: a digest of the raw values of the columns that the mapping reads."""
        values = self._read(row)
        return record.revision(values if isinstance(values, tuple) else (values,))

    def keeps(self, row: Row) -> bool:
        """Whether the filter lets the record through."""
        return self._keep is None or self._keep(row)

    def map(self, row: Row) -> MappedJob | Rejected | None:
        """The call job of a record, or why there is none; None when the filter says no."""
        if not self.keeps(row):
            return None
        number = self._phone(row)
        if isinstance(number, Rejected):
            return number
        item: dict[str, Any] = {"phone": str(number)}
        payload: dict[str, object] = {}
        value: Value | None = None
        try:
            for name, value in self._payload:
                got = value.get(row)
                if got is not MISSING:
                    payload[name] = got
            if payload:
                item["payload"] = payload
            item.update(self._constants)
            for name, value in self._fields:
                got = value.get(row)
                if got is not MISSING:
                    item[name] = got
        except BadValue as bad:
            assert value is not None
            return Rejected(bad.reason, value.column, value.masked(row))
        if self._times is None:
            return self._finish(number, item)
        return self._timed_job(row, number, item, self._times)

    def _phone(self, row: Row) -> int | Rejected:
        """The first phone column that holds a valid number; else why the first filled one fails."""
        refused: Rejected | None = None
        for position, column in self._phones:
            number = phone.normalise(row[position], self._region)
            if isinstance(number, int):
                return number
            if number != phone.PHONE_MISSING and refused is None:
                refused = Rejected(number, column, mask_phone(str(row[position])))
        return refused or Rejected(phone.PHONE_MISSING, self._phones[0][1], "")

    def _timed_job(
        self, row: Row, number: int, item: dict[str, Any], times: CallTimes
    ) -> MappedJob | Rejected:
        """The job of a complete item with its window, which is sent beside it."""
        bounds = NO_BOUNDS
        if self._timed:
            bounds = _bounds(item)
            start, finish = bounds.start, bounds.finish
            if start is not None and finish is not None and start >= finish:
                return Rejected(START_NOT_BEFORE_FINISH, FINISH, mask_text(finish.isoformat()))
        window = times.window(row, number, bounds)
        ends_at = None
        if window.finish_at is not None:  # a slice: it has the ends that are sent
            ends_at = bounds.finish or horizon_end(window.finish_at)
            item.pop(START, None)
            item.pop(FINISH, None)
        times.bound(row, number, item)
        body = orjson.dumps(item, default=float, option=_JSON)
        if len(body) > MAX_BODY_BYTES:
            return Rejected(BODY_TOO_LONG, None, f"({len(body)} bytes)")
        end = window.finish_at or bounds.finish
        return MappedJob(number, body, window.gmt_zone, window.held, end, window, ends_at)

    def _finish(self, number: int, item: dict[str, Any]) -> MappedJob | Rejected:
        """The job of a complete item: its zone, its last checks, its bytes."""
        start, finish = (item.get(START), item.get(FINISH)) if self._bounded else (None, None)
        if start is not None and finish is not None and start >= finish:
            return Rejected(START_NOT_BEFORE_FINISH, FINISH, mask_text(finish.isoformat()))
        zone = item.get(GMT_ZONE)
        if zone is None:
            zone = canonical(phone.zone_of(number) or "")
            if zone is not None:
                item[GMT_ZONE] = zone
        body = orjson.dumps(item, default=float, option=_JSON)
        if len(body) > MAX_BODY_BYTES:
            return Rejected(BODY_TOO_LONG, None, f"({len(body)} bytes)")
        return MappedJob(number, body, zone, None if zone else HELD_NO_ZONE, finish)


def _bounds(item: dict[str, Any]) -> Bounds:
    """What the record says of its time; zone and hours leave the item."""
    zone, days, told = item.pop(GMT_ZONE, None), item.pop(DAYS, None), item.pop(TIME, None)
    hours: Hours | None = None
    if told is not None:
        hours = parse_hours(told)
    elif days is not None:
        hours = {DEFAULT_DAY: (WHOLE_DAY,)}
    if hours is not None and days is not None:
        default = hours.get(DEFAULT_DAY, ())
        hours = {day: hours.get(day, default) for day in days}
    return Bounds(zone, hours, item.get(START), item.get(FINISH))


def check_spec(spec: MappingSpec) -> None:
    """Raises `ConfigError` for what is wrong in a mapping whatever its source's columns are."""
    Mapper(spec, None)
