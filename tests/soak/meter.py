"""How much memory and how many files a process has over time, and whether that is flat."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

#: A young process fills its caches, pools and statements; it is not looked at yet.
WARM_UP_S = 30.0
#: Between the first and the last third of what is looked at.
RSS_GROWTH_MAX_MIB = 8.0
FILES_GROWTH_MAX = 4
#: Fewer looks at one life say nothing.
LOOKS_MIN = 9
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a process."""

    age_s: float
    rss_mib: float
    files: int
    threads: int


@dataclass(slots=True)
class Life:
    """What was seen of one process."""

    name: str
    pid: int
    looks: list[Look] = field(default_factory=list)

    def look(self, age_s: float) -> None:
        """Look now; a process that has ended meanwhile shows nothing."""
        place = Path(f"/proc/{self.pid}")
        try:
            pages = int((place / "statm").read_text(encoding="ascii").split()[1])
            files, threads = (
                len(list((place / "fd").iterdir())),
                len(list((place / "task").iterdir())),
            )
        except (OSError, IndexError):
            return
        self.looks.append(Look(age_s, pages * _PAGE_MIB, files, threads))

    @property
    def warm(self) -> list[Look]:
        """The looks that count."""
        return [one for one in self.looks if one.age_s >= WARM_UP_S]

    def growth(self) -> tuple[float, float] | None:
        """MiB and files that the last third has more than the first; None: it was too short."""
        warm = self.warm
        if len(warm) < LOOKS_MIN:
            return None
        third = len(warm) // 3
        first, last = warm[:third], warm[-third:]
        return (
            median(one.rss_mib for one in last) - median(one.rss_mib for one in first),
            median(one.files for one in last) - median(one.files for one in first),
        )

    def is_flat(self) -> bool:
        """Whether neither memory nor files grow; a short life is not judged."""
        grown = self.growth()
        return grown is None or (grown[0] <= RSS_GROWTH_MAX_MIB and grown[1] <= FILES_GROWTH_MAX)

    def told(self) -> str:
        """One line of figures."""
        warm, grown = self.warm or self.looks, self.growth()
        rss, files = [one.rss_mib for one in warm], [one.files for one in warm]
        threads = [one.threads for one in warm]
        more = "too short" if grown is None else f"{grown[0]:+.1f} MiB, {grown[1]:+.0f} files"
        return (
            f"{self.name}: {warm[-1].age_s:.0f} s, RSS {min(rss):.0f} to {max(rss):.0f} MiB,"
            f" files {min(files)} to {max(files)}, threads {min(threads)} to {max(threads)};"
            f" last third against first: {more}"
        )
