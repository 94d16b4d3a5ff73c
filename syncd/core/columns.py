"""Finds columns by name, once, before any record is read.

It owns the wording of "there is no such column". Records are sequences: after this module only
positions count.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.names import did_you_mean
from syncd.core.refusal import BadValue


class Columns:
    """The columns of a source; with None any name is taken, to check a mapping before reading."""

    def __init__(self, names: Sequence[str] | None) -> None:
        self._names = names
        self._positions: dict[str, int] = {}
        if names is not None:
            self._positions = {name: at for at, name in reversed(list(enumerate(names)))}

    def position(self, name: str) -> int:
        """Where `name` stands; raises `BadValue` when it is absent or stands twice."""
        if self._names is None:
            return self._positions.setdefault(name, len(self._positions))
        if name not in self._positions:
            raise BadValue(f'no column "{name}", {did_you_mean(name, self._names)}')
        if self._names.count(name) > 1:
            raise BadValue(f'the source has more than one column "{name}"')
        return self._positions[name]
