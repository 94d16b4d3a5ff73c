"""What a refusal of a whole batch means for its jobs: whom it ends, and what the others do next.

Pure. The engine asks, the ledger records. The types are the vendor's (Calls API, Errors of
addPhones). A type that is not in its contract proves nothing about a lead, so it ends none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from syncd.core.call_job import JobState

#: Refusals that name their phone.
_NAMES_ITS_PHONE = frozenset({"phone.bad.format", "phone.gmtZone.bad.format"})
_BAD_ZONE = "phone.gmtZone.bad.format"
#: Our batches name a phone once, so this is about calls that the campaign had from elsewhere.
DUPLICATED = "phone.duplicated"
#: Everything that can be wrong with the content of a batch; the last two are our names for a batch
#: that was too large to be looked at.
_ABOUT_CONTENT = _NAMES_ITS_PHONE | {
    DUPLICATED,
    "invalid.call.allowed.time",
    "invalid.dialer_priority",
    "http.413",
    "http.414",
}


class Rest(StrEnum):
    """What the jobs do that a refusal does not end."""

    AGAIN = "again"  #: staged again as a new generation, with all others
    HALVES = "halves"  #: the same, but in two halves, each a batch of its own
    HOLD = "hold"  #: staged again, and the campaign takes nothing until a person releases it


@dataclass(frozen=True, slots=True)
class Sentence:
    """Which phones a refusal ends, and what the jobs of all others do."""

    rest: Rest
    guilty: Mapping[int, JobState] = field(default_factory=lambda: MappingProxyType({}))


def sentence(
    type_: str,
    named: Collection[str],
    zones: Mapping[int, object],
) -> Sentence:
    """What a refusal of this type means.

    Args:
        named: the phones that the error names, in the vendor's spelling.
        zones: each phone of the batch, with its `gmtZone` (None: it had none).
    """
    if type_ not in _ABOUT_CONTENT:
        return Sentence(Rest.HOLD)
    state = JobState.DUPLICATE if type_ == DUPLICATED else JobState.REFUSED
    if len(zones) == 1:
        return Sentence(Rest.AGAIN, dict.fromkeys(zones, state))
    if type_ not in _NAMES_ITS_PHONE and type_ != DUPLICATED:
        return Sentence(Rest.HALVES)
    digits = {phone.lstrip("+") for phone in named}
    # A number that stands in no item ends nothing: the same batch would go again and again.
    guilty = {phone: state for phone in zones if str(phone) in digits}
    if type_ == _BAD_ZONE and guilty and _one_zone(zones):
        # A constant of the mapping: every lead would be refused for it, one after another.
        return Sentence(Rest.HOLD)
    return Sentence(Rest.AGAIN if guilty else Rest.HALVES, guilty)


def _one_zone(zones: Mapping[int, object]) -> bool:
    values = set(zones.values())
    return len(values) == 1 and values != {None}


def splits_max(size: int) -> int:
    """How many batches may be halved to find the guilty jobs of a batch of `size`.

    Each halving makes two batches: at most 2·log2(size) + 2 of them, enough for one guilty job.
    """
    assert size >= 1
    return (size - 1).bit_length() + 1
