"""Weeks with holidays: a job is sent slice by slice, and called only when it may be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.app import App
from syncd.engine import pull_reports, reconcile, renew, submit, suppress
from syncd.engine.passes import PassResult
from tests.running import phone_of
from tests.worlds import MAPPING, World, new_world, poll_all

HOUR_S = 3600.0
#: Seven attempts, one a day, at ten to twelve on working days.
PLAN = """
maxAttempts = 7
retryIntervalInMinutes = 1440

[syncs.leads.hours]
week = { mon-fri = ["10:00-12:00"] }
closed = [2026-03-04, 2026-03-11]
"""
ANSWERS, NEVER = 90, 91  #: endings of phones


@contextmanager
def a_world(path: Path, plan: str = PLAN, **more: Any) -> Iterator[World]:
    with new_world(path, mapping=MAPPING + plan, **more) as world:
        yield world


def passes(app: App, name: str = "welcome") -> dict[str, PassResult]:
    """Each pass of a campaign that has something to do."""
    campaign = app.campaign(name)
    modules = (reconcile, renew, submit, pull_reports)
    done: dict[str, PassResult] = {}
    for each in modules:
        if each.has_work(campaign, app.tools):
            result = each.run_once(campaign, app.tools)
            done[result.kind] = result
    return done


def live(world: World, app: App, days: int, *, every_h: int = 12) -> None:
    """Passes run while days go by."""
    for _ in range(days * 24 // every_h):
        passes(app)
        world.pass_time(every_h * HOUR_S)


def days_of_calls(world: World, number: int) -> list[date]:
    phone = phone_of(number)
    return [
        datetime.fromtimestamp(call.started_ms / 1000, UTC).date()
        for call in world.box.calls()
        if call.job.phone.lstrip("+") == phone.lstrip("+")
    ]


def march(*days: int) -> list[date]:
    return [date(2026, 3, day) for day in days]


def test_what_a_slice_leaves_over_is_called_in_the_next(tmp_path: Path) -> None:
    """Seven attempts over two weeks, never on a closed date, and not one too many."""
    with a_world(tmp_path) as world, world.open() as app:
        world.write([(n, phone_of(n), "x") for n in (ANSWERS, NEVER)])
        poll_all(app)
        live(world, app, 21)
        assert days_of_calls(world, NEVER) == march(2, 3, 5, 6, 9, 10, 12)
        assert days_of_calls(world, ANSWERS) == march(2)
        jobs = world.sql("SELECT state, follows, ends_at FROM call_jobs ORDER BY id")
        assert jobs == [("closed", None, None)] * 2 + [("closed", 2, None)]
        assert [job.settings.max_attempts for job in world.box.jobs()] == [7, 7, 3]
        assert not renew.has_work(app.campaign("welcome"), app.tools)


def test_a_job_that_was_not_sent_in_its_slice_gets_the_next(tmp_path: Path) -> None:
    """The campaign was held for a week: the job waits as slice_over, and then goes at once."""
    with a_world(tmp_path) as world, world.open() as app:
        world.write([(0, phone_of(ANSWERS), "x")])
        poll_all(app)
        world.pass_time(8 * 24 * HOUR_S)
        submit.run_once(app.campaign("welcome"), app.tools)
        assert world.sql("SELECT state, reason FROM call_jobs") == [("held", "slice_over")]
        assert passes(app)["renew"].counts == {"released": 1}
        world.pass_time(24 * HOUR_S)
        assert days_of_calls(world, ANSWERS) == march(10)


def test_after_the_last_holiday_a_job_has_one_window_for_the_rest(tmp_path: Path) -> None:
    """No date matters any more: weekly hours, from the next week to the job's own end."""
    plan = (
        PLAN.replace(", 2026-03-11]", "]")
        + '\n[syncs.leads.map.finishDateTime]\nvalue = "2026-03-31T00:00:00Z"'
    )
    with a_world(tmp_path, plan) as world, world.open() as app:
        world.write([(0, phone_of(NEVER), "x")])
        poll_all(app)
        live(world, app, 14)
        sent = [orjson.loads(one.body)[0] for one in world.sendings]
        assert [one["finishDateTime"] for one in sent] == [
            "2026-03-09T00:00:00Z",
            "2026-03-31T00:00:00Z",
        ]
        assert days_of_calls(world, NEVER) == march(2, 3, 5, 6, 9, 10, 11)
        assert world.sql("SELECT state, ends_at FROM call_jobs") == [("closed", None)] * 2


