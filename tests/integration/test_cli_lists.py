"""`check` and `status` tell of the do-not-call lists: whom each bars, and how fresh it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.cli import lists_view, status_view
from syncd.cli.checking import Check
from syncd.config.load import load
from syncd.engine import suppress
from tests.running import phone_of
from tests.worlds import MAPPING, World, new_world

LIST = """
[sources.dnc]
kind = "csv"
path = "dnc.csv"
renamed = true

[suppressions.robinson]
source = "dnc"
phone = "number"
key = "id"
default_region = "US"
every = "10m"
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three leads and a list of two phones and a key."""
    with new_world(tmp_path, mapping=MAPPING + LIST) as made:
        made.write_leads(3)
        made.write([(phone_of(1), "8"), (phone_of(2), "")], columns="number,id", name="dnc")
        yield made


def checked(world: World) -> Check:
    made = Check()
    made.run(load(world.path / "syncd.toml", {}), now=world.clock.now(), offline=True)
    return made


def test_a_check_reads_the_lists(world: World) -> None:
    """Its finding says how many are barred; nothing is stored."""
    made = checked(world)
    (found,) = [one for one in made.findings if one.what == "suppression"]
    assert (found.name, found.ok) == ("robinson", True)
    assert found.detail == "keys 1, phones 2 from 2 records of the first page"
    assert (made.problems, made.warnings) == ([], [])
    assert world.sql("SELECT count(*) FROM suppressions") == [(0,)]


def test_a_check_warns_of_rows_that_bar_nobody(world: World) -> None:
    """Some: a warning. All: a problem, for then nobody is barred at all."""
    world.write([(phone_of(1), ""), ("none", "")], columns="number,id", name="dnc")
    made = checked(world)
    assert [one.what for one in made.warnings] == ["1 of 2 records bar nobody: no phone, no key"]
    assert made.problems == []
    world.write([("none", ""), ("", "")], columns="number,id", name="dnc")
    (problem,) = checked(world).problems
    assert (problem.key, problem.what[:6]) == ("suppressions.robinson", "2 of 2")
    assert "default_region" in problem.hint


def test_a_check_finds_a_column_that_a_list_lacks(world: World) -> None:
    """The hint names the columns that there are."""
    world.write([(phone_of(1), "8")], columns="telephone,id", name="dnc")
    (problem,) = checked(world).problems
    assert "number" in problem.what
    assert "telephone" in problem.hint


def test_the_status_shows_how_fresh_a_list_is(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never read: stale. Read: how many and when. Not read for three times `every`: stale again."""
    with world.open() as app:
        told = lists_view.gather(app)["robinson"]
        assert (told.listed, told.read_at, told.stale) == (0, None, True)
        suppress.run_once(app.suppression("robinson"), app.tools)
        read_at = world.clock.now()
        world.pass_time(30 * 60)
        told = lists_view.gather(app)["robinson"]
        assert (told.listed, told.gone, told.read_at, told.stale) == (3, 0, read_at, False)
        world.pass_time(1)
        status = status_view.gather(app)
        assert status.suppressions["robinson"].stale
        status_view.print_status(status, as_json=False)
        shown = capsys.readouterr().out
        assert "do-not-call list" in shown
        assert "STALE" in shown
        status_view.print_status(status, as_json=True)
        data = json.loads(capsys.readouterr().out)["suppressions"]["robinson"]
        assert (data["listed"], data["every"], data["stale"]) == (3, "10m", True)
    assert world.clock.now() - read_at > timedelta(minutes=30)
