"""The Russian numbering registry, compiled: which zones a block of numbers is assigned to.

A table is made of blocks (`registry_csv` reads them), kept as bytes and asked with a number.
Neighbouring blocks with the same zones become one range; what nobody was assigned is no range and
has no answer, so that a number from a gap is never given the zone of its neighbours. Zones are
ids, not clocks: a table stays true when a subject moves its clocks and only `tzdata` changes.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import orjson

from syncd.core.zones.subjects import ALL_RUSSIA, clock
from syncd.errors import ConfigError, Problem

#: What must be told with the data, by their terms.
ATTRIBUTION: Final = (
    "Russian numbering registry, open data of the Ministry of Digital Development,"
    " Communications and Mass Media of the Russian Federation (opendata.digital.gov.ru),"
    " compiled into ranges by time zone; its terms allow any use that names this source and does"
    " not distort the data"
)

_MAGIC = b"syncd-numbering"
_FORMAT = b"1"
_HINT = "import the registry again: syncd numbering import"
_NUMBERS_A_CODE = 10_000_000
_OVERLAPS_SHOWN = 5

Answer = tuple[tuple[str, ...], tuple[float, ...]]


class Block(NamedTuple):
    """Numbers from `first` to `last`, both with the country's 7 (11 digits), and their zones."""

    first: int
    last: int
    zones: tuple[str, ...]


class Registry:
    """Compiled ranges. `zones_of` costs about half a microsecond."""

    def __init__(
        self,
        starts: Sequence[int],
        kinds: Sequence[int],
        answers: Sequence[Answer],
        about: dict[str, Any],
    ) -> None:
        """`starts[i]` begins a range of `answers[kinds[i] - 1]`, or a gap when the kind is 0.

        Args:
            about: where it comes from, for `status`; anything that JSON can hold.
        """
        self.about = about
        self._starts = list(starts)
        self._kinds = list(kinds)
        self._answers = list(answers)
        by_kind = [None, *answers]
        # What is below the first start is found at -1, the last: that is always a gap.
        self._found: list[Answer | None] = [by_kind[kind] for kind in kinds] or [None]

    def zones_of(self, digits: str) -> Answer | None:
        """The zones of a number, likeliest first, and their shares; None if it is nobody's.

        Args:
            digits: E.164 without "+".

        The shares are of the registry's numbers and add up to 1; () for a single zone, and where
        the registry cannot tell (Yakutia's clocks share its blocks).
        """
        return self._found[bisect_right(self._starts, int(digits)) - 1]

    @property
    def ranges(self) -> int:
        """How many ranges there are, gaps left out."""
        return sum(kind > 0 for kind in self._kinds)

    @property
    def digest(self) -> str:
        """Of the ranges and their zones: the same data imported again have the same."""
        content = orjson.dumps([self._answers, self._starts, self._kinds])
        return hashlib.sha256(content).hexdigest()

    def blocks(self) -> list[Block]:
        """The ranges, in order."""
        ends = pairwise([*self._starts, 0])
        return [
            Block(start, after - 1, self._answers[kind - 1][0])
            for (start, after), kind in zip(ends, self._kinds, strict=True)
            if kind
        ]

    def dump(self) -> bytes:
        """The table as bytes: a line of magic, format and digest, a line of JSON, the ranges."""
        head = {"about": self.about, "answers": self._answers, "starts": len(self._starts)}
        count = len(self._starts)
        ranges = struct.pack(_ranges(count), *self._starts, *self._kinds)
        body = orjson.dumps(head) + b"\n" + ranges
        return b" ".join((_MAGIC, _FORMAT, _digest(body))) + b"\n" + body

    @classmethod
    def load(cls, raw: bytes) -> Registry:
        """The table that `dump` wrote; ConfigError for anything else."""
        first, _, body = raw.partition(b"\n")
        parts = first.split(b" ")
        if parts[0] != _MAGIC:
            raise ConfigError("is no compiled numbering registry", hint=_HINT)
        if parts[1:2] != [_FORMAT]:
            raise ConfigError("is a registry compiled by another version of syncd", hint=_HINT)
        if parts[2:] != [_digest(body)]:
            raise ConfigError("the compiled registry is cut or damaged", hint=_HINT)
        line, _, ranges = body.partition(b"\n")
        head = orjson.loads(line)
        count = head["starts"]
        numbers = struct.unpack(_ranges(count), ranges)
        answers = [(tuple(zones), tuple(shares)) for zones, shares in head["answers"]]
        return cls(numbers[:count], numbers[count:], answers, head["about"])


