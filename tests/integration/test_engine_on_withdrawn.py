"""Rows that leave their source, or its filter: kept, or their calls are withdrawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.app import App
from syncd.cli.explaining import look_up
from syncd.engine import poll, withdraw
from syncd.engine.passes import PassResult
from syncd.errors import SourceDown
from syncd.sources.csv_file import CsvSource
from tests.running import phone_of
from tests.worlds import MAPPING, World, new_world, poll_all, settle

CANCEL = 'on_withdrawn = "cancel"'


@contextmanager
def a_world(path: Path, policy: str = CANCEL) -> Iterator[tuple[World, App]]:
    """Ten leads, polled, and a dialer that stands still."""
    told = f"{MAPPING}\nfilter = \"stage == 'new'\"\n[syncs.leads.policy]\n{policy}"
    with new_world(path, mapping=told) as world, world.open() as app:
        world.box.book.campaign(world.box.token).dialer.paused = True
        export(world, range(10))
        poll_all(app)
        yield world, app


def export(world: World, numbers: Collection[int], *, lost: Collection[int] = ()) -> None:
    """These leads; those in `lost` with a stage that the filter leaves out."""
    rows = [(n, phone_of(n), f"Lead {n}", "lost" if n in lost else "new") for n in numbers]
    world.write(rows, columns="id,phone,name,stage")


def poll_once(app: App) -> PassResult:
    (result,) = poll_all(app)
    return replace(result, counts=Counter(result.counts))


def test_a_row_that_is_gone_is_not_called(tmp_path: Path) -> None:
    """Its staged job ends; the others are called."""
    with a_world(tmp_path) as (world, app):
        export(world, range(9))
        assert poll_once(app).counts["withdrawn"] == 1
        settle(world, app)
        assert len(world.called()) == 9
        ((job,),) = [lead["jobs"] for lead in look_up("9", app).leads]
        assert (job["state"], job["reason"]) == ("cancelled", "left_source")
        assert poll_once(app).counts["withdrawn"] == 0


def test_a_row_that_left_the_filter_is_cancelled_at_the_vendor(tmp_path: Path) -> None:
    """The row is there and no longer wanted: the same as gone."""
    with a_world(tmp_path) as (world, app):
        settle(world, app)
        export(world, range(10), lost=[4])
        assert poll_once(app).counts["to_cancel"] == 1
        result = withdraw.run_once(app.campaign("welcome"), app.tools)
        assert result.counts["cancelled"] == 1


def test_by_default_it_is_called_all_the_same(tmp_path: Path) -> None:
    """Exports that show only what is new are the usual case."""
    with a_world(tmp_path, "") as (world, app):
        export(world, range(3))
        assert poll_once(app).counts["withdrawn"] == 0
        assert world.states() == {"staged": 10}


@pytest.mark.parametrize(("left", "withdrawn"), [(8, 2), (7, 0), (0, 0)])
def test_a_truncated_export_withdraws_nobody(tmp_path: Path, left: int, withdrawn: int) -> None:
    """Up to a fifth at once; more is told, and so is an export without a record."""
    with a_world(tmp_path) as (world, app):
        export(world, range(left))
        result = poll_once(app)
        assert result.counts["withdrawn"] == withdrawn
        assert result.counts["not_withdrawn"] == (0 if withdrawn else 10 - left)
        assert result.exit_code == (0 if withdrawn else 1)


def test_the_share_can_be_raised(tmp_path: Path) -> None:
    """Where it is right that most leave at once."""
    with a_world(tmp_path, f"{CANCEL}\nwithdrawn_share_max = 1.0") as (world, app):
        export(world, [3])
        assert poll_once(app).counts["withdrawn"] == 9


def test_an_empty_export_withdraws_nobody_at_any_share(tmp_path: Path) -> None:
    """A source without a record is a failed export."""
    with a_world(tmp_path, f"{CANCEL}\nwithdrawn_share_max = 1.0") as (world, app):
        export(world, [])
        assert poll_once(app).counts["not_withdrawn"] == 10


def test_a_reading_that_failed_or_was_stopped_judges_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was read to its end says who is missing."""
    with a_world(tmp_path) as (world, app):
        export(world, range(9))
        real = CsvSource.read

        def broken(self: CsvSource, *args: object, **named: object) -> Iterator[object]:
            yield from real(self, *args, **named)  # type: ignore[arg-type]
            raise SourceDown("the share is gone")

        with monkeypatch.context() as patch:
            patch.setattr(CsvSource, "read", broken)
            assert poll_once(app).outcome == "retry"
        app.tools.stop.set()
        assert poll_once(app).outcome == "stopped"
        app.tools.stop.clear()
        assert world.states() == {"staged": 10}


def test_a_record_that_cannot_be_read_may_be_the_one_that_is_missing(tmp_path: Path) -> None:
    """Then nobody is judged."""
    with a_world(tmp_path) as (world, app):
        export(world, range(9))
        with (tmp_path / "leads.csv").open("a", encoding="utf-8") as out:
            out.write("9,too,many,columns,here\r\n")
        world.clock.set(world.clock.now())
        assert poll_once(app).counts["not_withdrawn"] == 1


def test_a_backfill_judges_nobody(tmp_path: Path) -> None:
    """It may have a start and a limit."""
    with a_world(tmp_path) as (world, app):
        export(world, range(9))
        poll.run_once(app.sync("leads"), app.tools, backfill=poll.Backfill())
        assert world.states() == {"staged": 10}


def test_a_row_that_comes_back_is_called(tmp_path: Path) -> None:
    """Nobody was called while it was away: it gets a job again."""
    with a_world(tmp_path) as (world, app):
        export(world, range(9))
        poll_once(app)
        export(world, range(10))
        assert poll_once(app).counts["again"] == 1
        assert world.sql("SELECT count(*) FROM leads WHERE withdrawn_at NOT NULL") == [(0,)]
        settle(world, app)
        assert len(world.called()) == 10


def test_new_leads_of_the_same_reading_are_there(tmp_path: Path) -> None:
    """A lead that the reading itself brought is not missed."""
    with a_world(tmp_path) as (world, app):
        export(world, range(30))
        result = poll_once(app)
        assert (result.counts["new"], result.counts["withdrawn"]) == (20, 0)
