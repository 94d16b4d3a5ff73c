"""The customer's table of leads, and what people and the vendor do to a world while it runs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from syncd.clock import from_ms
from syncd.core.mapping import MappingSpec, ValueSpec
from syncd.errors import SourceDown
from syncd.sources.base import Page
from tests.running import phone_of
from tests.sim.plan import HOUR_MS, MINUTE_MS, Plan

COLUMNS = ("id", "phone", "name", "ends")
#: No phone of any country.
BAD_PHONE = "12"
#: Of a hundred rows so many have no phone, or the phone of an earlier row.
_BAD, _REPEATED = 8, 15
_FAILS = 0.1
#: Where rows have an end, every second one has, so soon.
_ENDS_MS = (2 * MINUTE_MS, 2 * HOUR_MS)


def spec(plan: Plan) -> MappingSpec:
    """How a row becomes a call job."""
    fields = {"gmtZone": ValueSpec(value="+00:00")}
    if plan.windows:
        day = [{"localTimeFrom": "09:00", "localTimeTo": "21:00"}]
        fields["allowedTime"] = ValueSpec(value={"default": day}, type="json")
    if plan.ends:
        fields["finishDateTime"] = ValueSpec(column="ends")
    payload = {"name": ValueSpec(column="name")}
    return MappingSpec(("id",), ("phone",), None, payload, fields, None)


@dataclass(slots=True)
class Table:
    """A source in memory: rows are added at its end while others read it."""

    name: str
    page_size: int
    chance: random.Random
    now_ms: Callable[[], int]
    ends: bool = False  #: rows may have an end
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    edits: Counter[str] = field(default_factory=Counter)  #: of rows with this number
    calm: bool = False

    def grow(self, count: int, first: int) -> None:
        """Add rows: most with a phone of their own."""
        for n in range(first, first + count):
            drawn = self.chance.randrange(100)
            number = phone_of(n)
            if drawn < _BAD:
                number = BAD_PHONE
            elif drawn < _BAD + _REPEATED and self.rows:
                number = self.chance.choice(self.rows)[1]
            self.rows.append((f"{self.name}-{n}", number, f"Lead {n}", self._end()))

    def edit(self) -> None:
        """Change a row that may be known already, and tell it again at the end."""
        if self.rows:
            key, number, _, end = self.chance.choice(self.rows)
            self.edits[number] += 1
            self.rows.append((key, number, f"changed {len(self.rows)}", end))

    def _end(self) -> str:
        if not self.ends or self.chance.random() < 1 / 2:
            return ""
        end = from_ms(self.now_ms() + self.chance.randint(*_ENDS_MS))
        return f"{end:%Y-%m-%dT%H:%M:%SZ}"

    def read(self, cursor: Mapping[str, object] | None, *, now: datetime) -> Iterator[Page]:
        """Pages from the cursor on."""
        at = 0 if cursor is None else int(str(cursor["at"]))
        while at < len(self.rows):
            if not self.calm and self.chance.random() < _FAILS:
                raise SourceDown("the table cannot be read now")
            some = self.rows[at : at + self.page_size]
            lines = list(range(at + 1, at + 1 + len(some)))
            at += len(some)
            yield Page(self.name, COLUMNS, list(some), lines, {"at": at})


@dataclass(slots=True)
class DoNotCall:
    """A list of numbers that nobody calls any more; it only grows."""

    numbers: list[str] = field(default_factory=list)

    def read(self, cursor: Mapping[str, object] | None, *, now: datetime) -> Iterator[Page]:
        """The whole list."""
        lines = list(range(1, 1 + len(self.numbers)))
        yield Page("dnc", ("phone",), [(one,) for one in self.numbers], lines, {})