@pytest.mark.parametrize(
    ("finish", "days"),
    [("2026-03-10T11:00:00Z", (2, 3, 5, 6, 9, 10)), ("2026-03-09T08:00:00Z", (2, 3, 5, 6))],
)
def test_nothing_is_called_past_the_own_end_of_a_job(
    tmp_path: Path, finish: str, days: tuple[int, ...]
) -> None:
    """The last slice ends with the job, and one without an hour is not pushed."""
    plan = f'{PLAN}\n[syncs.leads.map.finishDateTime]\nvalue = "{finish}"'
    with a_world(tmp_path, plan) as world, world.open() as app:
        world.write([(0, phone_of(NEVER), "x")])
        poll_all(app)
        live(world, app, 14)
        assert days_of_calls(world, NEVER) == march(*days)
        assert world.states() == {"closed": 2 if len(days) > 4 else 1}


LISTS = """
[sources.dnc]
kind = "csv"
path = "dnc.csv"
renamed = true

[suppressions.dnc]
source = "dnc"
phone = "phone"
"""


def test_whom_a_list_has_meanwhile_is_not_called_in_the_next_slice(tmp_path: Path) -> None:
    """The rest of the call is there, and cancelled."""
    with a_world(tmp_path, PLAN + LISTS) as world:
        world.write([], columns="phone", name="dnc")
        with world.open() as app:
            world.write([(0, phone_of(NEVER), "x")])
            suppress.run_once(app.suppression("dnc"), app.tools)
            poll_all(app)
            live(world, app, 4)
            world.pass_time(24 * HOUR_S)
            pull_reports.run_once(app.campaign("welcome"), app.tools)
            world.write([(phone_of(NEVER),)], columns="phone", name="dnc")
            suppress.run_once(app.suppression("dnc"), app.tools)
            live(world, app, 10)
        assert days_of_calls(world, NEVER) == march(2, 3, 5, 6)
        assert world.sql("SELECT state, reason FROM call_jobs") == [
            ("closed", "noAnswer"),
            ("cancelled", "suppressed"),
        ]


def test_a_row_that_changed_is_not_called_with_its_old_content(tmp_path: Path) -> None:
    """Where changes are called again, the new content is a job of its own: no slice follows."""
    plan = f'{PLAN}\n[syncs.leads.policy]\non_change = "call_again"'
    with a_world(tmp_path, plan) as world, world.open() as app:
        world.write([(0, phone_of(NEVER), "x")])
        poll_all(app)
        live(world, app, 5)
        pull_reports.run_once(app.campaign("welcome"), app.tools)
        world.write([(0, phone_of(NEVER), "y")])
        poll_all(app)
        live(world, app, 1)
        rows = world.sql("SELECT follows, body ->> '$.payload.name' FROM call_jobs")
        assert rows == [(None, "x"), (None, "y")]


def test_two_leads_with_one_phone_go_on_as_one_call(tmp_path: Path) -> None:
    """The next slice is kept back by no job of its own lead; the other lead stays a duplicate."""
    with a_world(tmp_path) as world, world.open() as app:
        world.write([(n, phone_of(NEVER), "x") for n in range(2)])
        poll_all(app)
        live(world, app, 14)
        assert world.states() == {"closed": 2, "duplicate": 1}
        assert days_of_calls(world, NEVER) == march(2, 3, 5, 6, 9, 10, 12)
