"""Poll: every record ends as a lead or a rejection, the cursor never runs ahead, nobody twice."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from syncd.app import App
from syncd.core.starting import StartAt
from syncd.engine import poll
from syncd.engine.parts import Sync
from syncd.engine.passes import Pass, PassResult
from syncd.engine.poll import Backfill
from syncd.errors import SourceDown
from syncd.ledger.ledger import Ledger
from syncd.observe import events, logs
from syncd.observe.redact import Redactor
from syncd.sources.base import BadRecord, Cursor, Page, Unread
from tests.running import phone_of
from tests.worlds import BY_COLUMN, MAPPING, Between, World, new_world, poll_all, settle

COLUMNS = ("id", "phone", "name")
PAGE = 4


class Paged:
    """A source of rows whose cursor is how many were read; like a table that only grows."""

    def __init__(self, rows: Sequence[Sequence[object]], *, broken_at: int | None = None) -> None:
        self.rows = list(rows)
        self.broken_at = broken_at
        self.starts: list[int] = []
        self.bad: list[BadRecord] = []

    def read(self, cursor: Cursor | None, *, now: datetime) -> Iterator[Page]:
        """Pages of four."""
        start = int(str(cursor["at"])) if cursor else 0
        self.starts.append(start)
        for at in range(start, len(self.rows), PAGE):
            if at == self.broken_at:
                message = "the line is dead"
                raise SourceDown(message)
            rows = self.rows[at : at + PAGE]
            lines = list(range(at + 1, at + 1 + len(rows)))
            yield Page("table", COLUMNS, rows, lines, {"at": at + len(rows)}, self.bad)


def leads(numbers: Sequence[int]) -> list[tuple[object, ...]]:
    return [(n, phone_of(n), f"Lead {n}") for n in numbers]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty ledger; the sources are made by the tests."""
    with new_world(tmp_path) as made:
        made.write_leads(1)
        yield made


@pytest.fixture
def app(world: World) -> Iterator[App]:
    """The app of the world."""
    with world.open(alone=True) as opened:
        yield opened


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Every line of the log, as JSON."""
    stream = io.StringIO()
    logs.configure("debug", "json", Redactor([]), stream)
    yield stream
    logs.configure("warning", "json", Redactor([]), io.StringIO())


def sync_of(app: App, source: Paged) -> Sync:
    return replace(app.sync("leads"), source=source)


def run(app: App, source: Paged, **named: object) -> PassResult:
    return poll.run_once(sync_of(app, source), app.tools, **named)  # type: ignore[arg-type]


def stop_after(app: App, pages: int) -> Between:
    def on_page(_page: Page, running: Pass) -> None:
        if running.counts["records"] >= pages * PAGE:
            app.tools.stop.set()

    return Between(on_page)


def keys(world: World) -> list[int]:
    return sorted(int(key) for (key,) in world.sql("SELECT key FROM leads"))


def test_a_stop_between_two_pages_loses_nothing(world: World, app: App) -> None:
    """The cursor stands after the stored page, and the next poll reads on from there."""
    source = Paged(leads(range(10)))
    told = run(app, source, beside=stop_after(app, 1))
    assert (told.outcome, told.counts["new"], keys(world)) == ("stopped", 4, [0, 1, 2, 3])
    app.tools.stop.clear()
    told = run(app, source)
    assert (told.outcome, told.counts["records"], told.counts["new"]) == ("done", 6, 6)
    assert source.starts == [0, 4]
    assert run(app, source).counts == {}
    assert keys(world) == list(range(10))


def test_s9_a_source_that_breaks_keeps_what_was_stored(world: World, app: App) -> None:
    """Pages before the break are leads, the outcome is retry, and the next poll reads on."""
    source = Paged(leads(range(10)), broken_at=8)
    told = run(app, source)
    assert (told.outcome, told.exit_code, told.counts["new"]) == ("retry", 1, 8)
    assert str(told.error) == "the line is dead"
    source.broken_at = None
    assert run(app, source).counts["new"] == 2
    assert source.starts == [0, 8]


def test_the_cursor_moves_only_with_its_page(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that could not be stored is read again."""
    source = Paged(leads(range(10)))
    store_page = Ledger.store_page
    pages = iter([True, False])

    def failing(self: Ledger, page: object, **named: object) -> object:
        if not next(pages):
            message = "no room"
            raise SourceDown(message)
        return store_page(self, page, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "store_page", failing)
    assert run(app, source).outcome == "retry"
    monkeypatch.undo()
    assert run(app, source).outcome == "done"
    assert source.starts == [0, 4]
    assert keys(world) == list(range(10))


