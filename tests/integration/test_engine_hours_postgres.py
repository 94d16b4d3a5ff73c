"""Caps, next slices and requeue on a PostgreSQL ledger: the statements are those of SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.engine import pull_reports, renew, requeue, submit
from tests.running import phone_of
from tests.worlds import MAPPING, new_world, poll_all

HOUR_S = 3600.0
#: Three calls in a day are allowed; the closed date has days sent slice by slice.
HOURS = """
maxAttempts = 2
retryIntervalInMinutes = 60
[syncs.leads.hours]
preset = "us-fl"
{}
[syncs.leads.policy]
one_call_per = "lead"
"""


@pytest.mark.postgres
def test_slices_caps_and_requeue_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """Two leads of one person: the second waits for a day, and its slice; then hours change."""
    mapping = MAPPING + HOURS.format("closed = [2026-03-20]")
    with new_world(tmp_path, ledger_url=postgres_url, mapping=mapping) as world:
        world.write([(n, phone_of(91), "x") for n in range(2)])
        with world.open() as app:
            poll_all(app)
            campaign = app.campaign("welcome")
            for _ in range(30):
                for each in (renew, submit, pull_reports):
                    if each.has_work(campaign, app.tools):
                        each.run_once(campaign, app.tools)
                world.pass_time(HOUR_S)
            assert len(world.box.calls()) == 4
            assert not app.ledger.slices.has_work("welcome", ["leads"], now=world.clock.now())
            world.write([(2, phone_of(0), "x")])
            poll_all(app)
        world.syncs["leads"]["mapping"] = MAPPING + HOURS.format(
            'week = { mon-sun = ["9-11"] }'
        ).replace("9-11", "09:00-11:00")
        world.configure()
        with world.open() as app:
            found = requeue.look(app.again("leads"), app.ledger)
            assert dict(requeue.run(found, "ann", app.ledger, app.tools.clock)) == {"in_place": 1}
