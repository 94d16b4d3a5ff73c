"""Whether what was queued would be sent otherwise today: other zones, or other hours.

A window is worked out again as of the moment when it was made: what differs then differs because of
settings, presets, holidays, clocks or the registry, and not because time has passed. Zones are
looked for again by what the evidence says was read; where the number itself was, by the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from syncd.core.call_window import dumped
from syncd.core.columns import Columns
from syncd.core.fields import FINISH, START
from syncd.core.renewal import Renewal
from syncd.core.spec import HoursSpec, ZoneSpec
from syncd.core.zones.candidates import Candidates
from syncd.core.zones.chain_of import chain_of
from syncd.core.zones.places.countries import country_of_phone
from syncd.core.zones.registry import Registry
from syncd.core.zones.tz_tables import Clocks

#: Steps that read the number, and no column.
_BY_NUMBER: Final = frozenset({"registry", "phone"})
#: A pass begins, and a moment later its windows are worked out as of then.
_MOMENTS: Final = (timedelta(0), timedelta(seconds=5))
_KEPT_MAX: Final = 65_536
_MOMENTS_MAX: Final = 1_000


class Queued(NamedTuple):
    """A window as jobs were queued with it."""

    basis: str  #: JSON, as the ledger keeps it
    fields: str  #: members of a JSON object, as they are sent
    made_at: datetime  #: when the pass began that worked it out


class Recheck:
    """What looks at the windows of one sync again, at one moment."""

    def __init__(
        self, hours: HoursSpec, zones: ZoneSpec, registry: Registry | None, now: datetime
    ) -> None:
        """Raises what the mapping raises for settings that cannot be read."""
        self._hours = hours
        self._renewals: dict[datetime, Renewal] = {}
        columns = tuple(dict.fromkeys(zones.columns.values()))
        self._columns = {step: columns.index(name) for step, name in zones.columns.items()}
        self._width = len(columns)
        self._chain = chain_of(zones, Columns(columns), registry, Clocks(now))
        self._kept: dict[object, str] = {}

    @staticmethod
    def by_number(basis: str) -> bool:
        """Whether the number itself told the zones, so that each number has to be asked again."""
        evidence = orjson.loads(basis)["evidence"]
        return not evidence or evidence[-1][0] in _BY_NUMBER

    def basis(self, basis: str, phone: int) -> str:
        """What the window would be worked out from today; the same text where nothing changed."""
        whose = str(phone)
        key = (basis, whose if self.by_number(basis) else country_of_phone(whose))
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            found = self._kept[key] = self._looked_up(basis, phone)
        return found

    def differs(self, queued: Queued, phone: int, until: datetime | None) -> bool:
        """Whether other hours would be sent today in the same zones.

        Args:
            until: the job's own end, where it goes from slice to slice.
        """
        sent = orjson.loads("{" + queued.fields + "}")
        since = None
        if FINISH in sent and START in sent:
            since = datetime.fromisoformat(sent[START])
        return all(
            self._at(queued.made_at + moment).window(queued.basis, phone, until, since).fields
            != queued.fields.encode()
            for moment in _MOMENTS
        )

    def _at(self, moment: datetime) -> Renewal:
        found = self._renewals.get(moment)
        if found is None:
            if len(self._renewals) >= _MOMENTS_MAX:
                self._renewals.clear()
            found = self._renewals[moment] = Renewal(self._hours, moment)
        return found

    def _looked_up(self, basis: str, phone: int) -> str:
        told = orjson.loads(basis)
        row = self._row(told["evidence"])
        if row is None:
            return basis
        found = self._chain.resolve(row, str(phone))
        by_column = bool(told["zones"]) and not self.by_number(basis)
        if by_column and found.evidence[-1].step != told["evidence"][-1][0]:
            return basis  # what was kept of the cell is masked or cut: it cannot be read again
        if list(found.zones) == told["zones"]:
            return basis
        return _with_zones(told, found)

    def _row(self, evidence: list[list[Any]]) -> tuple[object, ...] | None:
        """The cells that were read, where the evidence has all that decide; else None."""
        read = {step: value for step, value, *_ in evidence}
        if any(step not in self._columns and step not in _ASKED for step in read):
            return None  # the mapping's own zone, or a step that is no more
        if "country" in self._columns and "country" not in read and not _plain(read):
            return None  # a country decides how places are read, and is not told
        row: list[object] = [""] * self._width
        for step, at in self._columns.items():
            row[at] = read.get(step, "")
        return tuple(row)


#: Steps without a column of their own.
_ASKED: Final = _BY_NUMBER | {"default"}


def _plain(read: Mapping[str, object]) -> bool:
    """Whether no place was read."""
    return not {"region", "city", "postcode"} & read.keys()


def _with_zones(told: Mapping[str, Any], found: Candidates) -> str:
    basis: dict[str, Any] = {**told, "zones": found.zones}
    basis["evidence"] = [[one.step, one.value, one.zones, one.note] for one in found.evidence]
    for name in ("shares", "settled_for"):
        basis.pop(name, None)
    if found.shares:
        basis["shares"] = found.shares
    return dumped(basis).decode()
