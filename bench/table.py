"""The bench's rows as tables that read in a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Row:
    """One contender: medians of its rounds."""

    HEAD: ClassVar = (
        *("who", "leads", "leads/s", "ratio"),
        *("CPU µs/lead", "peak MB", "knows what it sent"),
    )

    name: str
    leads: int
    leads_per_s: float
    cpu_us_per_lead: float
    peak_mb: float
    ledger: bool
    note: str = ""

    def cells(self, first: Row) -> tuple[str, ...]:
        return (
            self.name,
            f"{self.leads:,}",
            f"{self.leads_per_s:,.0f}",
            f"{self.leads_per_s / first.leads_per_s:.2f}",
            f"{self.cpu_us_per_lead:.1f}",
            f"{self.peak_mb:.0f}",
            "yes" if self.ledger else "no",
        )


@dataclass(frozen=True, slots=True)
class PollRow:
    """A poll that finds 1,000 new leads, in a ledger of so many."""

    HEAD: ClassVar = ("ledger holds", "CPU ms", "wall ms", "ratio of CPU")

    name: str
    cpu_ms: float
    wall_ms: float
    note: str = ""

    def cells(self, first: PollRow) -> tuple[str, ...]:
        ratio = f"{self.cpu_ms / first.cpu_ms:.2f}"
        return (self.name, f"{self.cpu_ms:.1f}", f"{self.wall_ms:.1f}", ratio)


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """Zone and permitted hours of numbers: when each is asked for first, and when again."""

    HEAD: ClassVar = ("hours", "registry", "leads", "cold µs/lead", "warm µs/lead", "ratio of cold")

    name: str
    registry: bool
    leads: int
    cold_us: float
    warm_us: float
    note: str = ""

    def cells(self, first: ZoneRow) -> tuple[str, ...]:
        return (
            self.name,
            "yes" if self.registry else "no",
            f"{self.leads:,}",
            f"{self.cold_us:.1f}",
            f"{self.warm_us:.1f}",
            f"{self.cold_us / first.cold_us:.2f}",
        )


@dataclass(frozen=True, slots=True)
class Section:
    """A table; its rows are compared with the first."""

    title: str
    rows: list[Row] | list[PollRow] | list[ZoneRow] = field(default_factory=list)


def markdown(sections: Sequence[Section], where: str) -> str:
    """All sections, each a Markdown table with aligned columns, and what they were measured on."""
    parts = [f"Measured on {where}. A ratio compares with the first row."]
    for section in sections:
        head: tuple[str, ...] = section.rows[0].HEAD
        cells = [head, *(row.cells(section.rows[0]) for row in section.rows)]  # type: ignore[arg-type]
        widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
        lines = [_line(head, widths), _line(["-" * width for width in widths], widths)]
        lines += [_line(line, widths) for line in cells[1:]]
        notes = [f"{row.name}: {row.note}." for row in section.rows if row.note]
        parts.append("\n".join([f"{section.title}\n", *lines, *(["", *notes] if notes else [])]))
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