def compiled(blocks: Iterable[Block], about: dict[str, Any]) -> Registry:
    """A registry of all the blocks; ConfigError when two of them overlap.

    `about` is kept, with what the table covers: see `coverage`.
    """
    ordered = sorted(blocks)
    _refuse_overlaps(ordered)
    covered = coverage(ordered)
    kinds: dict[tuple[str, ...], int] = {}
    starts: list[int] = []
    which: list[int] = []
    end = -1
    for block in ordered:
        kind = kinds.setdefault(block.zones, len(kinds) + 1)
        if block.first == end and which[-1] == kind:
            end = block.last + 1
            continue
        if block.first != end and starts:
            starts.append(end)
            which.append(0)
        starts.append(block.first)
        which.append(kind)
        end = block.last + 1
    if starts:
        starts.append(end)
        which.append(0)
    answers = [(zones, _shares(zones, covered["zones"])) for zones in kinds]
    return Registry(starts, which, answers, {**about, **covered})


def coverage(blocks: Iterable[Block]) -> dict[str, Any]:
    """What the blocks cover, in numbers.

    `numbers` by the first digit of the code ("9" mobiles; "3", "4", "8" landlines), `zones` those
    with one zone only, by zone, `one_clock` and `several_clocks` by how many clocks they may have.
    """
    numbers: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    clocks: Counter[bool] = Counter()
    for block in blocks:
        size = block.last - block.first + 1
        numbers[str(block.first)[1]] += size
        clocks[len({clock(zone) for zone in block.zones}) == 1] += size
        if len(block.zones) == 1:
            alone[block.zones[0]] += size
    return {
        "numbers": dict(sorted(numbers.items())),
        "zones": dict(alone.most_common()),
        "one_clock": clocks[True],
        "several_clocks": clocks[False],
    }


def _shares(zones: tuple[str, ...], alone: dict[str, int]) -> tuple[float, ...]:
    """How the numbers with one clock are spread over the clocks of `zones`.

    Zones of one clock have equal parts of it. () when a zone never stands alone in the registry:
    then its part is not known.
    """
    if len(zones) == 1 or not all(zone in alone for zone in zones):
        return ()
    by_clock: Counter[int | None] = Counter()
    for zone, size in alone.items():
        by_clock[clock(zone)] += size
    alike = Counter(clock(zone) for zone in zones)
    sizes = [by_clock[clock(zone)] / alike[clock(zone)] for zone in zones]
    return tuple(size / sum(sizes) for size in sizes)


def shares_of_russia(registry: Registry) -> tuple[float, ...]:
    """The shares of the eleven clocks, in the order of `ALL_RUSSIA`; () when one has no number."""
    return _shares(ALL_RUSSIA, registry.about["zones"])


def _refuse_overlaps(ordered: Sequence[Block]) -> None:
    found = [
        Problem(
            f"{_written(one.first)} to {_written(one.last)}"
            f" and {_written(two.first)} to {_written(two.last)} overlap"
        )
        for one, two in pairwise(ordered)
        if two.first <= one.last
    ]
    if found:
        raise ConfigError(
            f"blocks of numbers overlap: {len(found)} times",
            hint="is a file given twice, or one of an older date with a newer one?",
            problems=found[:_OVERLAPS_SHOWN],
        )


def _written(number: int) -> str:
    code, rest = divmod(number - 7_000 * _NUMBERS_A_CODE, _NUMBERS_A_CODE)
    return f"{code} {rest:07d}"


def _ranges(count: int) -> str:
    """How `count` starts and kinds are packed."""
    return f"<{count}Q{count}H"


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode("ascii")
