"""What a person typed has to be text: keys, phones and names are UTF-8, paths need not be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from syncd.errors import ConfigError

#: Options that name a file or folder of the person's own; the file system knows no encoding.
PATH_OPTIONS = ("--config", "-c", "--folder", "--ca-file", "--table")


def refuse_broken(args: Sequence[str]) -> None:
    """Raise ConfigError for an argument with bytes that are no UTF-8, unless it is a path.

    Args:
        args: without the name of the program.
    """
    for number, (before, given) in enumerate(pairwise(["", *args]), start=1):
        is_path = before in PATH_OPTIONS or given.partition("=")[0] in PATH_OPTIONS
        if _is_broken(given) and not is_path:
            raise ConfigError(
                f"argument {number} is no text: it has bytes that are not UTF-8",
                hint="type it in a terminal that is set to UTF-8; `locale` shows what it is set to",
            )


def _is_broken(text: str) -> bool:
    """Python carries such bytes as half surrogate pairs."""
    return any("\ud800" <= char <= "\udfff" for char in text)
