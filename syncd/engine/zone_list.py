"""The zones and hours of a whole list of numbers, told without campaign, ledger or configuration.

Each number is answered by the code that answers for call jobs, so what this says is what would be
sent. Reads page by page and keeps one answer for all who share it: memory does not grow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson

from syncd.core import phone
from syncd.core.call_times import CallTimes
from syncd.core.call_window import CallWindow
from syncd.core.columns import Columns
from syncd.core.fields import GMT_ZONE
from syncd.core.hours.preset_text import hours_text
from syncd.core.hours.sent import read_sent
from syncd.core.refusal import BadValue
from syncd.core.spec import HoursSpec, MappingSpec, ZoneSpec
from syncd.core.sync_times import times_at
from syncd.core.zones.registry import Registry
from syncd.core.zones.registry_step import NO_REGISTRY
from syncd.errors import ConfigError
from syncd.sources.base import Page

ONE: Final = "one_clock"
SEVERAL: Final = "several_clocks"
HELD: Final = "held"
NO_PHONE: Final = "no_phone"
CONFIDENCE: Final = (ONE, SEVERAL, HELD, NO_PHONE)

_KEPT_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a number's zone, shared by all numbers of which the same is known."""

    confidence: str  #: one of CONFIDENCE
    why: str | None = None  #: it is held, or is no phone: a reason code
    gmt_zone: str | None = None  #: as it would be sent
    zones: tuple[str, ...] = ()  #: candidates, the likeliest first
    shares: tuple[float, ...] = ()
    step: str | None = None  #: that answered, or was asked last
    value: str | None = None  #: what it read
    note: str = ""
    hours: str | None = None  #: of an ordinary week, in that zone; None: the campaign's own


@dataclass(frozen=True, slots=True)
class Number:
    """A row of the list with its answer."""

    line: int
    row: Sequence[object]
    phone: int | None
    answer: Answer


@dataclass(slots=True)
class Summary:
    """How many numbers there were, by what is known of them."""

    numbers: int = 0
    by_confidence: Counter[str] = field(
        default_factory=lambda: Counter(dict.fromkeys(CONFIDENCE, 0))
    )
    by_zone: Counter[str] = field(default_factory=Counter)  #: of one clock, and "several", "none"
    why: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0  #: records that are no row
    no_registry: int = 0  #: Russian numbers that the numbering registry would know

    def add(self, answer: Answer) -> None:
        """One more number."""
        self.numbers += 1
        self.by_confidence[answer.confidence] += 1
        if answer.why is not None:
            self.why[answer.why] += 1
        self.no_registry += answer.note == NO_REGISTRY
        if answer.confidence != NO_PHONE:
            clocks = len(answer.zones)
            one = answer.zones[0] if clocks == 1 else "several" if clocks else "none"
            self.by_zone[one] += 1


def list_mapping(
    column: str, default_region: str | None, zones: ZoneSpec, hours: HoursSpec
) -> MappingSpec:
    """The mapping of a list in which only `column`, the phone's, and its places count."""
    return MappingSpec((column,), (column,), default_region, {}, {}, None, zones, hours)


class ZoneList:
    """Answers for the numbers of a list; `summary` grows while they are read."""

    def __init__(self, spec: MappingSpec, registry: Registry | None, now: datetime) -> None:
        """`spec` names the phone's column; its zones and hours are those that are told."""
        self._spec = spec
        self._times_at = times_at(spec, registry)(now)
        self._made: tuple[tuple[str, ...], CallTimes, int] | None = None
        self._answers: dict[str, Answer] = {}
        self.summary = Summary()

    def read(self, pages: Iterable[Page]) -> Iterator[tuple[Page, list[Number]]]:
        """Each page with its numbers; raises ConfigError for a column that is not there."""
        for page in pages:
            self.summary.unreadable += len(page.bad)
            if page.columns:
                yield page, self._numbers(page)

    def _numbers(self, page: Page) -> list[Number]:
        times, position = self._compiled(page)
        found = []
        for line, row in zip(page.lines, page.rows, strict=True):
            number = phone.normalise(row[position], self._spec.default_region)
            if isinstance(number, int):
                answer = self._answer(times.window(row, number))
            else:
                answer = self._kept(number, Answer(NO_PHONE, why=number))
            self.summary.add(answer)
            found.append(Number(line, row, number if isinstance(number, int) else None, answer))
        return found

    def _compiled(self, page: Page) -> tuple[CallTimes, int]:
        if self._made is None or self._made[0] != page.columns:
            columns = Columns(page.columns)
            try:
                made = self._times_at(columns), columns.position(self._spec.phone[0])
            except BadValue as bad:
                raise ConfigError(bad.why, where=page.origin) from None
            self._made = (page.columns, *made)
        return self._made[1], self._made[2]

    def _answer(self, window: CallWindow) -> Answer:
        known = self._answers.get(window.digest)
        return known or self._kept(window.digest, _answer(window))

    def _kept(self, key: str, answer: Answer) -> Answer:
        if len(self._answers) >= _KEPT_MAX:
            self._answers.clear()
        return self._answers.setdefault(key, answer)


def _answer(window: CallWindow) -> Answer:
    """What a window tells a person."""
    basis = orjson.loads(window.basis)
    fields = orjson.loads(b"{" + window.fields + b"}")
    sent = read_sent(fields)
    step, value, _, note = basis["evidence"][-1] if basis["evidence"] else (None, None, (), "")
    zones = tuple(basis["zones"])
    return Answer(
        confidence=HELD if window.held else ONE if len(zones) == 1 else SEVERAL,
        why=window.held,
        gmt_zone=fields.get(GMT_ZONE),
        zones=zones,
        shares=tuple(basis.get("shares", ())),
        step=step,
        value=value,
        note=note,
        hours=None if sent is None else hours_text(sent.common.week),
    )
