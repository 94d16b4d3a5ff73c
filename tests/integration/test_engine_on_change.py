"""A changed row: ignored, called again, or called with its new content in place of the old."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.app import App
from syncd.cli.explaining import look_up
from syncd.engine import pull_reports, withdraw
from syncd.engine.passes import PassResult
from syncd.sandbox.faults import Fault
from tests.running import phone_of
from tests.worlds import MAPPING, World, new_world, poll_all, settle, work

DAY_S = 24 * 3600.0
READD = 'on_change = "cancel_and_readd"'
UNKNOWN = {"type": "id.not.found", "message": "no"}
AGAIN = 'on_change = "call_again"'


@contextmanager
def a_world(path: Path, policy: str) -> Iterator[tuple[World, App]]:
    """A world whose dialer stands still, with one lead."""
    told = f"{MAPPING}\n[syncs.leads.policy]\n{policy}"
    with new_world(path, mapping=told) as world, world.open() as app:
        world.box.book.campaign(world.box.token).dialer.paused = True
        row(world, "Ann")
        poll_all(app)
        yield world, app


def row(world: World, name: str, *, phone: int = 0, stage: str = "new", key: int = 1) -> None:
    world.write([(key, phone_of(phone), name, stage)], columns="id,phone,name,stage")


def change(world: World, app: App, name: str, **more: Any) -> PassResult:
    row(world, name, **more)
    (result,) = poll_all(app)
    return result


def withdrawn(app: App) -> PassResult:
    return withdraw.run_once(app.campaign("welcome"), app.tools)


def names(world: World) -> list[tuple[str, str | None]]:
    """State and name of each job of the ledger, the oldest first."""
    found = world.sql("SELECT state, body ->> '$.payload.name' FROM call_jobs ORDER BY id")
    return [(state, name) for state, name in found]


def called_names(world: World) -> list[str]:
    """The names that the vendor would call, and has not cancelled."""
    open_jobs = [job for job in world.box.jobs() if job.finished_ms is None]
    return sorted(orjson.loads(job.payload or "{}").get("name") for job in open_jobs)


@pytest.mark.parametrize("policy", [READD, AGAIN])
def test_s12_what_was_not_sent_is_replaced_at_once(tmp_path: Path, policy: str) -> None:
    """The old content ends, the new is staged, and the person is called once."""
    with a_world(tmp_path, policy) as (world, app):
        result = change(world, app, "Anna")
        assert (result.counts["replaced"], result.counts["staged"]) == (1, 1)
        assert names(world) == [("cancelled", "Ann"), ("staged", "Anna")]
        settle(world, app)
        assert called_names(world) == ["Anna"]


@pytest.mark.parametrize("policy", [READD, AGAIN])
def test_a_row_that_would_be_sent_alike_changes_nothing(tmp_path: Path, policy: str) -> None:
    """A phone in another spelling is the same call."""
    with a_world(tmp_path, policy) as (world, app):
        world.write([(1, f" {phone_of(0)} ", "Ann", "new")], columns="id,phone,name,stage")
        (result,) = poll_all(app)
        assert result.counts["changed"] == 1
        assert names(world) == [("staged", "Ann")]


def test_s12_an_open_call_is_cancelled_before_the_new_one_is_added(tmp_path: Path) -> None:
    """At no time has the vendor two calls of one person; explain shows the proof."""
    with a_world(tmp_path, READD) as (world, app):
        settle(world, app)
        assert change(world, app, "Anna").counts["to_cancel"] == 1
        assert names(world) == [("accepted", "Ann"), ("held", "Anna")]
        settle(world, app)
        assert called_names(world) == ["Ann"]
        result = withdrawn(app)
        assert (result.counts["cancelled"], result.counts["released"]) == (1, 1)
        settle(world, app)
        assert names(world) == [("closed", "Ann"), ("accepted", "Anna")]
        assert called_names(world) == ["Anna"]
        ((old, _),) = [lead["jobs"] for lead in look_up("1", app).leads]
        assert (old["cancellation"]["why"], old["cancellation"]["answer"]) == (
            "row_changed",
            "cancelled",
        )


def test_the_newest_content_is_the_one_that_is_called(tmp_path: Path) -> None:
    """A second change while the first waits for the cancel takes its place."""
    with a_world(tmp_path, READD) as (world, app):
        settle(world, app)
        change(world, app, "Anna")
        change(world, app, "Annika")
        withdrawn(app)
        settle(world, app)
        assert called_names(world) == ["Annika"]
        assert names(world)[1] == ("cancelled", "Anna")


def test_a_person_who_was_called_is_not_called_with_new_content(tmp_path: Path) -> None:
    """The call was made before it could be cancelled: the new content ends, with the reason."""
    with a_world(tmp_path, READD) as (world, app):
        settle(world, app)
        change(world, app, "Anna")
        world.box.book.campaign(world.box.token).dialer.paused = False
        world.pass_time(DAY_S)
        withdrawn(app)
        settle(world, app)
        assert names(world) == [("closed", "Ann"), ("cancelled", "Anna")]
        assert world.sql("SELECT reason FROM call_jobs WHERE id = 2") == [("called_already",)]
        assert world.called() == {phone_of(0).lstrip("+"): 1}


def test_after_its_call_a_change_is_no_reason_to_call(tmp_path: Path) -> None:
    """cancel_and_readd replaces calls that were not made; one that was made is left alone."""
    with a_world(tmp_path, READD) as (world, app):
        settle(world, app)
        world.box.book.campaign(world.box.token).dialer.paused = False
        world.pass_time(DAY_S)
        work(app)
        assert change(world, app, "Anna").counts["changed"] == 1
        assert names(world) == [("closed", "Ann")]


def test_a_vendor_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    """Until it has answered nothing new is added; when it was asked is kept."""
    with a_world(tmp_path, READD) as (world, app):
        settle(world, app)
        change(world, app, "Anna")
        world.box.faults.add(Fault("http_500", path="cancel"))
        assert withdrawn(app).outcome == "retry"
        assert world.sql("SELECT asked_at > 0, answered_at FROM cancellations") == [(1, None)]
        assert not withdraw.has_work(app.campaign("welcome"), app.tools)
        world.pass_time(60)
        assert withdraw.has_work(app.campaign("welcome"), app.tools)
        assert withdrawn(app).counts["released"] == 1


def test_a_change_in_doubt_waits_for_the_answer(tmp_path: Path) -> None:
    """The old content may be at the vendor: it is cancelled when its ID is known."""
    with a_world(tmp_path, READD) as (world, app):
        world.box.faults.add(Fault("answer_lost", count=1, path="addPhones"))
        work(app)
        change(world, app, "Anna")
        assert not withdraw.has_work(app.campaign("welcome"), app.tools)
        settle(world, app)
        withdrawn(app)
        settle(world, app)
        assert called_names(world) == ["Anna"]


def test_call_again_calls_when_the_earlier_call_has_ended(tmp_path: Path) -> None:
    """While it may still come, the change is kept as a duplicate of it."""
    with a_world(tmp_path, AGAIN) as (world, app):
        settle(world, app)
        change(world, app, "Anna")
        assert names(world) == [("accepted", "Ann"), ("duplicate", "Anna")]
        world.box.book.campaign(world.box.token).dialer.paused = False
        world.pass_time(DAY_S)
        work(app)
        assert change(world, app, "Annika").counts["again"] == 1
        settle(world, app)
        assert world.called() == {phone_of(0).lstrip("+"): 2}


def test_call_again_heeds_the_horizon(tmp_path: Path) -> None:
    """Within it, a changed row is a duplicate of the lead's own call."""
    with a_world(tmp_path, f"{AGAIN}\ncall_again_after_days = 3") as (world, app):
        world.box.book.campaign(world.box.token).dialer.paused = False
        settle(world, app)
        world.pass_time(DAY_S)
        work(app)
        change(world, app, "Anna")
        assert names(world) == [("closed", "Ann"), ("duplicate", "Anna")]
        world.pass_time(3 * DAY_S)
        change(world, app, "Annika")
        assert names(world)[-1] == ("staged", "Annika")


