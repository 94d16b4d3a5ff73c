"""Tells whether one of the columns that count has changed, from a number kept with the lead."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from syncd.core import record
from syncd.core.columns import Columns
from syncd.core.refusal import BadValue
from syncd.errors import ConfigError

#: Of the eight bytes, two tell which columns were looked at, six what they held.
_NAMES_BYTES = 2
_BITS = 48


class Watcher:
    """Digests some columns of a record as one signed number of 64 bits.

    Raises ConfigError when the source lacks one of them.
    """

    def __init__(self, names: Sequence[str], columns: Sequence[str]) -> None:
        found = Columns(columns)
        ordered = sorted(set(names))
        try:
            self._positions = [found.position(name) for name in ordered]
        except BadValue as bad:
            raise ConfigError(f"policy.change_columns: {bad.why}") from None
        text = "\0".join(ordered).encode("utf-8", "backslashreplace")
        self._names = hashlib.blake2b(text, digest_size=_NAMES_BYTES).digest()

    def digest(self, row: Sequence[object]) -> int:
        """The columns' names and what they hold."""
        held = record.revision([row[position] for position in self._positions])
        return int.from_bytes(self._names + held[_NAMES_BYTES:], "big", signed=True)

    @staticmethod
    def is_change(before: int | None, after: int) -> bool:
        """Whether the columns hold something else; other columns than before prove nothing."""
        return before is not None and before != after and before >> _BITS == after >> _BITS
