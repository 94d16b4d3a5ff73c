"""A ledger that lost commits: `recover` finds the calls, and nobody is called again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from syncd.app import App
from syncd.campaign.client import CampaignClient
from syncd.clock import to_ms
from syncd.core.report import JobReport
from syncd.engine import recover, submit
from syncd.errors import LedgerError, Transient, Unsupported
from syncd.ledger.moves import By
from syncd.observe import steps
from tests.worlds import LONG_S, World, new_world, poll_all, settle, work

LEADS = 20


class PowerCut(BaseException):
    """The end of everything that was not on the disk."""


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
        put_back(made)
        yield made


def put_back(world: World) -> None:
    """As a person does it: the file of the ledger, and nothing that lies beside it."""
    for name in ("syncd.db-wal", "syncd.db-shm"):
        (world.path / name).unlink(missing_ok=True)
    shutil.copy(world.path / "backup.db", world.path / "syncd.db")


def a_day_ago(world: World) -> datetime:
    return world.clock.now() - timedelta(days=1)


def recovered(world: World, app: App) -> dict[str, int]:
    told = recover.run_once(app.campaign("welcome"), app.tools, since=a_day_ago(world))
    assert told.outcome == "done"
    return dict(told.counts)


def test_l7_after_a_restore_nobody_is_called_again(world: World) -> None:
    """Ten that wait are held back, ten that the ledger does not know count as called."""
    with world.open(alone=True, recovers=True) as app:
        assert recovered(world, app) == {"calls": LEADS, "held_back": 10, "unknown": 10}
        assert recovered(world, app) == {"calls": LEADS, "held_back": 0, "unknown": 0}
        app.ledger.witness.renew()
    with world.open(alone=True) as app:
        poll_all(app)
        settle(world, app)
    assert set(world.called().values()) == {1}
    assert world.states() == {"duplicate": 30}


def test_l7_a_backup_that_was_put_back_is_refused(world: World) -> None:
    """Without anybody's word: by every command that could send, and by the ledger itself then."""
    for _ in range(2):
        with pytest.raises(LedgerError, match="a backup of the ledger was put back") as told:
            world.open(alone=True)
        assert "syncd recover" in told.value.hint
    (world.path / "syncd.db.witness").unlink()
    with world.open(alone=True) as app:
        assert submit.run_once(app.campaign("welcome"), app.tools).outcome == "halted"


def test_a_recovery_that_was_killed_looks_as_far_back_again(world: World) -> None:
    """Neither the killed recovery nor what ran since the loss tells how old the backup is."""
    newest = world.sql("SELECT max(started_at) FROM passes")[0][0]
    world.pass_time(5 * 86_400)
    with pytest.raises(LedgerError):
        world.open(alone=True)
    with world.open(alone=True, recovers=True) as app:
        recovered(world, app)
        poll_all(app)
        known = app.ledger.lost_calls.newest_known(now=world.clock.now())
        assert to_ms(known) == newest
        app.ledger.end_recovery(by=BY)
        world.pass_time(60)
        assert to_ms(app.ledger.lost_calls.newest_known(now=world.clock.now())) > newest


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_c8_the_last_commits_are_gone_with_the_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    """Gone after a request whose answer nobody heard: `recover`, and nobody is called twice."""
    kept: list[tuple[str, dict[str, bytes]]] = []

    def power(step: str, when: str) -> None:
        if step == "request.send":
            return
        if world.sendings[2:]:
            raise PowerCut
        if when == "after" and step != "batch.send":
            files = [tmp_path / name for name in ("syncd.db", "syncd.db-wal")]
            disk = {file.name: file.read_bytes() for file in files if file.exists()}
            kept.append((step, disk))

    with new_world(tmp_path, batch_size=4, max_in_flight=1) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as app:
            poll_all(app)
        monkeypatch.setattr(steps, "hook", power)
        with pytest.raises(PowerCut), world.open(alone=True) as app:
            work(app)
        monkeypatch.undo()
        for file in world.path.glob("syncd.db*"):
            file.unlink()
        assert [step for step, _ in kept[-2:]] == ["batch.seal", "batch.mark_sent"]
        for name, content in kept[-1 - lost][1].items():
            (world.path / name).touch(mode=0o600)
            (world.path / name).write_bytes(content)
        with world.open(alone=True, recovers=True) as app:
            recovered(world, app)
            world.pass_time(LONG_S)
            settle(world, app)
        assert world.called() == dict.fromkeys(world.called(), 1)
        assert len(world.called()) == LEADS


def test_l7_without_a_recovery_they_would_be(world: World) -> None:
    """The comparison has teeth: the restored ledger alone calls people twice."""
    (world.path / "syncd.db.witness").unlink()
    world.box.advance(25 * 3600)
    with world.open(alone=True) as app:
        poll_all(app)
        settle(world, app)
    assert 2 in world.called().values()


def test_nothing_is_sent_while_a_recovery_is_required(world: World) -> None:
    """Every pass that sends is halted with the hint, until it has ended."""
    with world.open(alone=True, recovers=True) as app:
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
    with world.open(alone=True, recovers=True) as app:
        campaign = app.campaign("welcome")
        told = recover.run_once(campaign, app.tools, since=a_day_ago(world))
        assert (told.outcome, told.exit_code) == ("config", 2)
        told = recover.run_once(campaign, app.tools, since=a_day_ago(world), ask_by_phone=True)
        assert told.counts == {"calls": 10, "held_back": 10, "unknown": 0}


def test_a_ledger_that_knows_of_no_pass_may_have_lost_anything(world: World) -> None:
    """A backup of an empty ledger, or a new one in its place: every call is looked at."""
    world.execute("DELETE FROM passes")
    with world.open(alone=True, recovers=True) as app:
        known = app.ledger.lost_calls.newest_known(now=world.clock.now())
    assert known < world.clock.now() - timedelta(days=10 * 365)


@pytest.mark.parametrize("hours", [1, 30])
@pytest.mark.parametrize("sent", [False, True], ids=["sealed", "never left"])
def test_l7_a_batch_that_waits_in_the_backup_may_have_been_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bool, hours: int
) -> None:
    """The backup says that nothing of it left; the campaign has its calls, and forgot its key."""
    with new_world(tmp_path) as world:
        world.write_leads(LEADS)
        with world.open(alone=True) as app:
            poll_all(app)
            if sent:
                with monkeypatch.context() as patch:
                    patch.setattr(CampaignClient, "add_phones", unreachable)
                    work(app)
            else:
                app.ledger.seal_batch("welcome", phones_max=LEADS, now=world.clock.now(), by=BY)
        shutil.copy(world.path / "syncd.db", world.path / "backup.db")
        with world.open(alone=True) as app:
            settle(world, app)
        world.assert_each_once(LEADS)
        put_back(world)
        world.pass_time(hours * 3600)
        with world.open(alone=True, recovers=True) as app:
            recover.run_once(
                app.campaign("welcome"), app.tools, since=a_day_ago(world) - timedelta(days=2)
            )
            app.ledger.end_recovery(by=BY)
            app.ledger.witness.renew()
        with world.open(alone=True) as app:
            for _ in range(4):
                settle(world, app)
                world.pass_time(3600)
        assert set(world.called().values()) == {1}
        world.assert_each_once(LEADS)


def unreachable(*_args: object, **_named: object) -> list[str]:
    message = "no connection"
    raise Transient(message)
