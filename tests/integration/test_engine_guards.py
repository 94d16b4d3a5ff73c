"""A mistake starts no calls: what is too much is held until a person has said yes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.core.guards import Tripwires, day_limit
from syncd.engine import approve, guarding, plan, poll, submit
from syncd.engine.parts import Sync
from syncd.engine.passes import Pass, PassResult
from syncd.errors import EXIT_TRIPPED, SourceDown, Transient
from syncd.ledger.approvals import Word
from syncd.ledger.intake_page import IntakePage, IntakeResult
from syncd.ledger.ledger import Ledger
from syncd.observe import events
from syncd.sources.base import Cursor, Page
from tests.running import phone_of
from tests.worlds import BY_COLUMN, Between, World, new_world, poll_all, run_backfill, settle, work

COLUMNS = ("id", "phone", "name")
PAGE = 4
LIMIT = 10
ANNA = Word("anna")


class Table:
    """A source of many rows in pages of four, which may break off, and may be endless."""

    def __init__(self, count: int, *, first: int = 0, broken_at: int | None = None) -> None:
        self.rows = [(str(n), phone_of(n), f"Lead {n}") for n in range(first, first + count)]
        self.broken_at = broken_at

    def read(self, cursor: Cursor | None, *, now: datetime) -> Iterator[Page]:
        start = int(str(cursor["at"])) if cursor else 0
        for at in range(start, len(self.rows), PAGE):
            if self.broken_at is not None and at >= self.broken_at:
                raise SourceDown("the table went away")
            end = min(at + PAGE, len(self.rows))
            yield Page("table", COLUMNS, list(self.rows[at:end]), list(range(at, end)), {"at": end})


def guarded(app: App, table: Table, **wires: Any) -> Sync:
    """The world's sync, reading this table, with tripwires."""
    given: dict[str, Any] = {"max_new": LIMIT, "max_growth": None, "growth_floor": 0, **wires}
    return replace(app.sync("leads"), source=table, tripwires=Tripwires(**given))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A campaign without limits of the day."""
    with new_world(tmp_path) as made:
        yield made


@pytest.fixture
def app(world: World) -> Iterator[App]:
    with world.open() as opened:
        yield opened


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll of more than one page is too long to be judged before it is stored."""
    monkeypatch.setattr(guarding, "LOOK_AHEAD_PAGES", 1)


def reasons(world: World) -> dict[str | None, int]:
    """Held and staged jobs by reason."""
    query = "SELECT reason, count(*) FROM call_jobs WHERE state IN ('held', 'staged') GROUP BY 1"
    return dict(world.sql(query))


def polled(app: App, sync: Sync) -> PassResult:
    return poll.run_once(sync, app.tools)