def test_call_again_heeds_the_calls_of_other_leads(tmp_path: Path) -> None:
    """A changed phone that another lead has is not called."""
    with a_world(tmp_path, AGAIN) as (world, app):
        row(world, "Bob", phone=5, key=2)
        poll_all(app)
        change(world, app, "Ann", phone=5)
        assert names(world) == [("cancelled", "Ann"), ("staged", "Bob"), ("duplicate", "Ann")]


def test_only_the_named_columns_count(tmp_path: Path) -> None:
    """Another change is none; theirs counts even when the same would be sent."""
    policy = f'{AGAIN}\nchange_columns = ["stage"]'
    with a_world(tmp_path, policy) as (world, app):
        world.box.book.campaign(world.box.token).dialer.paused = False
        settle(world, app)
        world.pass_time(DAY_S)
        work(app)
        assert change(world, app, "Anna").counts["changed"] == 1
        assert names(world) == [("closed", "Ann")]
        assert change(world, app, "Anna", stage="won").counts["again"] == 1
        assert names(world) == [("closed", "Ann"), ("staged", "Anna")]


def test_newly_named_columns_call_nobody(tmp_path: Path) -> None:
    """The first reading under other change_columns only learns what they hold."""
    with a_world(tmp_path, f'{AGAIN}\nchange_columns = ["name"]') as (world, app):
        settle(world, app)
    for columns in ('["stage"]', '["stage", "name"]'):
        told = f"{MAPPING}\n[syncs.leads.policy]\n{AGAIN}\nchange_columns = {columns}"
        world.syncs["leads"]["mapping"] = told
        world.configure()
        with world.open() as app:
            row(world, "Ann", stage="new")
            poll_all(app)
            assert names(world) == [("accepted", "Ann")]


