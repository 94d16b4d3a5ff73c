"""How texts that people write are compared, and how the tables of this package are read."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources


def fold(text: str) -> str:
    """`text` in lower case, without accents and punctuation, with single spaces between words.

    "São Paulo" and "sao-paulo" fold alike; so do "Орёл" and "Орел".
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = (char if char.isalnum() else " " for char in plain if unicodedata.category(char) != "Mn")
    return " ".join("".join(kept).split())


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table in `syncd/data/zones/`: fields between tabs; "#" begins a comment line.

    Each file tells its source and date in its first lines.
    """
    text = resources.files("syncd").joinpath("data", "zones", name).read_text(encoding="utf-8")
    lines = text.splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))
