"""Who is called once: by phone or by lead, in one campaign or in all, for ever or for a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from syncd.app import App
from syncd.cli.explaining import look_up
from syncd.engine import plan
from tests.worlds import MAPPING, World, new_world, poll_all, settle, work

DAY_S = 24 * 3600.0
#: One person, as five clerks wrote the number down.
SPELLINGS = [
    "+1 212 555 0123",
    "(212) 555-0123",
    "1-212-555-0123",
    "212.555.0123",
    "12125550123",
]


@contextmanager
def a_world(path: Path, policy: str = "") -> Iterator[tuple[World, App]]:
    told = f"{MAPPING}\n[syncs.leads.policy]\n{policy}"
    with new_world(path, mapping=f'default_region = "US"\n{told}') as world, world.open() as app:
        world.write([(n, text, "Ann") for n, text in enumerate(SPELLINGS)])
        yield world, app


def test_five_spellings_are_one_call(tmp_path: Path) -> None:
    """The same person in five spellings is called once; the others say whose call it is."""
    with a_world(tmp_path) as (world, app):
        poll_all(app)
        settle(world, app)
        assert world.called() == {"12125550123": 1}
        assert world.states() == {"accepted": 1, "duplicate": 4}
        ((job,),) = [lead["jobs"] for lead in look_up("4", app).leads]
        assert (job["reason"], job["duplicate_of"]["key"]) == ("phone_known", "0")


def test_per_lead_each_record_is_called(tmp_path: Path) -> None:
    """Each in a batch of its own, as a batch that names a phone twice is refused."""
    with a_world(tmp_path, 'one_call_per = "lead"') as (world, app):
        poll_all(app)
        settle(world, app)
        assert world.called() == {"12125550123": 5}


@pytest.mark.parametrize(
    "policy", ["", 'one_call_per = "lead"', 'one_call_scope = "all"\ncall_again_after_days = 3']
)
def test_a_plan_counts_as_the_poll_does(tmp_path: Path, policy: str) -> None:
    """Whatever the policy, the plan says how many are called."""
    with a_world(tmp_path, policy) as (_world, app):
        told = plan.run(
            app.sync("leads"),
            app.ledger,
            now=app.tools.clock.now(),
            whole=False,
            jobs_max=0,
            stop=app.tools.stop,
            on_page=lambda _page, _plan: None,
        )
        (polled,) = poll_all(app)
        for name in ("staged", "duplicate"):
            assert told.counts[name] == polled.counts.get(name, 0)


def test_after_the_horizon_a_new_lead_is_called_again(tmp_path: Path) -> None:
    """Three days after the end of the call; a day after it, the new record is a duplicate."""
    with a_world(tmp_path, "call_again_after_days = 3") as (world, app):
        poll_all(app)
        settle(world, app)
        world.pass_time(DAY_S)
        work(app)
        assert world.states() == {"closed": 1, "duplicate": 4}
        world.write([("b", SPELLINGS[1], "Ann")])
        poll_all(app)
        world.pass_time(3 * DAY_S)
        world.write([("c", SPELLINGS[2], "Ann")])
        poll_all(app)
        settle(world, app)
        assert world.called() == {"12125550123": 2}