def test_an_absent_column_is_told(tmp_path: Path) -> None:
    """A typo in change_columns must not mean that nothing counts."""
    with (
        new_world(
            tmp_path, mapping=f'{MAPPING}\n[syncs.leads.policy]\nchange_columns = ["stagge"]'
        ) as world,
        world.open() as app,
    ):
        row(world, "Ann")
        (result,) = poll_all(app)
        assert result.outcome == "config"
        assert 'did you mean "stage"' in str(result.error)


def test_a_changed_row_that_cannot_be_mapped_is_a_rejection(tmp_path: Path) -> None:
    """The job stays as it is, and the row is told."""
    with a_world(tmp_path, READD) as (world, app):
        world.write([(1, "nothing", "Anna", "new")], columns="id,phone,name,stage")
        (result,) = poll_all(app)
        assert result.counts["rejected"] == 1
        assert names(world) == [("staged", "Ann")]


def test_an_id_that_the_vendor_lost_is_given_up_after_a_while(tmp_path: Path) -> None:
    """Nobody can know whether that call was made: the new content is not called."""
    with a_world(tmp_path, READD) as (world, app):
        settle(world, app)
        change(world, app, "Anna")
        world.box.faults.add(Fault("refused", count=9, path="cancel", error=UNKNOWN))
        for _ in range(6):
            withdrawn(app)
            world.clock.set(world.clock.now() + timedelta(minutes=20))
        assert world.sql("SELECT answer FROM cancellations") == [("unknown_id",)]
        assert world.sql("SELECT reason FROM call_jobs WHERE id = 2") == [("first_call_unknown",)]
        pull_reports.run_once(app.campaign("welcome"), app.tools)
