"""How presets of calling hours are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from syncd.cli import common
from syncd.cli.tables import console, fact_table, new_table
from syncd.core.hours.picture import CLOSED, OPEN, PART, picture
from syncd.core.hours.preset_text import caps_text, holidays_text, hours_text
from syncd.core.hours.presets import NO_ADVICE, Preset


def print_list(presets: Sequence[Preset], *, as_json: bool) -> None:
    """All presets, one a row, or with everything as JSON."""
    if as_json:
        common.print_json([facts(one) for one in presets])
        return
    table = new_table("preset", "where", "scope", "hours", "caps", "verified")
    for one in presets:
        table.add_row(
            one.id,
            one.jurisdiction,
            ", ".join(one.scopes) or "any",
            hours_text(one.week),
            caps_text(one.caps),
            "yes" if one.verified else "no",
        )
    console().print(table)
    common.say(f"{NO_ADVICE} `syncd windows show PRESET` tells them.")


def print_preset(one: Preset, *, as_json: bool) -> None:
    """One preset with its week as a picture, its sources and its notes."""
    if as_json:
        common.print_json(facts(one))
        return
    out = console()
    out.print(
        fact_table(
            [
                ("preset", one.id),
                ("what", one.title),
                ("version", one.version),
                ("where", one.jurisdiction),
                ("scope", ", ".join(one.scopes) or "any"),
                ("hours", hours_text(one.week)),
                ("holidays", holidays_text(one)),
                ("caps", caps_text(one.caps) or "none"),
                ("guard", f"{one.guard_min} min before each end"),
                ("verified", "yes" if one.verified else "no"),
                *(("note", note) for note in one.notes),
                *(("source", source) for source in one.sources),
            ]
        )
    )
    out.print()
    for row in picture(one.week):
        out.print(row)
    common.say(f"{OPEN} open, {PART} part of the hour, {CLOSED} closed; local time of the person")
    common.say(NO_ADVICE)


def facts(one: Preset) -> Mapping[str, Any]:
    """The JSON of a preset."""
    return {
        "id": one.id,
        "version": one.version,
        "title": one.title,
        "country": one.country or None,
        "region": one.region or None,
        "scopes": one.scopes,
        "hours": {day: list(map(str, spans)) for day, spans in one.week.hours().items()},
        "holidays": one.policy,
        "eves": one.eves,
        "holidays_of": ["-".join(filter(None, place)) for place in one.places],
        "caps": asdict(one.caps),
        "guard_min": one.guard_min,
        "verified": one.verified,
        "sources": one.sources,
        "notes": one.notes,
        "no_advice": NO_ADVICE,
    }
