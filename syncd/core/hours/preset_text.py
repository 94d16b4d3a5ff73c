"""How presets are told in words: for the commands and for the page of the reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from syncd.core.hours.caps import Caps
from syncd.core.hours.presets import NO_ADVICE, Preset
from syncd.core.hours.week import Week
from syncd.core.window import DAYS

_PERIODS: Final = (("day", "day"), ("week", "week"), ("month", "month"), ("days_30", "30 days"))
_HOLIDAYS: Final = {"none": "as other days", "closed": "closed", "weekend": "Sunday's hours"}
_PAGE_HEAD: Final = """\
# Presets of calling hours

Generated from `syncd/data/presets` by `make docs`; do not edit. `syncd windows list` and
`syncd windows show PRESET` print the same.

**{no_advice}**

Hours are local time of the person called. *Verified*: the accounts of the rule that were read agree
on its hours, though its own text was not always among them; *no*: they differ, there is only one at
second hand, or the hours are a custom. A guard of a minute is taken off every end. A day, a week
and a month of a cap are any 24 hours, seven days, 31 days, and every attempt counts.

`preset = "auto"` takes the row of the number's country and of the scope that you name; for a US
state without a row the federal one; for a US number whose state is not known `us-strict`. A country
and scope without a row has no preset, and none is filled in.

| preset | where | scope | hours | holidays | caps | verified | version |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def hours_text(week: Week) -> str:
    """`mon-fri 08:00-22:00, sat-sun 09:00-20:00`: days in a row with the same hours together."""
    hours = week.hours()
    groups: list[tuple[str, str, str]] = []
    for day in DAYS:
        spans = " ".join(map(str, hours.get(day, ())))
        if groups and groups[-1][2] == spans:
            groups[-1] = (groups[-1][0], day, spans)
        else:
            groups.append((day, day, spans))
    shown = (
        f"{first if first == last else f'{first}-{last}'} {spans}"
        for first, last, spans in groups
        if spans
    )
    return ", ".join(shown) or "closed"


def caps_text(caps: Caps) -> str:
    """`1 a day, 2 a week`, or "" without any."""
    told = ((getattr(caps, name), period) for name, period in _PERIODS)
    return ", ".join(
        f"{most} in {period}" if period[0].isdigit() else f"{most} a {period}"
        for most, period in told
        if most is not None
    )


def holidays_text(preset: Preset) -> str:
    """What the preset does on holidays, and whose they are."""
    places = ", ".join("-".join(filter(None, place)) for place in preset.places)
    return "; ".join(
        part
        for part in (
            _HOLIDAYS[preset.policy],
            "an eve has Saturday's hours" if preset.eves else "",
            f"of {places}" if places else "",
        )
        if part
    )


def page(presets: Iterable[Preset]) -> str:
    """The page of the reference: a table of all, then the sources and notes of each."""
    rows = list(presets)
    return "".join(
        (
            _PAGE_HEAD.format(no_advice=NO_ADVICE),
            *(f"| {' | '.join(_cells(one))} |\n" for one in rows),
            *(line for one in rows for line in _section(one)),
        )
    )


def _cells(one: Preset) -> tuple[str, ...]:
    return (
        f"[`{one.id}`](#{one.id})",
        one.jurisdiction,
        ", ".join(one.scopes) or "any",
        hours_text(one.week),
        holidays_text(one),
        caps_text(one.caps) or "none",
        "yes" if one.verified else "no",
        one.version.isoformat(),
    )


def _section(one: Preset) -> Iterator[str]:
    yield f"\n## {one.id}\n\n{one.title}.\n\n"
    yield from (f"- {note}\n" for note in one.notes)
    yield from (f"- Source: {source}\n" for source in one.sources)
