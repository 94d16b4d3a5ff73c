"""What a case may ask of a tool, and what both tools share."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from syncd.sandbox.testing import RunningSandbox

BATCH: Final = 500
GUARD: Final = 5  #: "at most five new ones"


@dataclass(frozen=True, slots=True)
class Options:
    """What a case changes in a configuration."""

    shuffled: bool = False  #: the source does not give its rows in the order of their keys
    skip_errors: bool = False  #: go on after a batch that failed, where a tool has the choice
    typo: bool = False  #: the size of a batch is misspelt
    guard: bool = False  #: at most GUARD new ones a run
    outage: bool = False  #: the vendor fails for the whole run


class Tool(Protocol):
    """A column of the table."""

    name: str

    def prepare(
        self, folder: Path, rows: Sequence[tuple[str, ...]], box: RunningSandbox, options: Options
    ) -> None:
        """Write configuration and source into `folder`."""
        ...

    def run(self, options: Options) -> list[str]:
        """The command that sends what is new."""
        ...

    def check(self) -> list[str]:
        """The command that looks at the configuration."""
        ...

    def environment(self, folder: Path) -> Mapping[str, str]:
        """The environment of all commands."""
        ...

    def told(self, output: str) -> str:
        """The line of an output that says how it went."""
        ...


def telling(output: str, pattern: str) -> str:
    """The last line with this pattern; else the last line that is not empty; else nothing."""
    lines = [" ".join(line.split()) for line in output.splitlines() if line.strip()]
    found = [line for line in lines if re.search(pattern, line)]
    return (found or lines or [""])[-1]


def in_order(rows: Sequence[tuple[str, ...]], *, shuffled: bool) -> list[tuple[str, ...]]:
    """By key; or in an order that has nothing to do with the key, the same at each run."""
    ordered = list(rows)
    if shuffled:
        random.Random(1).shuffle(ordered)
    return ordered
