"""Plan and poll agree, and a plan writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.app import App
from syncd.engine import plan
from syncd.engine.plan import EXAMPLES_MAX, Plan
from tests.running import phone_of
from tests.worlds import BY_COLUMN, MAPPING, World, new_world, poll_all, work


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """New leads, doubles, bad ones and one without a zone."""
    with new_world(tmp_path, mapping='gmtZone = "{name}"' + BY_COLUMN) as made:
        rows: list[tuple[object, ...]] = [(n, phone_of(n), "Z") for n in range(12)]
        rows += [(n, "nothing", "Z") for n in range(20, 25)]
        rows += [(30, phone_of(3), "Z"), (31, "+61 491 570 006", ""), (1, phone_of(1), "Z")]
        made.write([*rows, (32, phone_of(40), "Nowhere/At All")])
        yield made


@pytest.fixture
def app(world: World) -> Iterator[App]:
    """The app of the world."""
    with world.open() as opened:
        yield opened


def planned(app: App, *, whole: bool = False, jobs_max: int = 3) -> Plan:
    return plan.run(
        app.sync("leads"),
        app.ledger,
        now=app.tools.clock.now(),
        whole=whole,
        jobs_max=jobs_max,
        stop=app.tools.stop,
        on_page=lambda _page, _plan: None,
    )


def test_a_plan_tells_what_the_poll_then_does(world: World, app: App) -> None:
    """Counts, reasons and first jobs; neither ledger nor cursor is touched by it."""
    before = world.sql("SELECT count(*) FROM passes")
    told = planned(app)
    assert world.sql("SELECT count(*) FROM passes") == before
    assert world.sql("SELECT count(*) FROM leads") == [(0,)]
    assert app.ledger.position("leads").cursor is None
    assert (told.from_start, told.mapping_changed, told.error) == (True, False, None)
    assert sorted(each.count for each in told.rejected.values()) == [1, 5]
    assert told.rejected["phone_invalid"].count == 5
    assert all(len(each.examples) <= EXAMPLES_MAX for each in told.rejected.values())
    (polled,) = poll_all(app)
    for name in ("records", "new", "staged", "held", "duplicate", "repeated", "rejected"):
        assert told.counts[name] == polled.counts.get(name, 0), name
    assert dict(told.held) == {"no_zone": 1}
    work(app)
    sent = world.sendings[0].body
    assert len(told.first_jobs) == 3
    assert all(job.body in sent for job in told.first_jobs)


def test_a_plan_after_the_poll_has_nothing_to_do(world: World, app: App) -> None:
    """From the cursor nothing is new; the whole source is known."""
    poll_all(app)
    told = planned(app)
    assert (told.from_start, +told.counts) == (False, {})
    told = planned(app, whole=True)
    assert (told.counts["new"], told.counts["known"]) == (0, 14)


def test_a_plan_knows_what_earlier_pages_would_have_brought(world: World, app: App) -> None:
    """A key or phone that comes again pages later is no second lead and no second call."""
    rows = [(n, phone_of(n % 3000), "Z") for n in range(3_000)]
    again = [(n, phone_of(n), "Z") for n in range(5)]
    others = [(n + 9_000, phone_of(n), "Z") for n in range(5)]
    world.write([*rows, *again, *others])
    told = planned(app)
    (polled,) = poll_all(app)
    assert told.counts["new"] == polled.counts["new"] == 3_005
    assert told.counts["duplicate"] == polled.counts["duplicate"] == 5
    assert told.counts["staged"] == 3_000


def test_a_plan_says_that_the_mapping_changed(world: World, app: App) -> None:
    """Then the next poll looks at everything again, and so does the plan."""
    poll_all(app)
    world.syncs["leads"]["mapping"] = MAPPING
    world.configure()
    with world.open() as other:
        told = planned(other)
        assert (told.from_start, told.mapping_changed) == (True, True)
        assert told.counts["released"] == 1
        assert told.counts["new"] == 1


def test_a_plan_of_a_broken_source_tells_what_it_saw(world: World, app: App) -> None:
    """The error stands in the plan."""
    (world.path / "leads.csv").unlink()
    told = planned(app)
    assert told.error is not None
    assert not +told.counts


def test_a_plan_stops(world: World, app: App) -> None:
    """Between two pages."""
    app.tools.stop.set()
    assert planned(app).counts["records"] > 0
