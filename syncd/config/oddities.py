"""What no value of the configuration may be, wherever it stands: too deep, too large, with a NUL.

The fields' own rules come later, and each program below has a limit of its own. Here the values are
looked at before anything walks them by recursion, turns them into text or gives them to the system.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncd.config.paths import Path

#: A mapping has 32 levels below its own five; nothing else comes near.
DEPTH_MAX = 64
#: What TOML promises to hold (TOML 1.0, "Integer").
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


def too_deep(values: Mapping[str, Any], above: Path = ()) -> Path | None:
    """The path of the first value that stands too deep, below the path `above`; None: none does."""
    waiting: list[tuple[Any, Path, int]] = [(values, above, len(above))]
    while waiting:
        value, path, depth = waiting.pop()
        if depth > DEPTH_MAX:
            return path
        if isinstance(value, Mapping):
            waiting += [(inner, (*path, str(key)), depth + 1) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(inner, path, depth + 1) for inner in value]
    return None


def oddities(value: Any, path: Path = ()) -> Iterator[tuple[Path, str, str]]:
    """The path of each odd value that is not too deep, what is wrong with it, and a hint."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if "\0" in key:
                yield (*path, key), "has a NUL character in its name", "rename it"
            yield from oddities(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from oddities(inner, path)
    elif isinstance(value, str) and "\0" in value:
        yield path, "holds a NUL character", "no file, and no text of a call job, can have one"
    elif isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
        yield path, "is a number of more than 64 bits", "write a smaller one, or a text in quotes"
