"""A ledger that lost commits: `recover` finds the calls, and nobody is called again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from syncd.app import App
from syncd.campaign.client import CampaignClient
from syncd.core.report import JobReport
from syncd.engine import recover, submit
from syncd.errors import Unsupported
from syncd.ledger.moves import By
from tests.worlds import World, new_world, poll_all, settle, work

LEADS = 20
BY = By("test", 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A backup was taken when ten leads were staged; then twenty were called."""
    with new_world(tmp_path) as made:
        made.write_leads(10)
        with made.open(alone=True) as app:
            poll_all(app)
        shutil.copy(made.path / "syncd.db", made.path / "backup.db")
        made.write_leads(LEADS)
        with made.open(alone=True) as app:
            poll_all(app)
            settle(made, app)
        made.assert_each_once(LEADS)
        for file in made.path.glob("syncd.db*"):
            file.unlink()
        shutil.copy(made.path / "backup.db", made.path / "syncd.db")
        yield made


def a_day_ago(world: World) -> datetime:
    return world.clock.now() - timedelta(days=1)


def recovered(world: World, app: App) -> dict[str, int]:
    told = recover.run_once(app.campaign("welcome"), app.tools, since=a_day_ago(world))
    assert told.outcome == "done"
    return dict(told.counts)


def test_l7_after_a_restore_nobody_is_called_again(world: World) -> None:
    """Ten that wait are held back, ten that the ledger does not know count as called."""
    with world.open(alone=True) as app:
        assert recovered(world, app) == {"calls": LEADS, "held_back": 10, "unknown": 10}
        assert recovered(world, app) == {"calls": LEADS, "held_back": 0, "unknown": 0}
        poll_all(app)
        settle(world, app)
    assert set(world.called().values()) == {1}
    assert world.states() == {"duplicate": 30}


def test_l7_without_a_recovery_they_would_be(world: World) -> None:
    """The comparison has teeth: the restored ledger alone calls people twice."""
    world.box.advance(25 * 3600)
    with world.open(alone=True) as app:
        poll_all(app)
        settle(world, app)
    assert 2 in world.called().values()


def test_nothing_is_sent_while_a_recovery_is_required(world: World) -> None:
    """Every pass that sends is halted with the hint, until it has ended."""
    with world.open(alone=True) as app:
        app.ledger.require_recovery("restored", by=BY)
        told = submit.run_once(app.campaign("welcome"), app.tools)
        assert (told.outcome, told.exit_code) == ("halted", 3)
        assert "syncd recover" in str(told.error.hint if told.error else "")
        recovered(world, app)
        assert app.ledger.end_recovery(by=BY)
        assert work(app)["submit"].outcome == "done"


def test_without_reports_by_date_a_person_has_to_agree(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leads that the ledger lost whole cannot be found by phone: that must be wanted."""

    def lacking(*_args: object, **_named: object) -> list[JobReport]:
        message = "no such method here"
        raise Unsupported(message)

    monkeypatch.setattr(CampaignClient, "job_reports_by_date", lacking)
    with world.open(alone=True) as app:
        campaign = app.campaign("welcome")
        told = recover.run_once(campaign, app.tools, since=a_day_ago(world))
        assert (told.outcome, told.exit_code) == ("config", 2)
        told = recover.run_once(campaign, app.tools, since=a_day_ago(world), ask_by_phone=True)
        assert told.counts == {"calls": 10, "held_back": 10, "unknown": 0}
