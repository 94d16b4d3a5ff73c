"""The demo's own count finds what is lost, late or strange; and its stage deletes only its own."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.cli import demo
from syncd.cli.demo_check import Account, outcomes, read_export, reckon
from syncd.cli.demo_data import COLUMNS, ENCODING
from syncd.cli.demo_stage import EXPORT, MARKER, Box, Stage, take_folder
from syncd.core.call_job import JobState
from syncd.errors import ConfigError, SyncdError
from syncd.ledger.views import LeadRow, RejectionRow

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HEADER = ";".join(COLUMNS)
EXPORT_TEXT = f"""{HEADER}
1;Ann;+12125550190;;;;yes;"two
lines"

2;Bob;+12125550191;;;;да;
3;Eve;+12125550192;;;;no;
2;Bob;+12125550191;;;;да;
cut;Bob
;Nobody;+12125550193;;;;yes;
cut;Bob
"""


def lead(
    key: str, state: str = "closed", *, vendor_id: str | None = None, phone: int = 1
) -> LeadRow:
    """A lead as the ledger gives it."""
    return LeadRow(
        lead_id=1, sync="s", campaign="c", key=key, phone=phone, state=JobState(state), reason=None,
        call_job_id=vendor_id, job_status="noAnswer", call_result=None, attempts_count=3,
        seen_at=NOW, job_id=1,
    )  # fmt: skip


def rejection(line: int, key: str | None = None) -> RejectionRow:
    """A rejection as the ledger gives it."""
    return RejectionRow(
        id=line, sync="s", key=key, origin="crm.csv", line=line, column=None,
        reason="row_too_short", masked="", seen_at=NOW, last_seen_at=NOW,
    )  # fmt: skip


def test_the_plain_reading_knows_lines_and_consent() -> None:
    """A quoted line end moves the lines on; a record that comes again is counted again."""
    export = read_export(EXPORT_TEXT.encode(ENCODING))
    assert export.records == 7
    assert export.wanted == {"1": 1, "2": 2}
    assert export.no_consent == {"3": 1}
    assert sorted(map(sorted, export.nameless.values())) == [[8, 10], [9]]


def test_nothing_is_lost_when_each_record_is_somewhere() -> None:
    """A lead, a rejection by key or by line, or left out for want of consent; all of it adds up.

    A record that comes again is counted with its first one, as the commands count it.
    """
    account = reckon(
        read_export(EXPORT_TEXT.encode(ENCODING)),
        [lead("1", vendor_id="11")],
        [rejection(6, "2"), rejection(9), rejection(10)],
        ["11"],
    )
    assert account == Account(
        records=7, states={"closed": 1}, rejected=5, no_consent=1, repeated=0, lost=0, unsent=0,
        strangers=0,
    )  # fmt: skip


def test_a_lead_that_comes_again_is_one_lead() -> None:
    """Its later records are told apart, and are no leads that were lost."""
    account = reckon(
        read_export(EXPORT_TEXT.encode(ENCODING)),
        [lead("1", vendor_id="11"), lead("2", vendor_id="12")],
        [rejection(9), rejection(10)],
        ["11", "12"],
    )
    assert (account.repeated, account.rejected, account.lost) == (1, 3, 0)


def test_each_way_of_losing_a_lead_is_counted() -> None:
    """No lead and no rejection; a bad line without one; in the ledger, not in the sandbox."""
    account = reckon(
        read_export(EXPORT_TEXT.encode(ENCODING)),
        [lead("1", vendor_id="11")],
        [rejection(9)],
        ["12"],
    )
    assert account.lost == 5
    assert account.strangers == 1


def test_a_lead_that_still_has_to_be_sent_is_counted() -> None:
    """After a backfill nothing may be staged or sealed."""
    leads = [lead("1", "staged"), lead("2", "sealed")]
    assert reckon(read_export(EXPORT_TEXT.encode(ENCODING)), leads, [], []).unsent == 2


def test_outcomes_are_counted_with_their_magic_endings() -> None:
    """Only calls that the campaign has; an ordinary ending is not named."""
    rows = outcomes(
        [
            lead("1", vendor_id="1", phone=12125550191),
            lead("2", vendor_id="2", phone=12125550112),
            lead("3", "held", phone=12125550191),
        ]
    )
    assert [(one.status, one.calls, one.attempts, one.endings) for one in rows] == [
        ("noAnswer", 2, 6, "91")
    ]


@pytest.mark.parametrize("broken", ["twice", "outside", "lost", "unsent", "strangers", "new"])
def test_one_broken_promise_spoils_the_verdict(
    broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict is clean only when every count is 0."""
    bad = {name: int(name == broken) for name in ("lost", "unsent", "strangers")}
    account = Account(records=1, states={}, rejected=0, no_consent=0, repeated=0, **bad)
    verdict = {
        "jobs_called_twice": int(broken == "twice"),
        "calls_outside_windows": int(broken == "outside"),
    }
    assert demo._print_verdict(verdict, account, new=int(broken == "new")) is False
    assert "NOT CLEAN" in capsys.readouterr().out


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    """Without the demo's marker a folder with anything in it, or a file, is refused."""
    kept = tmp_path / EXPORT
    kept.write_text("mine")
    for place in (tmp_path, kept):
        with pytest.raises(ConfigError, match="nothing was touched"):
            take_folder(place)
    assert kept.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [EXPORT]


def test_a_folder_of_an_earlier_demo_is_cleaned_of_its_files_only(tmp_path: Path) -> None:
    """What somebody put beside them stays."""
    folder = tmp_path / "run"
    take_folder(folder)
    (folder / EXPORT).write_text("old")
    (folder / "notes.txt").write_text("mine")
    take_folder(folder)
    assert sorted(path.name for path in folder.iterdir()) == [MARKER, "notes.txt"]


def test_a_command_that_ends_in_another_way_ends_the_demo(tmp_path: Path) -> None:
    """A demo that goes on after a failure would show something that is not so."""
    with pytest.raises(SyncdError, match="ended with 2, not 0"):
        Stage(tmp_path).run("status", "--config", "absent.toml")


def test_a_sandbox_that_does_not_answer_ends_the_demo() -> None:
    """Its word is the verdict: there is none without it."""
    with pytest.raises(SyncdError, match="does not answer"):
        Box(1).first_jobs()


def test_what_to_type_next_is_short_where_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name alone where the shell knows it, a path below the folder, else the whole path."""
    beside = tmp_path / "env" / "syncd"
    (tmp_path / "away").mkdir()
    beside.parent.mkdir()
    beside.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(beside.with_name("python")))
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    assert demo._program() == "env/syncd"
    monkeypatch.chdir(tmp_path / "away")
    assert demo._program() == str(beside)
    monkeypatch.setenv("PATH", str(beside.parent))
    assert demo._program() == "syncd"
