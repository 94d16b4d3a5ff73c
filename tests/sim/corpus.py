"""Seeds that once failed: each run replays them first, so that no mended fault comes back."""

from __future__ import annotations

from pathlib import Path

CORPUS = Path(__file__).with_name("corpus.txt")


def seeds(file: Path = CORPUS) -> list[int]:
    """The seeds of the corpus; what follows a `#` says why one is there."""
    lines = file.read_text(encoding="utf-8").splitlines()
    told = [line.partition("#")[0].strip() for line in lines]
    return [int(one) for one in told if one]


def join(seed: int, why: str, file: Path = CORPUS) -> None:
    """Keep a seed that failed; one that is known stays as it is."""
    if seed not in seeds(file):
        with file.open("a", encoding="utf-8") as out:
            out.write(f"{seed}  # {why}\n")
