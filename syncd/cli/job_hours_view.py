"""How a call job's zone and hours are shown: each step's answer, and the week as two pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

import orjson
from rich.console import Console

from syncd.cli.job_hours import OPEN as OPEN_STATES
from syncd.cli.tables import time_of
from syncd.clock import to_operator
from syncd.core.hours.common import gmt_zone
from syncd.core.hours.offsets import minute_of, offset_at
from syncd.core.hours.picture import CLOSED, OPEN, PART, picture
from syncd.core.hours.preset_text import hours_text
from syncd.core.hours.sent import SentHours, read_sent

_ZONES_SHOWN = 12
_GAP = 6


def facts(window: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Names and values for a table: the evidence, the zones, and whose hours hold."""
    basis = window["basis"]
    for step, value, zones, note in basis.get("evidence", ()):
        said = zones_text(zones) or "passed"
        yield f"zone by {step}", f"{value} ▶ {said}" + (f" ({note})" if note else "")
    zones = basis.get("zones", ())
    yield "zones", zones_text(zones, basis.get("shares", ())) if len(zones) > 1 else None
    yield "settled for", _settled(basis)
    yield "hours by", ", ".join(basis.get("hours", ())) or None
    yield "no hours", basis.get("missing")


def zone_text(window: Mapping[str, Any]) -> str | None:
    """The zone that is sent, and which candidate stands behind it."""
    anchor, zone = window["anchor"], window["gmt_zone"]
    return zone if anchor in (None, zone) else f"{zone} ({anchor})"


def zones_text(zones: list[str], shares: list[float] | tuple[()] = ()) -> str:
    """`Europe/Moscow 68 %, Asia/Yekaterinburg 12 %`, the first dozen of them."""
    told = [
        zone if share is None else f"{zone} {share:.1%}"
        for zone, share in zip_longest(zones[:_ZONES_SHOWN], shares[:_ZONES_SHOWN])
    ]
    more = len(zones) - len(told)
    return ", ".join([*told, f"and {more} more"] if more > 0 else told)


def _settled(basis: Mapping[str, Any]) -> str | None:
    settled = basis.get("settled_for")
    if isinstance(settled, str):
        return f"the {settled}'s own zone and hours"
    return zones_text(settled) if settled else None


def print_week(job: Mapping[str, Any], out: Console) -> None:
    """The week, in the person's time and in the operator's, and the next minute to call."""
    window, sent = job["window"], read_sent(orjson.loads(job["body"]))
    if sent is None:
        return
    at = window["next_at"]
    here = to_operator(at or window["made_at"])
    there = timedelta(minutes=offset_at(window["gmt_zone"], minute_of(here)))
    out.print(f"hours        {hours_text(sent.common.week)}", soft_wrap=True)
    if job["state"] in OPEN_STATES:
        out.print(f"next call    {_next(at, here, there, sent)}", soft_wrap=True)
    out.print()
    mine = here.utcoffset() or timedelta(0)
    shift_min = int((mine - there) / timedelta(minutes=1))
    week = picture(sent.common.week)
    if not shift_min:
        rows = [f"there and here ({zone_name(here)})", *week]
    else:
        left = [f"there ({window['gmt_zone']})", *week]
        right = [f"here ({zone_name(here)})", *picture(sent.common.week, shift_min)]
        width = max(map(len, left)) + _GAP
        rows = [f"{a:<{width}}{b}" for a, b in zip(left, right, strict=True)]
    for row in rows:
        out.print(row)
    out.print(f"{OPEN} may be called, {PART} part of the hour, {CLOSED} may not", style="dim")


def zone_name(here: datetime) -> str:
    """The operator's zone: its name, if the machine knows one, and its offset."""
    offset = gmt_zone((here.utcoffset() or timedelta(0)) // timedelta(minutes=1))
    name = here.tzname() or ""
    return f"{name}, {offset}" if name[:1].isalpha() else offset


def _next(at: datetime | None, here: datetime, there: timedelta, sent: SentHours) -> str:
    if at is None:
        return f"none before it ends, {time_of(sent.finish)} UTC"
    return f"{time_of(at)} UTC: {at + there:%a %H:%M} there, {here:%a %H:%M} here"
