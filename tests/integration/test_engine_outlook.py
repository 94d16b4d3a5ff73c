"""How many can be called when, as plan and status tell it, and what they warn of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.cli import outlook_view, plan_view, status_view
from syncd.cli.checking import Check
from syncd.config.load import load
from syncd.core.hours.outlook import Outlook
from syncd.engine import plan
from syncd.engine.plan import Plan
from tests.running import phone_of
from tests.worlds import BY_COLUMN, World, new_world, poll_all, work

OFFICE = 'gmtZone = "{name}"\nallowedTime = "09:00-10:00"\nfinishDateTime = "{until}"' + BY_COLUMN


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Decent hours where the columns say so, and a Russian mobile without a registry."""
    with new_world(tmp_path, mapping='gmtZone = "{name}"') as made:
        rows: list[tuple[object, ...]] = [(n, phone_of(n), "Z") for n in range(12)]
        made.write([*rows, (31, "+7 916 123-45-67", ""), (32, "+61 491 570 006", "")])
        yield made


@pytest.fixture
def app(world: World) -> Iterator[App]:
    with world.open() as opened:
        yield opened


def planned(app: App, **more: Any) -> Plan:
    return plan.run(
        app.sync("leads"),
        app.ledger,
        now=app.tools.clock.now(),
        whole=True,
        jobs_max=0,
        stop=app.tools.stop,
        on_page=lambda _page, _plan: None,
        **more,
    )


def counted(outlook: Outlook) -> dict[str, int]:
    told = asdict(outlook)
    return {name: n for name, n in told.items() if isinstance(n, int) and n}


def test_plan_and_status_count_the_same_jobs(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before they are in the ledger, staged, and at the campaign; one window is looked at once."""
    monkeypatch.setattr(plan, "_WINDOWS_MAX", 2)
    before = planned(app).windows
    assert (before.outlook.jobs, before.no_registry) == (14, 1)
    poll_all(app)
    staged = outlook_view.gather(app)["welcome"]
    assert counted(staged.outlook) == counted(before.outlook)
    work(app)
    assert len(list(app.ledger.job_hours.by_window())) == 3
    gathered = status_view.gather(app)
    assert counted(gathered.campaigns["welcome"].outlook) == counted(before.outlook)
    assert (gathered.no_registry, gathered.versions["numbering"]) == (1, "none")
    assert status_view.gather(app, outlook=False).no_registry == 0
    status_view.print_status(gathered, as_json=False)
    told = capsys.readouterr()
    assert "can be called" in told.out
    assert "syncd numbering import" in told.err


def test_a_plan_warns_of_calls_that_do_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """70 calls of a minute fit into an hour on two lines, not on one; unasked nothing is said."""
    with new_world(tmp_path, mapping=OFFICE) as world, world.open() as app:
        until = (world.clock.now() + timedelta(days=1)).isoformat()
        rows = [(n, phone_of(n), "Z", until) for n in range(70)]
        world.write(rows, columns="id,phone,name,until")
        assert (planned(app).fit, planned(app, lines=2).fit) == (None, None)
        tight = planned(app, lines=1)
        assert tight.fit is not None
        assert (tight.fit.jobs, tight.fit.minutes_needed, tight.fit.minutes_left) == (70, 70, 60)
    plan_view.print_plan(tight, as_json=False)
    assert "take 70 minutes on all lines, and 60 permitted minutes are left" in (
        capsys.readouterr().err.replace("\n", " ")
    )


def test_a_check_warns_of_russian_numbers_and_of_holidays_without_a_decree(tmp_path: Path) -> None:
    """Both with what to do; the decrees of Kazakhstan end before the horizon of every job."""
    hours = 'gmtZone = "{name}"\n\n[syncs.leads.hours]\npreset = "kz-debt"'
    with new_world(tmp_path, mapping=hours) as world:
        world.write([(1, "+7 916 123-45-67", ""), (2, phone_of(2), "Z")])
        made = Check()
        made.run(load(world.path / "syncd.toml", {}), now=world.clock.now(), offline=True)
        with world.open() as app:
            assert planned(app).undecreed == {"KZ": 2025}
    assert made.problems == []
    told = {one.key: one for one in made.warnings}
    assert "1 Russian numbers" in told["syncs.leads.zones"].what
    assert "syncd numbering import" in told["syncs.leads.zones"].hint
    assert "past 2025" in told["syncs.leads.hours"].what
    assert "[syncs.leads.hours]" in told["syncs.leads.hours"].hint