def test_a_key_that_comes_again_is_one_lead(world: World, app: App) -> None:
    """Within a page the first row wins; over pages the lead is known, or counts as changed."""
    rows = [*leads([1, 1, 2, 3]), *leads([1, 4]), (2, phone_of(2), "Renamed")]
    told = run(app, Paged(rows))
    assert told.counts["new"] == 4
    assert (told.counts["repeated"], told.counts["known"], told.counts["changed"]) == (1, 1, 1)
    assert keys(world) == [1, 2, 3, 4]
    settle(world, app)
    assert sorted(world.called().values()) == [1, 1, 1, 1]


def test_a_phone_is_called_once_a_campaign(world: World, app: App) -> None:
    """Other leads with the phone end as duplicates: in a page, in the next, after the call."""
    same = phone_of(7)
    rows = [(1, same, "a"), (2, same, "b"), *leads([3, 4]), (5, same, "c")]
    told = run(app, Paged(rows))
    assert (told.counts["staged"], told.counts["duplicate"]) == (3, 2)
    settle(world, app)
    told = run(app, Paged([*rows, (6, same, "d")]))
    assert (told.counts["new"], told.counts["duplicate"]) == (1, 1)
    settle(world, app)
    assert world.called()[same.lstrip("+")] == 1


def test_s12_a_changed_row_is_no_new_call(world: World, app: App) -> None:
    """on_change = "ignore": the new revision is kept, counted once, and nobody is called again."""
    run(app, Paged(leads(range(3))))
    settle(world, app)
    world.sendings.clear()
    edited = [(n, phone_of(n + 50), "Edited") for n in range(3)]
    sync_order = Backfill()
    told = run(app, Paged(edited), backfill=sync_order)
    assert (told.counts["changed"], told.counts["new"], told.exit_code) == (3, 0, 0)
    told = run(app, Paged(edited), backfill=sync_order)
    assert (told.counts.get("changed"), told.counts["known"]) == (None, 3)
    settle(world, app)
    assert world.sendings == []


def test_what_cannot_be_mapped_is_rejected_and_counted(world: World, app: App) -> None:
    """A bad phone, a missing key and a bad line: each is kept with its reason; exit code 1."""
    source = Paged([(1, "no phone", "x"), (None, phone_of(2), "y"), *leads([3])])
    source.bad = [BadRecord(9, "row_too_long", digest="ab")]
    told = run(app, source)
    assert (told.counts["rejected"], told.counts["records"], told.counts["new"]) == (3, 4, 1)
    assert told.exit_code == 1
    found = world.sql("SELECT line, key, reason FROM rejections ORDER BY line")
    assert found == [(1, "1", "phone_invalid"), (2, None, "key_missing"), (9, None, "row_too_long")]


def test_a_rejected_record_that_is_mended_becomes_a_lead(world: World, app: App) -> None:
    """Its rejection is settled in the page that takes it."""
    rows: list[tuple[object, ...]] = [(1, "nothing", "x"), *leads([2])]
    run(app, Paged(rows))
    rows[0] = (1, phone_of(1), "x")
    assert run(app, Paged(rows), backfill=Backfill()).counts["new"] == 1
    assert world.sql("SELECT resolved_at IS NOT NULL FROM rejections") == [(1,)]


def remap(world: World, app: App, mapping: str) -> App:
    """The same ledger under another mapping."""
    app.close()
    world.syncs["leads"]["mapping"] = mapping
    world.configure()
    return world.open(alone=True)


