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
from typing import ClassVar, Final, Protocol

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


@dataclass(frozen=True, slots=True)
class Unread:
    """What a read left for a later one, since it may still be being written."""

    files: int = 0  #: files, or other parts of a source
    last_lines: int = 0  #: files that were read but for a last line that has no end

    def __bool__(self) -> bool:
        return bool(self.files or self.last_lines)

    def __add__(self, other: Unread) -> Unread:
        return Unread(self.files + other.files, self.last_lines + other.last_lines)

    def __str__(self) -> str:
        parts = ("still being written", self.files), ("last line without its end", self.last_lines)
        return "; ".join(f"{what}, files: {count}" for what, count in parts if count)


#: Nothing was left.
WHOLE: Final = Unread()


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
    #: on the last page: what waits for a later read
    unread: Unread = WHOLE
    #: the option that would settle what the source could only guess: 'encoding = "cp1252"'
    guessed: str = ""


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
