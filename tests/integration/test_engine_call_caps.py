"""Caps of calls to one person, over all jobs, syncs and campaigns of a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.app import App
from syncd.engine import pull_reports, reconcile, renew, submit
from tests.running import phone_of
from tests.worlds import MAPPING, World, new_world, poll_all, run_backfill

HOUR_S = 3600.0
NEVER = 91  #: the ending of a phone that nobody answers
#: At most three calls in 24 hours, from eight to eight.
FLORIDA = '\nmaxAttempts = {}\nretryIntervalInMinutes = 60\n\n[syncs.{}.hours]\npreset = "us-fl"\n'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two campaigns, each with a sync; both know the same person."""
    tokens = ("1.2.welcome", "3.4.second")
    with new_world(
        tmp_path, mapping=MAPPING + FLORIDA.format(2, "leads"), sandbox={"tokens": tokens}
    ) as made:
        made.campaigns["second"] = tokens[1]
        mapping = MAPPING + FLORIDA.format(2, "others")
        made.syncs["others"] = {"campaign": "second", "mapping": mapping}
        made.configure()
        for name in ("leads", "others"):
            made.write([(0, phone_of(NEVER), name)], name=name)
        yield made


def passes(app: App) -> None:
    for name in ("welcome", "second"):
        campaign = app.campaign(name)
        for each in (reconcile, renew, submit, pull_reports):
            if each.has_work(campaign, app.tools):
                each.run_once(campaign, app.tools)


def live(world: World, app: App, hours: int) -> None:
    for _ in range(hours):
        passes(app)
        world.pass_time(HOUR_S)


def hours_of_calls(world: World) -> list[tuple[int, int]]:
    """Day and hour of each call, by UTC."""
    times = sorted(call.started_ms for call in world.box.calls())
    called = [datetime.fromtimestamp(at / 1000, UTC) for at in times]
    return [(at.day, at.hour) for at in called]


def test_a_job_waits_until_the_caps_have_room_for_it(world: World) -> None:
    """Two calls were made and two more would be four in a day: they come a day later."""
    with world.open() as app:
        poll_all(app)
        passes(app)
        assert world.sql("SELECT sync, state, reason FROM call_jobs ORDER BY id") == [
            ("leads", "accepted", None),
            ("others", "held", "call_cap"),
        ]
        live(world, app, 40)
        assert hours_of_calls(world) == [(2, 9), (2, 10), (3, 9), (3, 10)]
        assert world.states() == {"closed": 2}


def test_what_fits_beside_open_calls_goes_at_once(world: World) -> None:
    """One attempt more is three calls in a day."""
    world.syncs["others"]["mapping"] = MAPPING + FLORIDA.format(1, "others")
    world.configure()
    with world.open() as app:
        poll_all(app)
        passes(app)
        assert world.states() == {"accepted": 2}
        live(world, app, 30)
        assert len(hours_of_calls(world)) == 3


def test_a_backfill_keeps_to_the_caps_too(world: World) -> None:
    """Its jobs are not sealed before the calls of others were counted."""
    with world.open() as app:
        run_backfill(app, wait=False)
        run_backfill(app, wait=False, sync="others")
        assert world.states() == {"accepted": 1, "held": 1}


def test_whose_campaign_has_called_them_meanwhile_is_a_duplicate(world: World) -> None:
    """A job of the same phone that counts in its campaign keeps the held one back."""
    with world.open() as app:
        poll_all(app)
        passes(app)
        world.syncs["more"] = {"campaign": "second", "mapping": MAPPING}
        world.configure()
    world.write([(0, phone_of(NEVER), "x")], name="more")
    with world.open() as app:
        poll_all(app)
        live(world, app, 40)
        rows = world.sql("SELECT sync, state, reason FROM call_jobs ORDER BY id")
        assert rows[1:] == [
            ("others", "duplicate", "phone_known"),
            ("more", "closed", "noAnswer"),
        ]
