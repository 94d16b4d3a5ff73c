"""Open jobs that would be sent otherwise today: found, and queued again, each called once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.app import App
from syncd.engine import requeue, withdraw
from syncd.engine.requeue import Affected
from tests.running import phone_of
from tests.worlds import MAPPING, World, new_world, poll_all, settle

HOUR_S = 3600.0
HOURS = '\n[syncs.leads.hours]\nweek = {{ mon-sun = ["{}"] }}\n'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with new_world(tmp_path, mapping=MAPPING + HOURS.format("10:00-12:00")) as made:
        made.box.book.campaign(made.box.token).dialer.paused = True
        yield made


def hours(world: World, span: str, more: str = "") -> None:
    world.syncs["leads"]["mapping"] = MAPPING + HOURS.format(span) + more
    world.configure()


def look(app: App) -> Affected:
    return requeue.look(app.again("leads"), app.ledger)


def run(app: App) -> dict[str, int]:
    return dict(requeue.run(look(app), "ann", app.ledger, app.tools.clock))


def sent_hours(world: World) -> list[str]:
    """When those may be called whom the vendor would call, and has not cancelled."""
    told = [one for sending in world.sendings for one in orjson.loads(sending.body)]
    open_jobs = [job for job in world.box.jobs() if job.finished_ms is None]
    newest: dict[str, Any] = {one["phone"]: one for one in told}
    return [
        newest[job.phone.lstrip("+")]["allowedTime"]["mon"][0]["localTimeFrom"] for job in open_jobs
    ]


def test_nothing_is_affected_while_nothing_changed(world: World) -> None:
    """Also when days go by, of jobs that wait and of jobs at the vendor, with slices too."""
    hours(world, "10:00-12:00", "closed = [2026-03-20]\n")
    world.write_leads(3)
    with world.open() as app:
        poll_all(app)
        settle(world, app)
        world.write_leads(5)
        poll_all(app)
        for _ in range(3):
            found = look(app)
            assert (found.open_jobs, found.jobs) == (5, [])
            world.pass_time(20 * HOUR_S)


def test_new_hours_reach_open_jobs_and_everybody_is_called_once(world: World) -> None:
    """One waits and gets its window in place; the other is cancelled first, and then goes."""
    with world.open() as app:
        world.write_leads(1)
        poll_all(app)
        settle(world, app)
        world.write_leads(2)
        poll_all(app)
    hours(world, "14:00-16:00")
    with world.open() as app:
        assert (look(app).hours, len(look(app).jobs)) == (2, 2)
        assert run(app) == {"in_place": 1, "to_cancel": 1}
        assert look(app).jobs == [], "what was queued again differs no more"
        withdraw.run_once(app.campaign("welcome"), app.tools)
        settle(world, app)
        assert sent_hours(world) == ["14:00", "14:00"]
        world.box.book.campaign(world.box.token).dialer.paused = False
        world.pass_time(30 * HOUR_S)
        phones = [job.phone for job in world.box.jobs() if job.attempts]
        assert sorted(phones) == sorted({*phones})
        assert len(phones) == 2


def test_who_has_no_hour_any_more_is_held(world: World) -> None:
    """What waited is held, with the reason; what was sent is cancelled, and its rest is held."""
    own = (
        MAPPING
        + '\nallowedTime = { default = [{ localTimeFrom = "10:00", localTimeTo = "11:00" }] }\n'
    )
    world.syncs["leads"]["mapping"] = own + HOURS.format("10:00-12:00")
    world.configure()
    with world.open() as app:
        world.write_leads(1)
        poll_all(app)
        settle(world, app)
        world.write_leads(2)
        poll_all(app)
    world.syncs["leads"]["mapping"] = own + HOURS.format("14:00-16:00")
    world.configure()
    with world.open() as app:
        assert run(app) == {"held": 1, "to_cancel": 1}
        withdraw.run_once(app.campaign("welcome"), app.tools)
        settle(world, app)
        assert world.states() == {"closed": 1, "held": 2}
        assert not [job for job in world.box.jobs() if job.finished_ms is None]


def test_who_would_be_taken_for_a_repeat_waits_a_day(world: World) -> None:
    """Without a payload the same phone is a duplicate for 24 hours: nobody would be called."""
    world.syncs["leads"]["mapping"] = HOURS.format("10:00-12:00")
    world.configure()
    world.write_leads(2)
    with world.open() as app:
        poll_all(app)
        settle(world, app)
    world.syncs["leads"]["mapping"] = HOURS.format("14:00-16:00")
    world.configure()
    with world.open() as app:
        assert run(app) == {"too_soon": 2}
        world.pass_time(26 * HOUR_S)
        assert run(app) == {"to_cancel": 2}
        withdraw.run_once(app.campaign("welcome"), app.tools)
        settle(world, app)
        assert sent_hours(world) == ["14:00", "14:00"]


def test_another_zone_of_a_number_is_found_by_the_number(world: World) -> None:
    """Where the number told the zone, an override for it reaches its open jobs, and no others."""
    plain = 'payload = { name = "{name}" }' + HOURS.format("10:00-12:00")
    world.syncs["leads"]["mapping"] = plain
    world.configure()
    world.write([(n, phone_of(100 * n), "x") for n in range(3)])
    with world.open() as app:
        poll_all(app)
        settle(world, app)
        assert look(app).jobs == []
    prefix = phone_of(100)[:5]
    world.syncs["leads"]["mapping"] = (
        plain + f'\n[syncs.leads.zones.overrides]\n"{prefix}" = ["Pacific/Honolulu"]\n'
    )
    world.configure()
    with world.open() as app:
        assert (look(app).hours, len(look(app).jobs)) == (0, 1)
        assert run(app) == {"to_cancel": 1}
        withdraw.run_once(app.campaign("welcome"), app.tools)
        settle(world, app)
        assert b"-10:00" in world.sendings[-1].body
