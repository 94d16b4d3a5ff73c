"""`syncd zones`: a list of numbers and nothing else, in three forms."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from syncd.cli.main import app
from syncd.core.zones.registry import Block, compiled
from syncd.engine import zone_list
from syncd.errors import ConfigError
from syncd.numbering.kept import keep_registry

RUN = CliRunner()
LIST = """\
id;name;phone;region;zone
1;Анна;8 914 555-34-56;Приморский край;
2;Bob;+1 850 555 0101;;
3;Mia;+61 491 570 006;;
4;=1+1;nothing;;
5;Sat;+881612345678;;
6;Igor;+7 914 555-34-57;;МСК+2
7;Olga;+7 914 555-34-58;;
"""


@pytest.fixture
def leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The list as a Russian spreadsheet writes it, in a folder without a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNCD_CONFIG", raising=False)
    (tmp_path / "leads.csv").write_text(LIST, encoding="cp1251")
    return "leads.csv"


def told(*arguments: str, **more: Any) -> Result:
    found = RUN.invoke(app, ["zones", "--phone", "phone", *LOCAL, *arguments], **more)
    if found.exception is not None:
        raise found.exception
    return found


LOCAL = ("--default-region", "ru")


def numbers(*arguments: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    document = json.loads(told(*arguments, "--json").stdout)
    return document["numbers"], document["summary"]


def test_every_number_is_answered_and_the_whole_is_counted(leads: str) -> None:
    """By region, column, number, or not at all; the same answer as a call job gets."""
    found, summary = numbers(leads, "--region", "region", "--column", "zone")
    assert [(one["confidence"], one["why"], one["gmt_zone"], one["step"]) for one in found] == [
        ("one_clock", None, "+10:00", "region"),
        ("several_clocks", None, "America/Chicago", "phone"),
        ("several_clocks", None, "+10:00", "phone"),
        ("no_phone", "phone_invalid", None, None),
        ("held", "no_zone", None, "phone"),
        ("one_clock", None, "+05:00", "column"),
        ("several_clocks", None, "+03:00", "registry"),
    ]
    assert [one["line"] for one in found] == [2, 3, 4, 5, 6, 7, 8]
    assert found[6]["hours"] == "mon-sun 10:00-11:59"
    assert summary == {
        "numbers": 7,
        "by_confidence": {"one_clock": 2, "several_clocks": 3, "held": 1, "no_phone": 1},
        "by_zone": {"several": 3, "Asia/Vladivostok": 1, "none": 1, "+05:00": 1},
        "why": {"phone_invalid": 1, "no_zone": 1},
        "unreadable": 0,
        "no_registry": 1,
    }


def test_csv_keeps_the_files_own_cells_and_adds_columns(leads: str) -> None:
    """Whoever reads it next finds what was there; the summary goes to stderr."""
    done = told(leads, "--csv", "--preset", "ru-debt")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert rows[3]["name"] == "=1+1"
    assert rows[1]["syncd_zones"] == "America/Chicago|America/New_York"
    assert rows[6]["syncd_hours"] == "mon-fri 09:00-12:59, sat-sun 10:00-10:59"
    assert rows[0]["syncd_phone"] == "+79145553456"
    assert "several clocks: 5 (71.4%)" in done.stderr


def test_a_person_sees_the_first_rows_and_a_summary(leads: str) -> None:
    """No line is wider than a wide terminal; what is missing is said loudly."""
    done = told(leads, "--rows", "2", env={"COLUMNS": "100"})
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "America/Chicago" in done.stdout
    assert "Olga" not in done.stdout
    assert "the first 2 of 7" in done.stderr
    assert "syncd numbering import" in done.stderr


def test_a_pipe_is_read_like_a_file(leads: str) -> None:
    """From stdin, and quiet: nothing but data and what has to be said."""
    done = subprocess.run(
        [sys.executable, "-m", "syncd", "zones", "-", "--phone", "phone", *LOCAL, "--json"],
        input=Path(leads).read_bytes(),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["numbers"] == numbers(leads)[0]
    assert done.stderr.startswith(b"warning: 3 Russian numbers")


def test_the_configured_registry_is_used(leads: str, tmp_path: Path) -> None:
    """It lies beside the ledger of the configuration; the ledger need not be there."""
    (tmp_path / "syncd.toml").write_text('[ledger]\nurl = "sqlite:///syncd.db"\n')
    block = Block(79_145_550_000, 79_145_559_999, ("Asia/Vladivostok",))
    keep_registry(tmp_path / "numbering.bin", compiled([block], {}).dump())
    found, summary = numbers(leads, "--config", "syncd.toml")
    assert (found[6]["zones"], summary["no_registry"]) == (["Asia/Vladivostok"], 0)
    assert numbers(leads)[0] == found


def test_hours_by_country_and_none_at_all(leads: str) -> None:
    """With "auto" a country without a preset is held; with "off" zones alone are told."""
    found, _ = numbers(leads, "--preset", "auto", "--scope", "debt")
    assert (found[2]["confidence"], found[2]["why"]) == ("held", "no_preset")
    found, _ = numbers(leads, "--preset", "off", "--region", "region")
    assert (found[0]["gmt_zone"], found[0]["hours"]) == ("+10:00", None)


def test_own_places_and_a_default_are_taken(leads: str, tmp_path: Path) -> None:
    """A table of one's own for the region, and a zone for those of whom nothing is known."""
    (tmp_path / "mine.csv").write_text("value,zone\nПриморский край,Europe/Samara\n")
    more = ("--region", "region", "--table", "mine.csv", "--default", "Asia/Tokyo")
    found, _ = numbers(leads, *more)
    assert (found[0]["gmt_zone"], found[4]["gmt_zone"]) == ("+04:00", "+09:00")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("leads.csv", "--region", "regoin"), 'no column "regoin", did you mean "region"?'),
        (("leads.csv", "--preset", "decnt"), 'no preset "decnt"'),
        (("leads.csv", "--scope", "sales"), 'no scope "sales"'),
        (("leads.csv", "--encoding", "nonsense"), "--encoding cannot be used"),
        (("leads.csv", "--default", "Atlantis"), '"Atlantis" is no zone'),
        (("leads.csv", "--default-region", "XX"), "--default-region is no country"),
        (("leads.csv", "--table", "none.csv"), "the table of zones cannot be read"),
        (("leads.csv", "--config", "none.toml"), "none.toml"),
    ],
)
@pytest.mark.usefixtures("leads")
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], what: str) -> None:
    """With the word that is wrong, before anything is printed."""
    with pytest.raises(ConfigError) as refused:
        told(*arguments)
    assert what in str(refused.value)


def test_an_empty_list_and_bad_rows_are_told(leads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is none is counted; answers that are many are not all kept."""
    monkeypatch.setattr(zone_list, "_KEPT_MAX", 1)
    assert len(numbers(leads)[0]) == 7
    Path(leads).write_text("id;name;phone\n1;x;y;z;too;long\n", encoding="utf-8")
    done = told(leads)
    assert "unreadable  1" in done.stdout
    Path(leads).write_text("id;phone\n", encoding="utf-8")
    assert "no record" in told(leads).stderr
    assert json.loads(told(leads, "--json").stdout)["numbers"] == []