def test_another_mapping_looks_at_everything_again(world: World, app: App) -> None:
    """What the old one rejected or filtered out may be a lead now; who is known is not called."""
    rows: list[tuple[object, ...]] = [*leads([1, 2]), (3, "8 913 555-01-03", "Lead 3")]
    app = remap(world, app, f"{MAPPING}\nfilter = \"id != '2'\"")
    source = Paged(rows)
    told = run(app, source)
    assert (told.counts["new"], told.counts["filtered"], told.counts["rejected"]) == (1, 1, 1)
    settle(world, app)
    with remap(world, app, f'{MAPPING}\ndefault_region = "RU"') as again:
        told = run(again, source)
        assert source.starts == [0, 0]
        assert (told.counts["new"], told.counts["known"]) == (2, 1)
        assert "changed" not in told.counts, "the rows are the same"
        settle(world, again)
        assert run(again, source).counts == {}, "looked at once, not at every poll"
    assert sorted(world.called().values()) == [1, 1, 1]
    assert world.sql("SELECT count(*) FROM rejections WHERE resolved_at IS NULL") == [(0,)]


def test_a_stopped_look_under_another_mapping_begins_again(world: World, app: App) -> None:
    """Half-way is not done: the next poll starts at the first record once more."""
    source = Paged([(n, f"8 913 555-01-{n:02}", "x") for n in range(10)])
    assert run(app, source).counts["rejected"] == 10
    with remap(world, app, f'{MAPPING}\ndefault_region = "RU"') as again:
        told = run(again, source, beside=stop_after(again, 1))
        assert (told.outcome, told.counts["new"]) == ("stopped", 4)
        again.tools.stop.clear()
        told = run(again, source)
        assert (told.outcome, told.counts["new"], told.counts["known"]) == ("done", 6, 4)
        assert source.starts == [0, 0, 0]


def test_a_source_with_nothing_to_read_waits_for_its_look(world: World, app: App) -> None:
    """An export that is being written when the mapping changes is looked at when it is ready."""
    source = Paged([(1, "8 913 555-01-01", "x")])
    assert run(app, source).counts["rejected"] == 1
    rows, source.rows = source.rows, []
    with remap(world, app, f'{MAPPING}\ndefault_region = "RU"') as again:
        assert run(again, source).outcome == "done"
        source.rows = rows
        assert run(again, source).counts["new"] == 1


def test_k4_a_held_job_is_released_by_a_mapping_or_a_row_that_gives_its_zone(
    world: World, app: App
) -> None:
    """It is staged once, or turns out to be a duplicate of a phone that was taken meanwhile."""
    app = remap(world, app, 'gmtZone = "{name}"' + BY_COLUMN)
    rows: list[tuple[object, ...]] = [
        (1, "+1 907 555 0101", None),
        (2, "+61 491 570 006", None),
        (3, "+61 491 570 006", None),
        (4, "+61 491 570 156", None),
    ]
    app_told = run(app, Paged(rows))
    held = app_told.counts["held"]
    assert world.states() == {"held": held, **({"staged": 4 - held} if held < 4 else {})}
    assert held == 4
    rows[0] = (1, "+1 907 555 0101", "America/Anchorage")
    told = run(app, Paged(rows), backfill=Backfill())
    assert (told.counts["released"], told.counts["changed"]) == (1, 1)
    assert run(app, Paged(rows), backfill=Backfill()).counts["released"] == 0
    settle(world, app)
    with remap(world, app, 'gmtZone = "+10:00"') as again:
        told = run(again, Paged(rows))
        assert told.counts["released"] == 3
        assert world.states() == {"accepted": 1, "staged": 2, "duplicate": 1}
        settle(world, again)
    assert sorted(world.called().values()) == [1, 1, 1]


def test_a_backfill_leaves_the_live_cursor_alone(world: World, app: App) -> None:
    """It reads from the start; the live poll goes on from where it was."""
    source = Paged(leads(range(6)))
    run(app, source)
    source.rows = [*leads(range(6)), *leads(range(6, 9))]
    told = run(app, source, backfill=Backfill())
    assert (told.counts["new"], told.counts["known"]) == (3, 6)
    told = run(app, source)
    assert (told.counts["new"], told.counts["known"]) == (0, 3)
    assert source.starts == [0, 0, 6]


@pytest.mark.parametrize("limit", [1, 3, 4, 5, 8, 10, 99])
def test_a_limit_is_exact_and_takes_the_next_ones_next_time(
    world: World, app: App, limit: int
) -> None:
    """At most so many new leads, whatever the pages; known ones do not count."""
    source = Paged(leads(range(10)))
    first = run(app, source, backfill=Backfill(limit=limit)).counts["new"]
    assert first == min(limit, 10)
    second = run(app, source, backfill=Backfill(limit=limit)).counts["new"]
    assert second == min(limit, 10 - first)
    assert keys(world) == list(range(first + second))


