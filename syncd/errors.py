"""Every error of ours, sorted by what to do next.

SyncdError
├── ConfigError      a person has to change the configuration, the file or the command  (exit 2)
│   └── LedgerError  the ledger is missing, older, newer, held or damaged               (exit 2)
├── Transient        nothing left us or nothing was done: try again later
│   └── HeldElsewhere  another instance is at work on it
├── InDoubt          it may have been done: only the same bytes with the same key may go again
├── Refused          the vendor refuses this content, and did nothing of it
│   └── NotFound     a report or cancel named an ID or phone that the campaign lacks
├── Unsupported      this installation lacks the method: use the other way
├── Halted           this campaign can take nothing until a person acts                 (exit 3)
└── SourceDown       a source cannot be read now: its cursor stays, try again later

A bug is no error of this tree: it is an AssertionError or whatever Python raised; it ends the pass.
No message may hold a token, a URL or a phone: callers pass names, counts and kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

EXIT_DONE = 0
EXIT_INCOMPLETE = 1  #: done, but something was refused, parked or rejected
EXIT_CONFIG = 2
EXIT_HALTED = 3
EXIT_TRIPPED = 4  #: a guard holds call jobs until a person has approved them
EXIT_BUG = 70  #: an error that nobody expected; what was committed stands


class SyncdError(Exception):
    """What went wrong, why, where, and a hint that a person can act on."""

    exit_code: ClassVar[int] = EXIT_INCOMPLETE

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what} [{self.where}]" if self.where else self.what


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: `key` is a path such as `syncs.crm.every`; never the value itself."""

    what: str
    key: str = ""
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.key}: {self.what}" if self.key else self.what
        return f"{head} [{self.where}]" if self.where else head


def counted(problems: Sequence[Problem]) -> str:
    """`1 problem`, `2 problems`: the end of a headline."""
    return "1 problem" if len(problems) == 1 else f"{len(problems)} problems"


class ConfigError(SyncdError):
    """The configuration, a file or the command has to be changed; `problems` lists all at once."""

    exit_code = EXIT_CONFIG

    def __init__(
        self, what: str, *, where: str = "", hint: str = "", problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.problems = tuple(problems)

    @property
    def headline(self) -> str:
        """What stands above the list of problems."""
        return super().__str__()

    def __str__(self) -> str:
        """All in one line, as for a log: the first problem stands for the others."""
        if not self.problems:
            return self.headline
        more = f", and {len(self.problems) - 1} more" if len(self.problems) > 1 else ""
        return f"{self.headline}: {self.problems[0]}{more}"


class LedgerError(ConfigError):
    """The ledger is missing, older, newer, held by another process, or damaged."""


class Transient(SyncdError):
    """Nothing was done. `retry_after_s` is what the server asked for, already clamped, or None."""

    def __init__(
        self, what: str, *, where: str = "", hint: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.retry_after_s = retry_after_s


class HeldElsewhere(Transient):
    """Another instance holds the sync or the campaign: it does the work."""


class InDoubt(SyncdError):
    """The request may have been carried out: only an answer to the same bytes and key ends it."""

    def __init__(
        self, what: str, *, where: str = "", hint: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class VendorFault:
    """A parsed error body of the vendor: `type`, its message and its extra fields."""

    type: str
    message: str = field(default="", repr=False)  # may hold a phone
    phone: str | None = field(default=None, repr=False)
    phones_duplicates: tuple[str, ...] = field(default=(), repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)


class Refused(SyncdError):
    """The vendor refused the content (a parsed 400 of any type); nothing was added."""

    def __init__(self, what: str, *, fault: VendorFault, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.fault = fault


class NotFound(Refused):
    """`id.not.found` or `phone.not.found`: the whole report or cancel request failed."""


class Unsupported(SyncdError):
    """This installation answers 404 or 405 to the method, and the token is known to be good."""


class Halted(SyncdError):
    """Unknown token, or the campaign is stopped: no batch will be accepted until a person acts.

    `answers`: the campaign still tells its calls, so that doubts can be looked up.
    """

    exit_code = EXIT_HALTED

    def __init__(
        self, what: str, *, where: str = "", hint: str = "", answers: bool = False
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.answers = answers


class SourceDown(SyncdError):
    """The source cannot be read now (absent, locked, unreachable); its cursor has not moved."""
