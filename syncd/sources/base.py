"""The whole surface of a source: a kind opens with its options and yields bounded pages.

A source never sees the ledger. It reads from a cursor that the ledger kept for it, and gives
with every page the cursor that is right once that page is stored. The commit is the
acknowledgement; stopping is closing the iterator between two pages.

Errors by consequence: `SourceDown` (try again later), `ConfigError` (a person has to act), and a
`BadRecord` inside the page (this record only; the rest flows).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from pydantic import BaseModel

#: A JSON object that only its source understands. None: from the start.
Cursor = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that could not be read as columns: where it stood, and why."""

    line: int
    reason: str  #: a stable code such as "row_too_long"
    column: str | None = None
    detail: str = ""  #: for people; holds no value of the record
    digest: str = ""  #: hex digest of the raw record, so that an unchanged one is known again


@dataclass(slots=True)
class Page:
    """A bounded run of records, all with the same columns.

    `rows[i]` is aligned to `columns` and stood at line `lines[i]` of `origin`.
    `cursor` is right once this page is stored. A page without rows and without bad records only
    moves the cursor; its columns may be empty.
    """

    origin: str
    columns: tuple[str, ...]
    rows: list[Sequence[object]]
    lines: list[int]
    cursor: Cursor
    bad: list[BadRecord] = field(default_factory=list)
    #: how far the source is, for a progress bar: 0.0 to 1.0, or None when it cannot know
    progress: float | None = None
    #: on the last page: parts of the source that wait for a later read, as they are being written
    unread: int = 0


class Source(Protocol):
    """An opened source."""

    def read(self, cursor: Cursor | None, *, now: datetime) -> Iterator[Page]:
        """Yield pages from `cursor` on, then end; a source with nothing new yields no page."""
        ...


class SourceKind(Protocol):
    """What an entry point of the group `syncd.sources` names: options, and how to open them."""

    kind: ClassVar[str]
    Options: ClassVar[type[BaseModel]]  #: unknown keys refused; descriptions become the docs

    @classmethod
    def open(cls, name: str, options: BaseModel) -> Source:
        """Open the source called `name`; raises ConfigError; must not read yet."""
        ...
