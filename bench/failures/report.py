"""What came of a case, counted, and the table of all cases in Markdown and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """People of the export by the number of calls to them, and what the tool let know."""

    leads: int
    called_twice: int  #: people with more than one call job that was dialled
    never_called: int
    codes: tuple[int, ...]  #: exit codes, in the order of the runs
    said: tuple[str, ...]  #: the telling line of each run

    @classmethod
    def of(
        cls,
        wanted: Sequence[str],
        called: Sequence[str],
        codes: Sequence[int],
        said: Sequence[str],
    ) -> Outcome:
        """Count the phones of the dialled jobs against those of the export."""
        times = Counter(called)
        return cls(
            leads=len(wanted),
            called_twice=sum(times[phone] > 1 for phone in wanted),
            never_called=sum(not times[phone] for phone in wanted),
            codes=tuple(codes),
            said=tuple(said),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A case, and what came of it on each tool. With `nobody` no call was the right thing."""

    case: str
    outcomes: dict[str, Outcome]
    nobody: bool = False

    def cell(self, tool: str) -> str:
        """Who was called, and the exit codes."""
        one = self.outcomes[tool]
        codes = ", ".join(str(code) for code in one.codes)
        if self.nobody:
            called = one.leads - one.never_called
            return f"{f'{called:,}' if called else 'nobody'} called; exit {codes}"
        people = [
            f"{number:,} {what}"
            for number, what in ((one.called_twice, "twice"), (one.never_called, "never"))
            if number
        ]
        return f"{', '.join(people) or 'each once'}; exit {codes}"


def markdown(lines: Sequence[Line], note: str) -> str:
    """Two tables: who was called, and what each tool said."""
    tools = list(lines[0].outcomes)
    counted = [_row(["case", *tools]), _row(["---"] * (len(tools) + 1))]
    told = [_row(["case", "tool", "exit", "what it said"]), _row(["---"] * 4)]
    for line in lines:
        counted.append(_row([line.case, *(line.cell(tool) for tool in tools)]))
        for tool, outcome in line.outcomes.items():
            for code, said in zip(outcome.codes, outcome.said, strict=True):
                told.append(_row([line.case, tool, str(code), said.replace("|", "\\|")]))
    return "\n".join([note, "", *counted, "", *told]) + "\n"


def as_json(lines: Sequence[Line], note: str) -> dict[str, Any]:
    """The same for programs."""
    cases = [
        {
            "case": line.case,
            "nobody_should_be_called": line.nobody,
            "tools": {name: asdict(one) for name, one in line.outcomes.items()},
        }
        for line in lines
    ]
    return {"measured": note, "cases": cases}


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
