"""The commands that look: each tells what is there, in tables of 100 columns, JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox.testing import running_sandbox
from tests.commands import ANN, BOB, MIA, Desk, new_desk

TWO_DAYS_S = 2 * 86_400
WIDTH = 100


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Leads were sent, two days have passed, and outcomes are back."""
    with running_sandbox() as box:
        made = new_desk(tmp_path_factory.mktemp("desk"), box)
        made("init")
        made("once", code=1)  # some records were rejected
        box.advance(TWO_DAYS_S)
        made("once")
        yield made


def assert_fits(table: str) -> None:
    """No line of a table is wider than a wide terminal."""
    assert max(map(len, table.splitlines())) <= WIDTH


def test_status_counts_jobs_and_rejections(desk: Desk) -> None:
    """Per sync the jobs by state and rejections by reason, per campaign its open ends, versions."""
    told = desk("status", "--json").json
    sync = told["syncs"]["crm-leads"]
    jobs = {state: n for state, n in sync["jobs"].items() if n}
    assert jobs == {"closed": 2, "duplicate": 1, "held": 1}
    assert sum(sync["rejections"].values()) == 3
    assert sync["last_poll"]["outcome"] == "done"
    assert told["campaigns"]["welcome"]["in_doubt"] == 0
    assert set(told["versions"]) == {
        "syncd",
        "schema",
        "tzdata",
        "phonenumbers",
        "phone_binding",
        "holidays",
        "presets",
        "numbering",
    }
    table = desk("status", COLUMNS="100").out
    assert_fits(table)
    assert "closed 2" in table
    assert desk("status", "--check").out == "healthy\n"


def test_leads_are_found_by_every_part(desk: Desk) -> None:
    """By state, key, sync, and by phone in any spelling; a table names phone and outcome whole."""
    rows = desk("leads", "--json").json
    assert [(row["key"], row["phone"]) for row in rows] == [
        ("1", ANN),
        ("2", BOB),
        ("3", ANN),
        ("4", MIA),
    ]
    assert [row["key"] for row in desk("leads", "--phone", "212.555.0101", "--json").json] == [
        "1",
        "3",
    ]
    assert [row["key"] for row in desk("leads", "--state", "held", "--json").json] == ["4"]
    assert [row["key"] for row in desk("leads", "--key", "2", "--json").json] == ["2"]
    assert desk("leads", "--sync", "none", "--json").json == []
    table = desk("leads", "--limit", "2", COLUMNS="100")
    assert_fits(table.out)
    assert ANN in table.out
    assert "--limit 0" in table.err
    assert len(list(csv.DictReader(io.StringIO(desk("leads", "--csv").out)))) == 4


def test_a_wrong_state_or_phone_is_a_usage_error(desk: Desk) -> None:
    """Exit code 2 and the nearest right word."""
    assert 'did you mean "held"' in desk("leads", "--state", "hled", code=2).err
    assert "no valid phone" in desk("leads", "--phone", "12", code=2).err


def test_rejections_show_masks_only(desk: Desk, tmp_path: Path) -> None:
    """Line, column and reason are there; the value itself is nowhere; exports are harmless."""
    told = desk("rejections", "--json")
    assert {(row["line"], row["column"]) for row in told.json} == {
        (7, "phone"),
        (8, "id"),
        (9, "phone"),
    }
    assert "12345678" not in told.out.replace(" ", "")
    table = desk("rejections", COLUMNS="100").out
    assert_fits(table)
    assert "phone_invalid" in table
    file = tmp_path / "rejections.csv"
    desk("rejections", "--export", str(file))
    assert file.stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert len(rows) == 3
    assert not [text for row in rows for text in row.values() if text.startswith(("=", "+", "-"))]
    assert desk("rejections", "--export", "-").out.splitlines()[0].startswith("sync,key,")
    assert desk("rejections", "--export", "/nowhere/there.csv", code=2).err


def test_explain_tells_a_leads_story(desk: Desk) -> None:
    """Origin, exact body, batch and key, every move in order, attempts in both times, outcome."""
    found = desk("explain", "1", "--json").json
    assert found["as"] == "key"
    (lead,) = found["leads"]
    assert (Path(lead["origin"]).name, lead["line"]) == ("leads.csv", 2)
    (job,) = lead["jobs"]
    window = job["window"]
    assert job["body"] == {
        "phone": "12125550101",
        "payload": {"name": "Ann"},
        **window["fields"],
    }
    assert (window["gmt_zone"], window["anchor"]) == ("America/New_York", "America/New_York")
    assert [move["to"] for move in job["moves"] if move["what"] == "job"] == [
        "staged",
        "sealed",
        "accepted",
        "closed",
    ]
    assert [move["at"] for move in job["moves"]] == sorted(move["at"] for move in job["moves"])
    assert job["batch"]["sends"] == 1
    assert len(job["batch"]["key"]) == 40
    assert job["attempts"][0]["started_local"].endswith(("-04:00", "-05:00"))
    assert job["reports"][0]["job_status"] == job["reason"]
    table = desk("explain", "1", COLUMNS="100").out
    for text in ('"phone":"12125550101"', job["batch"]["key"], "accepted ▶ closed", "outcome"):
        assert text in table


def test_explain_finds_by_phone_in_any_spelling(desk: Desk) -> None:
    """All leads of a phone, and which of them was called."""
    found = desk("explain", "(212) 555-0101", "--json").json
    assert found["as"] == "phone"
    assert [lead["key"] for lead in found["leads"]] == ["1", "3"]
    assert found["leads"][1]["jobs"][0]["state"] == "duplicate"


def test_explain_of_no_lead_looks_at_rejections(desk: Desk) -> None:
    """A rejected key shows its rejection, a mask is named as a maybe; exit code 1 either way."""
    rejected = desk("explain", "6", "--json", code=1).json
    assert rejected["leads"] == []
    assert [row["key"] for row in rejected["rejections"]] == ["6"]
    perhaps = desk("explain", "+99 999 1234 5678", "--json", code=1).json
    assert perhaps["perhaps"]
    assert [row["key"] for row in perhaps["rejections"]] == ["8"]
    assert "no such lead" in desk("explain", "nobody", code=1).err
    assert "`syncd zones - --phone phone`" in desk("explain", "+12125550109", code=1).err


def test_plan_after_a_poll_finds_nothing_new(desk: Desk) -> None:
    """From the live cursor nothing is read; --all sorts every record again, as known."""
    assert desk("plan", "crm-leads", "--json").json["counts"]["records"] == 0
    counts = desk("plan", "crm-leads", "--all", "--json").json["counts"]
    assert (counts["records"], counts["known"], counts["new"]) == (8, 4, 0)


def test_config_show_masks_and_says_from_where(desk: Desk) -> None:
    """Each value has its origin; the token is masked; schema and example need no file."""
    values = {value["path"]: value for value in desk("config", "show", "--json").json}
    assert "********" in values["campaigns.welcome.token"]["value"]
    assert "welcome.token" in values["campaigns.welcome.token"]["origin"]
    assert values["sources.crm.settle"]["origin"] == "default"
    assert_fits(desk("config", "show", COLUMNS="100").out)
    assert desk("config", "schema").json["title"] == "syncd configuration"
    assert "[campaigns.welcome]" in desk("config", "example").out
