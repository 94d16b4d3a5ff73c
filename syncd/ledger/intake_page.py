"""What a page of a source brings to the ledger, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from syncd.core.call_policy import DEFAULT, CallPolicy
from syncd.core.guards import Limit
from syncd.core.mapping import MappedJob
from syncd.ledger.approvals import Decided
from syncd.ledger.changes import Remapped
from syncd.ledger.outbox import ClaimedBatch
from syncd.ledger.rejections import NewRejection


class NewLead(NamedTuple):
    """A record that was mapped and that the ledger lacks; a light tuple, for there are many."""

    key: str
    revision: int
    line: int
    job: MappedJob
    watched: int | None = None


@dataclass(frozen=True, slots=True)
class SealOrder:
    """Batches that somebody can send at once: their jobs need not be staged first."""

    phones_max: int  #: of one batch
    batches_max: int
    limit: Limit | None = None  #: of the campaign's day


@dataclass(slots=True)
class IntakePage:
    """Everything that one page of a source brought."""

    sync: str
    campaign: str
    origin: str
    mapping_digest: str  #: under which the cursor was reached
    cursor: Mapping[str, object] | None = None  #: None: leave the live cursor alone
    policy: CallPolicy = DEFAULT
    held_as: str | None = None  #: why jobs wait that could be staged: their poll is judged first
    decided: Decided | None = None  #: what it starts counts as approved
    noted: bool = False  #: its poll was judged ahead: what it starts counts until the poll ends
    new: list[NewLead] = field(default_factory=list)
    changed: list[tuple[int, int]] = field(default_factory=list)  # lead ID, new revision
    released: list[tuple[int, MappedJob]] = field(default_factory=list)  # held job, mapped anew
    remapped: list[Remapped] = field(default_factory=list)  # changed so that it counts
    watched: list[tuple[int, int]] = field(default_factory=list)  # lead ID, digest
    rejections: list[NewRejection] = field(default_factory=list)
    good_keys: list[str] = field(default_factory=list)  # their old rejections are settled
    windows: Mapping[str, int] = field(default_factory=dict)  # digest to ID; set as it is stored
    seal: SealOrder | None = None  #: batches of new jobs that are sealed as they are stored


@dataclass(slots=True)
class IntakeResult:
    """How many call jobs the page made, by state, and how many held ones it released.

    Those that wait for the judgement of their poll count as staged, or released; so do those that
    were sealed at once.
    """

    staged: int = 0
    held: int = 0
    duplicate: int = 0
    released: int = 0
    cancelled: int = 0  #: new, and on a do-not-call list
    changes: Mapping[str, int] = field(default_factory=dict)  #: see changes.apply
    erased: int = 0
    sealed: list[ClaimedBatch] = field(default_factory=list)  #: staged, and more
