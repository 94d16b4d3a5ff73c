"""Knobs: what the vendor's documents leave open, or what an installation may do otherwise.

Owns their names, limits and meanings. The defaults are what the documents say; a client that is
safe under every setting need not know which of them the vendor has chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, NamedTuple

HOUR_MS: Final = 3600 * 1000
YEAR_HOURS: Final = 366 * 24.0
YEAR_S: Final = YEAR_HOURS * 3600

KeyScope = Literal["token", "campaign", "account"]
KeyCheck = Literal["before_validation", "after_validation"]
IdOrder = Literal["request", "reversed", "shuffled"]
ReportOrder = Literal["oldest_first", "newest_first"]
Duplicates = Literal["ignore", "error"]


class Knob(NamedTuple):
    """A row of the table that the reference page prints: the values that it takes, and what for.

    `values` are words, a range of numbers with both ends, or None for true and false.
    """

    values: tuple[str, ...] | tuple[float, float] | None
    meaning: str

    def takes(self, value: object) -> bool:
        """Whether the knob can be set to this."""
        if self.values is None or isinstance(value, bool):
            return self.values is None and isinstance(value, bool)
        if isinstance(value, str):
            return value in self.values
        low, high = self.values[0], self.values[-1]
        if isinstance(low, str) or isinstance(high, str):
            return False
        return isinstance(value, int | float) and low <= value <= high

    @property
    def allowed(self) -> str:
        """The values in words."""
        if self.values is None:
            return "true or false"
        if isinstance(self.values[0], str):
            return ", ".join(str(value) for value in self.values)
        return f"{self.values[0]:.15g} to {self.values[-1]:.15g}"


KNOBS: Final[dict[str, Knob]] = {
    "key_scope": Knob(
        ("token", "campaign", "account"),
        "where a key is known: under its token, under all tokens of its campaign, everywhere",
    ),
    "key_hours": Knob((0, YEAR_HOURS), "how long a key is remembered"),
    "key_check": Knob(
        ("before_validation", "after_validation"),
        "whether a known key is answered before the request is read, or only when it is right: "
        "state of the campaign, batch and duplicates",
    ),
    "cache_refusals": Knob(None, "whether a 400 is remembered under its key and given again"),
    "key_busy_seconds": Knob(
        (0, YEAR_S),
        "how long a request with a key is in progress: a repeat until then is a 409, and so is one "
        "while the first is parked; 0: never",
    ),
    "id_order": Knob(("request", "reversed", "shuffled"), "the order of the IDs of `addPhones`"),
    "duplicates": Knob(("ignore", "error"), "what `addPhones` does with duplicates"),
    "duplicate_hours": Knob(
        (0, YEAR_HOURS), "how long the rule for duplicates reaches; 0: no rule"
    ),
    "paging": Knob(None, "whether the installation has the three paged methods"),
    "report_lag_seconds": Knob((0, YEAR_S), "how long after its creation a job shows in reports"),
    "report_lag_spread_seconds": Knob(
        (0, YEAR_S),
        "up to so much longer, for each job otherwise: a later job may show before an earlier one",
    ),
    "report_order": Knob(
        ("oldest_first", "newest_first"),
        "the order of paged reports; with the newest first, rows that arrive between two pages "
        "move the next page",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """How a sandbox behaves where the vendor might. Raises ValueError for a value out of range.

    Durations are virtual time, in the unit of their name.
    """

    key_scope: KeyScope = "token"
    key_hours: float = 24
    key_check: KeyCheck = "before_validation"
    cache_refusals: bool = False
    key_busy_seconds: float = 0
    id_order: IdOrder = "request"
    duplicates: Duplicates = "ignore"
    duplicate_hours: float = 24
    paging: bool = True
    report_lag_seconds: float = 0
    report_lag_spread_seconds: float = 0
    report_order: ReportOrder = "oldest_first"

    def __post_init__(self) -> None:
        for name, knob in KNOBS.items():
            if not knob.takes(getattr(self, name)):
                raise ValueError(f"{name} must be {knob.allowed}")

    def turned(self, changes: Mapping[str, Any]) -> Knobs:
        """With these values changed; ValueError for an unknown name or a bad value."""
        unknown = sorted(changes.keys() - KNOBS.keys())
        if unknown:
            raise ValueError(f"unknown knob {unknown[0]}; known: {', '.join(KNOBS)}")
        return replace(self, **changes)

    def public(self) -> dict[str, object]:
        """As `GET /_sandbox/knobs` shows them."""
        return asdict(self)
