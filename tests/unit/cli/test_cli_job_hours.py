"""A call job's zone and hours, as `explain` tells them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import orjson
import pytest
from rich.console import Console

from syncd.cli import job_hours_view as view
from syncd.cli.job_hours import item_of, window_data
from syncd.clock import to_ms
from syncd.ledger.history import JobHistory

NOW = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)  # a Tuesday
EVENING = {"tue": [{"localTimeFrom": "20:00", "localTimeTo": "22:00"}]}
FIELDS = {"gmtZone": "+05:00", "allowedDays": ["tue"], "allowedTime": EVENING}
BASIS = {
    "evidence": [
        ["region", "Nowhere", [], "not known in RU"],
        ["registry", "+7 916 1", ["Asia/Yekaterinburg", "Europe/Moscow"], "a block of 2 clocks"],
    ],
    "zones": ["Asia/Yekaterinburg", "Europe/Moscow"],
    "shares": [0.75, 0.25],
    "settled_for": ["Asia/Yekaterinburg"],
    "hours": ["decent 2026-11-21"],
}


@pytest.fixture
def moscow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operator's machine stands in Moscow."""
    monkeypatch.setenv("TZ", "MSK-3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def job(
    fields: dict[str, Any], basis: dict[str, Any] | None, *, state: str = "accepted", body: str = ""
) -> dict[str, Any]:
    """A call job as `explain` has it."""
    row = {"body": body or '{"phone":"79161234567"}', "state": state, "created_at": to_ms(NOW)}
    window = {
        "fields": orjson.dumps(fields).decode()[1:-1],
        "basis": orjson.dumps(basis).decode(),
        "made_at": to_ms(NOW),
    }
    history = JobHistory(row, None, (), (), (), window=None if basis is None else window)
    item = item_of(history)
    return {"state": state, "body": item, "window": window_data(history, item, NOW)}


def week(of: dict[str, Any]) -> str:
    out = StringIO()
    view.print_week(of, Console(file=out, width=100, markup=False, highlight=False))
    return out.getvalue()


def test_the_evidence_is_told_step_by_step() -> None:
    """What passed and what answered; shares of several zones; what the sync settles for."""
    told = job(FIELDS, BASIS)["window"]
    assert {name: text for name, text in view.facts(told) if text is not None} == {
        "zone by region": "Nowhere ▶ passed (not known in RU)",
        "zone by registry": "+7 916 1 ▶ Asia/Yekaterinburg, Europe/Moscow (a block of 2 clocks)",
        "zones": "Asia/Yekaterinburg 75.0%, Europe/Moscow 25.0%",
        "settled for": "Asia/Yekaterinburg",
        "hours by": "decent 2026-11-21",
    }
    assert view.zone_text(told) == "+05:00 (Asia/Yekaterinburg)"
    assert view.zones_text([f"Z/{n}" for n in range(14)]).endswith("Z/11, and 2 more")


@pytest.mark.usefixtures("moscow")
def test_the_week_is_drawn_in_both_times() -> None:
    """Two hours apart; the next minute in UTC, there and here."""
    told = week(job(FIELDS, BASIS))
    assert "2026-11-24 15:00:00 UTC: Tue 20:00 there, Tue 18:00 here" in told
    assert "there (+05:00)" in told
    assert "here (MSK, +03:00)" in told
    there, here = next(one for one in told.splitlines() if one.startswith("tue")).split("tue ")[1:]
    assert (there.strip(), here) == (f"{'·' * 20}██··", f"{'·' * 18}██····")


@pytest.mark.usefixtures("moscow")
def test_one_picture_is_enough_where_the_clocks_are_one() -> None:
    """And no next minute is told of a job that has ended; one that missed its end is told."""
    mine = {**FIELDS, "gmtZone": "+03:00"}
    assert "there and here (MSK, +03:00)" in week(job(mine, BASIS))
    assert "next call" not in week(job(mine, BASIS, state="closed"))
    late = {**mine, "finishDateTime": "2026-11-24T08:00:00Z"}
    assert "none before it ends, 2026-11-24 08:00:00 UTC" in week(job(late, BASIS))


def test_without_hours_the_campaigns_own_count() -> None:
    """Nothing is drawn; held jobs say why; jobs of before windows have all in their body."""
    own = job({}, {**BASIS, "settled_for": "campaign"})
    assert week(own) == ""
    assert dict(view.facts(own["window"]))["settled for"] == "the campaign's own zone and hours"
    held = job({}, {"evidence": [], "zones": [], "hours": [], "missing": "no preset"})
    assert (held["window"]["next_at"], view.zone_text(held["window"])) == (None, None)
    assert dict(view.facts(held["window"]))["no hours"] == "no preset"
    purged = job(FIELDS, {}, body="{}", state="closed")
    assert (purged["body"], week(purged)) == ("{}", "")
    old = job({}, None, body='{"phone":"1","gmtZone":"Europe/Riga"}')["window"]
    assert (old["fields"], old["basis"], old["gmt_zone"]) == ({}, {}, "Europe/Riga")
