"""Cancel withdraws what it can, and tells what it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.engine import cancel, erase, pull_reports
from syncd.errors import Transient
from syncd.ledger.ledger import Ledger
from syncd.sandbox.faults import Fault
from tests.running import phone_of
from tests.worlds import BY_COLUMN, World, new_world, poll_all, settle, work


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Twelve leads to send, one of them twice, and one without a zone."""
    with new_world(tmp_path, mapping='gmtZone = "{name}"' + BY_COLUMN) as made:
        rows: list[tuple[object, ...]] = [(n, phone_of(n), "Z") for n in range(12)]
        made.write([*rows, (30, phone_of(3), "Z"), (31, "+61 491 570 006", "")])
        yield made


@pytest.fixture
def app(world: World) -> Iterator[App]:
    """The app of the world."""
    with world.open() as opened:
        yield opened


def cancelled(app: App, **which: Any) -> cancel.Cancelled:
    jobs = app.ledger.cancellable(**which)
    return cancel.run(jobs, app.ledger, app.tools.clock, app.campaign)


def test_what_was_not_sent_ends_here(world: World, app: App) -> None:
    """Held and staged jobs are cancelled without a request, and are not sent afterwards."""
    poll_all(app)
    done = cancelled(app, sync="leads")
    assert (done.unsent, done.complete) == (13, True)
    assert world.states() == {"cancelled": 13, "duplicate": 1}
    settle(world, app)
    assert world.sendings == []
    assert cancelled(app, sync="leads") == cancel.Cancelled()


def test_what_was_sent_is_cancelled_at_the_vendor(world: World, app: App) -> None:
    """By ID; the report then closes the job, and one that has ended is too late."""
    world.box.book.campaign(world.box.token).dialer.paused = True
    poll_all(app)
    settle(world, app)
    done = cancelled(app, phone=int(phone_of(5)))
    assert (done.at_vendor, done.too_late, done.complete) == (1, 0, True)
    done = cancelled(app, phone=int(phone_of(5)))
    assert (done.at_vendor, done.too_late, done.complete) == (0, 1, False)
    pull_reports.run_once(app.campaign("welcome"), app.tools)
    assert world.sql("SELECT state FROM call_jobs WHERE lead_id = 6") == [("closed",)]


def test_what_is_being_sent_is_told(world: World, app: App) -> None:
    """Nobody can say yet what becomes of a job in doubt."""
    poll_all(app)
    world.box.faults.add(Fault("answer_lost", count=9, path="addPhones"))
    work(app)
    done = cancelled(app, key="2")
    assert (done.being_sent, done.complete) == (1, False)


def test_a_job_that_is_sealed_meanwhile_is_not_cancelled(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon beside us was quicker: the job counts as being sent."""
    poll_all(app)
    real = Ledger.cancel_unsent

    def late(self: Ledger, *args: Any, **named: Any) -> int:
        work(app)
        return real(self, *args, **named)

    monkeypatch.setattr(Ledger, "cancel_unsent", late)
    done = cancelled(app, key="2")
    assert (done.unsent, done.being_sent) == (0, 1)


def test_a_vendor_that_cannot_be_asked_is_told(world: World, app: App) -> None:
    """What was cancelled before stays so, and the error is handed over."""
    poll_all(app)
    settle(world, app)
    world.box.faults.add(Fault("http_500", path="cancel"))
    done = cancelled(app, sync="leads")
    assert done.unsent == 1
    assert done.error is not None
    assert not done.complete


def mixed_up(world: World, app: App) -> None:
    """The vendor gave IDs back to front, and their reports have shown it."""
    world.box.faults.add(Fault("reversed_answer", path="addPhones"))
    poll_all(app)
    settle(world, app)
    world.pass_time(3 * 86_400)
    pull_reports.run_once(app.campaign("welcome"), app.tools)
    assert app.ledger.mismatched("welcome")


def cancels_asked(world: World) -> int:
    return sum("cancel" in str(entry["path"]) for entry in world.box.requests.entries())


def test_a_call_is_not_cancelled_by_the_id_of_another_phone(world: World, app: App) -> None:
    """A report has shown whose the ID is: the vendor is not asked to end that person's call."""
    mixed_up(world, app)
    done = cancelled(app, key="2")
    assert (done.mismatched, done.at_vendor, done.complete) == (1, 0, False)
    assert cancels_asked(world) == 0
    (job,) = app.ledger.cancellable(key="2")
    assert job.mismatched


def test_a_person_is_not_erased_by_the_id_of_another_phone(world: World, app: App) -> None:
    """Nothing is cancelled or erased; by force the ledger forgets the person, and only that."""
    mixed_up(world, app)
    named = erase.Named(key="2")
    with pytest.raises(Transient, match="another phone's"):
        erase.run(named, app.ledger, app.tools.clock, app.campaign)
    assert app.ledger.cancellable(key="2")
    _done, told = erase.run(named, app.ledger, app.tools.clock, app.campaign, force=True)
    assert (told.asked, told.not_asked) == (0, 1)
    assert cancels_asked(world) == 0
    assert app.ledger.cancellable(key="2") == []