def test_a_wrong_where_clause_does_not_start_100_000_calls(
    world: World, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """Twenty pages of leads where ten leads are allowed: no page of them is ever sent."""
    result = polled(app, guarded(app, Table(80)))
    assert (result.counts.get("tripped", 0), result.counts.get("staged", 0)) == (80, 0)
    assert (result.outcome, result.exit_code) == ("done", EXIT_TRIPPED)
    assert reasons(world) == {"tripwire": 80}
    settle(world, app)
    assert world.called() == {}
    assert [r.msg for r in caplog.records if events.GUARD_TRIPPED in str(r.msg)]
    assert world.sql("SELECT guard, allowed, found FROM trips") == [("max_new_per_poll", LIMIT, 80)]
    # The cursor moved on: the next poll reads none of it again, and is judged for itself.
    after = polled(app, guarded(app, Table(85)))
    assert (after.counts["staged"], after.counts.get("tripped", 0)) == (5, 0)
    settle(world, app)
    assert sum(world.called().values()) == 5


@pytest.mark.parametrize("ahead", [1, 2, 10])
@pytest.mark.parametrize("count", [1, PAGE, LIMIT])
def test_a_poll_within_its_limits_is_sent_as_ever(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch, count: int, ahead: int
) -> None:
    """One page or several, judged before or after: at its end all of it is staged."""
    monkeypatch.setattr(guarding, "LOOK_AHEAD_PAGES", ahead)
    result = polled(app, guarded(app, Table(count)))
    assert (result.counts["staged"], result.counts.get("tripped", 0)) == (count, 0)
    settle(world, app)
    world.assert_each_once(count)


def test_a_single_page_that_is_too_much_is_held(world: World, app: App) -> None:
    """It is judged before it is stored, and after."""
    assert polled(app, guarded(app, Table(4), max_new=3)).counts.get("tripped", 0) == 4
    assert reasons(world) == {"tripwire": 4}


def sealed_between(app: App, table: Table) -> list[int]:
    """How many jobs a submit found after each page of a poll."""
    seen: list[int] = []

    def between(_page: Page, _running: Pass) -> None:
        seen.append(submit.run_once(app.campaign("welcome"), app.tools).counts.get("sealed", 0))

    poll.run_once(guarded(app, table), app.tools, beside=Between(between))
    return seen


@pytest.mark.usefixtures("long")
def test_nothing_is_sent_while_a_poll_is_judged(world: World, app: App) -> None:
    """Between two pages a submit runs, and finds nothing."""
    assert sealed_between(app, Table(LIMIT)) == [0, 0, 0]
    settle(world, app)
    world.assert_each_once(LIMIT)


def test_a_short_poll_is_judged_before_it_is_stored(world: World, app: App) -> None:
    """It is within its limits whatever its rows are: its jobs are staged at once, never held."""
    assert sealed_between(app, Table(LIMIT)) == [4, 4, 2]
    world.assert_each_once(LIMIT)
    assert world.sql("SELECT unjudged FROM syncs") == [(None,)]
    assert world.sql("SELECT count(*) FROM journal WHERE from_state = 'held'") == [(0,)]


def test_a_short_poll_that_is_killed_gives_the_next_no_fresh_start(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first eight of nine may go, for the nine were judged; three more are too many."""
    cut(app, monkeypatch, 2, Table(9))
    assert reasons(world) == {None: 8}
    assert app.ledger.guards.unjudged("leads").passed == 8
    result = polled(app, guarded(app, Table(11)))
    assert (result.counts.get("tripped", 0), reasons(world)) == (3, {None: 8, "tripwire": 3})
    assert app.ledger.guards.unjudged("leads").jobs == 0


def test_a_short_poll_that_is_stopped_counts_until_one_ends(world: World, app: App) -> None:
    """What it started is kept, to the job; a poll that comes to its end begins a new count."""

    def stop(_page: Page, _running: Pass) -> None:
        app.tools.stop.set()

    poll.run_once(guarded(app, Table(LIMIT)), app.tools, beside=Between(stop))
    app.tools.stop.clear()
    assert app.ledger.guards.unjudged("leads").passed == PAGE
    polled(app, guarded(app, Table(LIMIT)))
    assert app.ledger.guards.unjudged("leads").jobs == 0
    settle(world, app)
    world.assert_each_once(LIMIT)


def test_a_source_that_breaks_off_is_not_short(world: World, app: App) -> None:
    """Nobody knows what would have followed, so its jobs wait, and the error comes in its place."""
    result = polled(app, guarded(app, Table(9, broken_at=8)))
    assert (result.outcome, result.counts["staged"]) == ("retry", 8)
    lines = "SELECT count(*) FROM journal WHERE from_state = 'held' AND to_state = 'staged'"
    assert world.sql(lines) == [(1,)]


def test_p1_a_page_whose_commit_seemed_to_fail_is_judged_too(
    world: World, app: App, long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its jobs wait in the ledger, although the poll was never told that they were stored."""
    store_page, stored = Ledger.store_page, list[int]()

    def unheard(self: Ledger, page: IntakePage, **given: Any) -> IntakeResult:
        result = store_page(self, page, **given)
        stored.append(result.held)
        if len(stored) == 3:
            raise Transient("the connection to the ledger's database was lost")
        return result

    monkeypatch.setattr(Ledger, "store_page", unheard)
    told = polled(app, guarded(app, Table(3 * PAGE)))
    assert (told.outcome, told.counts["tripped"]) == ("retry", 3 * PAGE)
    assert reasons(world) == {"tripwire": 3 * PAGE}


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_poll_that_is_killed_is_judged_by_the_next(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    """What it left counts with what the next poll brings; nothing of either is lost or sent."""
    cut(app, monkeypatch, pages, Table(12))
    assert reasons(world) == {"judging": pages * PAGE}
    settle(world, app)
    assert world.called() == {}
    assert polled(app, guarded(app, Table(12))).counts.get("tripped", 0) == 12
    assert reasons(world) == {"tripwire": 12}


@pytest.mark.usefixtures("long")
def test_what_a_killed_poll_left_goes_when_the_next_is_small(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill costs nobody a call, and makes none."""
    cut(app, monkeypatch, 2, Table(9))
    result = polled(app, guarded(app, Table(9)))
    assert (result.counts["staged"], result.counts.get("tripped", 0)) == (9, 0)
    settle(world, app)
    world.assert_each_once(9)


@pytest.mark.usefixtures("long")
def test_a_kill_before_the_judgement_loses_nothing(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source is at its end and the cursor too; an empty poll lets the jobs go."""
    with monkeypatch.context() as patch:
        patch.setattr("syncd.ledger.guards.Guards.settle_poll", killed)
        with pytest.raises(KeyboardInterrupt):
            polled(app, guarded(app, Table(9)))
    assert reasons(world) == {"judging": 9}
    polled(app, guarded(app, Table(9)))
    settle(world, app)
    world.assert_each_once(9)


def killed(*_args: object, **_named: object) -> None:
    raise KeyboardInterrupt


def cut(app: App, monkeypatch: pytest.MonkeyPatch, pages: int, table: Table) -> None:
    """A poll whose process is killed after so many pages."""
    store, left = Ledger.store_page, [pages]

    def once_more(self: Ledger, *args: object, **named: object) -> object:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return store(self, *args, **named)  # type: ignore[arg-type]

    sync = guarded(app, table)
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "store_page", once_more)
        if pages * PAGE < len(table.rows):
            with pytest.raises(KeyboardInterrupt):
                polled(app, sync)
        else:
            patch.setattr("syncd.ledger.guards.Guards.settle_poll", killed)
            with pytest.raises(KeyboardInterrupt):
                polled(app, sync)


def test_twenty_short_polls_start_no_more_than_one_long_one(world: World, app: App) -> None:
    """A source that breaks off after each page cannot lead a mistake past the guard."""
    for broken_at in range(PAGE, 80, PAGE):
        result = polled(app, guarded(app, Table(80, broken_at=broken_at)))
        assert result.outcome == "retry"
    assert reasons(world) == {None: 8, "tripwire": 68}
    # A poll that comes to its end begins a new count.
    polled(app, guarded(app, Table(76)))
    assert polled(app, guarded(app, Table(86))).counts["staged"] == 10


def test_growth_beyond_what_is_usual_is_held(world: World, app: App) -> None:
    """Five polls of four leads, then forty at once: ten times as many, where four are allowed."""
    for end in range(4, 24, 4):
        assert polled(app, guarded(app, Table(end), max_new=None)).counts["staged"] == 4
    wires = {"max_new": None, "max_growth": 4.0, "growth_floor": 3}
    assert polled(app, guarded(app, Table(60), **wires)).counts.get("tripped", 0) == 40
    assert world.sql("SELECT guard, allowed, found FROM trips") == [("max_growth", 16, 40)]
    # What was held makes the next one no more usual, and a floor lets a small poll through.
    assert polled(app, guarded(app, Table(100), **wires)).counts.get("tripped", 0) == 40
    assert polled(app, guarded(app, Table(116), **wires)).counts["staged"] == 16


def test_one_phone_is_called_once_however_its_leads_were_held(world: World, app: App) -> None:
    """Within a poll, over two held polls, and beside one that was sent: one job goes."""
    table = Table(12)
    table.rows[5] = ("5", phone_of(1), "again, on the next page")
    assert polled(app, guarded(app, table, max_new=3)).counts["duplicate"] == 1
    table.rows += [(f"x{n}", phone_of(n % 10), "again") for n in (2, 3, 12, 9)]
    assert polled(app, guarded(app, table, max_new=2)).counts.get("tripped", 0) == 3
    table.rows += [("z", phone_of(3), "sent at once")]
    assert polled(app, guarded(app, table)).counts["staged"] == 1
    done = approve.run("leads", ANNA, app.ledger, app.tools.clock, limit=None)
    assert (done.released, done.duplicate) == (10, 4)  # 14 were held, two ended at once
    settle(world, app)
    assert world.called() == {phone_of(n).lstrip("+"): 1 for n in range(12) if n != 5}


def test_an_approval_lets_the_oldest_go_and_names_the_person(world: World, app: App) -> None:
    """Two first, then the rest; who and when stand in the journal and with the trip."""
    polled(app, guarded(app, Table(12)))
    first = approve.run("leads", ANNA, app.ledger, app.tools.clock, limit=2)
    assert (first.released, app.ledger.guards.held()) == (2, {"leads": 10})
    settle(world, app)
    assert set(world.called()) == {phone_of(0).lstrip("+"), phone_of(1).lstrip("+")}
    assert len(app.ledger.guards.open_trips()) == 1
    world.pass_time(60)
    approve.run("leads", Word("bob"), app.ledger, app.tools.clock, limit=None)
    settle(world, app)
    world.assert_each_once(12)
    assert app.ledger.guards.open_trips() == []
    assert app.ledger.guards.held() == {}
    whys = world.sql("SELECT why FROM journal WHERE actor = 'cli:approve' ORDER BY id")
    assert [why for (why,) in whys] == ["approved by anna", "approved by bob"]
    who = world.sql("SELECT approved_by, sum(released) FROM trips GROUP BY 1 ORDER BY 1")
    assert who == [("anna", 2), ("bob", 10)]


def test_what_is_dropped_is_never_called(world: World, app: App) -> None:
    """The leads are known: a later poll does not bring them again."""
    polled(app, guarded(app, Table(12)))
    done = approve.run("leads", Word("anna", drop=True), app.ledger, app.tools.clock, limit=None)
    assert (done.dropped, done.released) == (12, 0)
    polled(app, guarded(app, Table(12)))
    settle(world, app)
    assert (world.called(), world.states()) == ({}, {"cancelled": 12})


def test_a_corrected_row_reaches_a_held_job_and_does_not_free_it(world: World, app: App) -> None:
    """A new mapping looks at every row again; the guard's hold is not a missing zone."""
    world.write_leads(12)
    assert polled(app, replace(app.sync("leads"), tripwires=Tripwires(LIMIT))).counts.get(
        "tripped", 0
    )
    mapping = 'gmtZone = "+00:00"\npayload = { name = "Dear {name}" }'
    world.syncs["leads"]["mapping"] = mapping
    world.configure()
    with world.open() as again:
        poll_all(again)
    assert reasons(world) == {"tripwire": 12}
    bodies = world.sql("SELECT count(*) FROM call_jobs WHERE body LIKE '%Dear Lead%'")
    assert bodies == [(12,)]


def test_jobs_that_a_mapping_would_release_count_like_new_ones(world: World, app: App) -> None:
    """A zone for all of them at once would start all of these calls."""
    world.syncs["leads"]["mapping"] = 'gmtZone = "{zone}"' + BY_COLUMN
    world.configure()
    mobiles = ("+61 491 570 006", "+61 491 570 156", "+61 491 570 157")
    rows = [(n, phone, "", "+10:00") for n, phone in enumerate(mobiles)]
    world.write(rows, columns="id,phone,zone,later")
    with world.open() as opened:
        poll_all(opened)
    world.syncs["leads"]["mapping"] = 'gmtZone = "{later}"' + BY_COLUMN
    world.configure()
    with world.open() as opened:
        sync = replace(opened.sync("leads"), tripwires=Tripwires(2))
        assert polled(opened, sync).counts.get("tripped", 0) == 3
    assert reasons(world) == {"tripwire": 3}


def test_a_backfill_of_a_person_trips_nothing(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a decision; one that nobody made is judged, and may be approved."""
    world.write_leads(12)
    wired = replace(app.sync("leads"), tripwires=Tripwires(LIMIT))
    monkeypatch.setattr(app, "sync", lambda _name: wired)
    assert run_backfill(app, guarded=True)["poll"].exit_code == EXIT_TRIPPED
    assert world.called() == {}
    approve.run("leads", ANNA, app.ledger, app.tools.clock, limit=None)
    world.write_leads(30)
    assert run_backfill(app)["poll"].counts["staged"] == 18
    world.assert_each_once(30)


def test_a_whole_backfill_takes_what_a_killed_poll_left(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a few first leads only these go."""
    cut(app, monkeypatch, 2, Table(12))
    wired = guarded(app, Table(12))
    monkeypatch.setattr(app, "sync", lambda _name: wired)
    run_backfill(app, limit=1)
    assert reasons(world) == {"judging": 8}
    run_backfill(app)
    world.assert_each_once(12)


SPEND_KEYS = """max_spend_per_day = 1.0
price_per_minute = 0.05
expected_minutes = 2.0
expected_attempts = 2.0
"""
LIMITS = [
    ("max_jobs_per_day = 5", "daily_cap", "max_jobs_per_day", 5.0, 12.0),
    (
        "max_minutes_per_day = 23\nexpected_minutes = 1.5\nexpected_attempts = 3.0",
        "spend",
        "max_minutes_per_day",
        23.0,
        54.0,
    ),
    (
        SPEND_KEYS,
        "spend",
        "max_spend_per_day",
        1.0,
        2.4,
    ),
]


@pytest.mark.parametrize(("keys", "reason", "guard", "allowed", "found"), LIMITS)
def test_a_day_has_an_end(
    world: World, keys: str, reason: str, guard: str, allowed: float, found: float
) -> None:
    """Five jobs go, seven are held; a person's word lets them go on the same day."""
    day_limits(world, keys)
    world.write_leads(12)
    with world.open() as app:
        poll_all(app)
        result = submit.run_once(app.campaign("welcome"), app.tools)
        assert (result.counts["answered"], result.counts.get("tripped", 0)) == (5, 7)
        assert result.exit_code == EXIT_TRIPPED
        assert reasons(world) == {reason: 7}
        (trip,) = app.ledger.guards.open_trips()
        assert (trip.guard, trip.allowed) == (guard, allowed)
        assert trip.found == pytest.approx(found)
        world.write_leads(13)
        poll_all(app)
        work(app)
        assert reasons(world) == {reason: 8}
        assert len(app.ledger.guards.open_trips()) == 1
        approve.run("leads", ANNA, app.ledger, app.tools.clock, limit=3)
        settle(world, app)
        assert sum(world.called().values()) == 8
        world.pass_time(24 * 3600 + 60)
        world.write_leads(16)
        poll_all(app)
        settle(world, app)
        assert sum(world.called().values()) == 11
        approve.run("leads", ANNA, app.ledger, app.tools.clock, limit=None)
        settle(world, app)
        world.assert_each_once(16)


def test_a_refused_batch_takes_no_room_of_the_day(world: World) -> None:
    """Nothing of it was created, so its jobs may go again on the same day."""
    day_limits(world, "max_jobs_per_day = 12")
    world.write_leads(12)
    with world.open() as app:
        poll_all(app)
        app.campaign("welcome").client.stop()
        submit.run_once(app.campaign("welcome"), app.tools)
        use = app.ledger.guards.day_use("welcome", now=app.tools.clock.now())
    assert (use.sent, use.approved) == (0, 0)


def day_limits(world: World, keys: str) -> None:
    """The campaign with these keys."""
    world.configure()
    file = world.path / "syncd.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("batch_size = 10", f"batch_size = 10\n{keys}"), encoding="utf-8")


def test_the_defaults_of_the_configuration_reach_a_poll(world: World, app: App) -> None:
    """On without a word in the file; off where the file says so."""
    assert app.sync("leads").tripwires == Tripwires(10_000, 20.0, 500)
    day = app.campaign("welcome").day
    assert (day.max_jobs, day.max_minutes, day.max_spend) == (10_000, 30_000.0, None)
    assert day_limit(day.that_were_set()) is None
    off = '\n[syncs.leads.policy]\nmax_new_per_poll = "off"\nmax_growth = "off"\n'
    file = world.path / "syncd.toml"
    file.write_text(file.read_text(encoding="utf-8") + off, encoding="utf-8")
    with world.open() as opened:
        assert not opened.sync("leads").tripwires.armed


def planned(app: App, sync: Sync) -> plan.Plan:
    return plan.run(
        sync,
        app.ledger,
        now=app.tools.clock.now(),
        whole=False,
        jobs_max=0,
        stop=app.tools.stop,
        on_page=lambda _page, _plan: None,
    )


@pytest.mark.parametrize(("count", "trips"), [(LIMIT, False), (LIMIT + 1, True)])
def test_a_plan_says_what_the_poll_would_trip(
    world: World, app: App, count: int, *, trips: bool
) -> None:
    """Tripwire, figure and limit are those of the poll after it; the plan itself writes nothing."""
    sync = guarded(app, Table(count))
    told = planned(app, sync)
    assert world.sql("SELECT count(*) FROM trips") == [(0,)]
    assert bool(polled(app, sync).counts.get("tripped", 0)) is trips
    kept = world.sql("SELECT guard, allowed, found FROM trips")
    seen = [] if told.trip is None else [(told.trip.limit.guard, LIMIT, told.trip.jobs)]
    assert seen == kept
    assert len(kept) == trips


def test_a_plan_counts_what_an_earlier_poll_left(world: World, app: App) -> None:
    """A poll that was cut short counts with the next one, in the plan as in the poll."""
    polled(app, guarded(app, Table(LIMIT, broken_at=8)))
    told = planned(app, guarded(app, Table(LIMIT + 1)))
    assert (told.counts["staged"], told.trip and told.trip.jobs) == (3, LIMIT + 1)
    assert planned(app, guarded(app, Table(LIMIT))).trip is None
    assert planned(app, guarded(app, Table(LIMIT + 1), max_new=None)).trip is None