def test_a_limit_settles_no_rejection_of_a_record_beyond_it(world: World, app: App) -> None:
    """A mended record that was not taken is still told of as rejected."""
    run(app, Paged([*leads([1]), (2, "nothing", "x")]))
    mended = Paged(leads([3, 2]))
    assert run(app, mended, backfill=Backfill(limit=1)).counts["new"] == 1
    assert world.sql("SELECT count(*) FROM rejections WHERE resolved_at IS NULL") == [(1,)]
    assert run(app, mended, backfill=Backfill(limit=1)).counts["new"] == 1
    assert world.sql("SELECT count(*) FROM rejections WHERE resolved_at IS NULL") == [(0,)]
    assert keys(world) == [1, 2, 3]


def test_from_takes_records_at_and_after_a_key(world: World, app: App) -> None:
    """Numbers are compared by size; what stands before is skipped and counted."""
    source = Paged(leads([8, 9, 10, 11, 100]))
    told = run(app, source, backfill=Backfill(start=StartAt("10")))
    assert (told.counts["new"], told.counts["skipped"]) == (3, 2)
    assert keys(world) == [10, 11, 100]


def test_an_export_is_not_read_twice(world: World, app: App) -> None:
    """The real source: an unchanged file brings nothing, a rewritten one brings what is new."""
    world.write_leads(30)
    assert [told.counts["new"] for told in poll_all(app)] == [30]
    assert [dict(told.counts) for told in poll_all(app)] == [{}]
    world.write_leads(35)
    (told,) = poll_all(app)
    assert (told.counts["new"], told.counts["known"]) == (5, 30)


def test_a_refused_row_hides_no_good_one_of_its_key(world: World, app: App) -> None:
    """Of several rows of one key the first that gives a call job is the lead."""
    rows = [
        (1, "no phone", "a"),
        (1, phone_of(1), "b"),
        (2, phone_of(2), "c"),
        (1, phone_of(3), "d"),
    ]
    told = run(app, Paged(rows))
    assert (told.counts["new"], told.counts["repeated"], told.counts["rejected"]) == (2, 1, 0)
    assert keys(world) == [1, 2]
    assert world.sql("SELECT count(*) FROM rejections") == [(0,)]


def test_a_guess_is_logged_once_a_file(app: App, out: io.StringIO) -> None:
    """With the option that settles it; pages of which nothing was guessed say nothing."""

    class Guessed(Paged):
        def read(self, cursor: Cursor | None, *, now: datetime) -> Iterator[Page]:
            for page in super().read(cursor, now=now):
                name = f"/srv/{page.lines[0] // (2 * PAGE)}.csv"
                yield replace(page, origin=name, guessed='encoding = "cp1252"')
            yield Page("/srv/sure.csv", (), [], [], {"at": len(self.rows)})

    run(app, Guessed(leads(range(4 * PAGE))))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    told = [line for line in lines if line["event"] == events.SOURCE_GUESSED]
    assert [line["file"] for line in told] == ["0.csv", "1.csv"]
    assert {(line["level"], line["option"]) for line in told} == {
        ("warning", 'encoding = "cp1252"')
    }


def test_a_backfill_of_a_source_that_changes_says_that_it_is_not_whole(app: App) -> None:
    """Files that were left for later end a backfill with 1; a live poll comes again by itself."""

    class Unfinished(Paged):
        def read(self, cursor: Cursor | None, *, now: datetime) -> Iterator[Page]:
            yield from super().read(cursor, now=now)
            yield Page("folder", (), [], [], {"at": len(self.rows)}, unread=Unread(2, 1))

    source = Unfinished(leads(range(3)))
    told = run(app, source, backfill=Backfill())
    assert (told.outcome, told.exit_code, told.counts["new"]) == ("retry", 1, 3)
    assert str(told.error).endswith(
        "still being written, files: 2; last line without its end, files: 1"
    )
    polled = run(app, source)
    assert (polled.exit_code, polled.unread) == (0, Unread(2, 1))
