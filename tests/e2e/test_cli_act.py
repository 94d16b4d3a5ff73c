"""The commands that check, plan and act, each from its own fresh folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.ledger.instance import hold_instance
from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import RunningSandbox, running_sandbox
from tests.commands import ANN, CONFIG, LEADS, Desk, new_desk

#: A phone that is no lead: a test call to it puts the campaign to work.
ELSE = "+12125550199"


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    """A sandbox whose clock stands still."""
    with running_sandbox() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, box: RunningSandbox) -> Desk:
    """A configured folder with leads and an empty ledger."""
    made = new_desk(tmp_path, box)
    made("init")
    return made


def test_plan_tells_what_once_then_does(desk: Desk, box: RunningSandbox) -> None:
    """New, held, duplicate, filtered and rejected agree with the poll after it, the job exactly."""
    before = desk.files()
    plan = desk("plan", "crm-leads", "--limit", "1", "--json")
    assert desk.files() == before, "a plan writes nothing"
    assert box.requests.entries() == []
    counts = plan.json["counts"]
    polled = desk("once", "--json", code=1).json[0]["counts"]
    for name in ("records", "new", "held", "duplicate", "filtered", "rejected", "staged"):
        assert counts[name] == polled.get(name, 0), name
    assert plan.json["held"] == {"no_zone": 1}
    (first,) = plan.json["first_jobs"]
    sent = desk("explain", first["key"], "--json").out
    content = '{"phone":"12125550101","payload":{"name":"Ann"}'
    assert content + ',"gmtZone":"America/New_York","allowedDays":["mon",' in plan.out
    assert content in sent


def test_plan_works_while_another_process_runs_passes(desk: Desk) -> None:
    """`plan`, `status`, `leads` and `cancel` need no sole hold of the ledger; `once` does."""
    desk("once", code=1)
    held = hold_instance(f"sqlite:///{desk.folder / 'syncd.db'}")
    try:
        assert "PID" in desk("once", code=2).err
        assert desk("plan", "crm-leads").out
        assert desk("status", "--check").out == "healthy\n"
        assert desk("leads").out
        assert desk("cancel", "4", "--yes", "--json").json["unsent"] == 1
    finally:
        held.release()


def test_plan_shows_examples_and_the_first_jobs(desk: Desk) -> None:
    """People see counts, each reason with line, column and mask, and the exact JSON."""
    told = desk("plan", "crm-leads", COLUMNS="100").out
    assert "phone_invalid" in told
    assert '{"phone":"12125550101"' in told
    assert "1234 5678" not in told


def test_plan_of_an_absent_source_is_an_error(desk: Desk) -> None:
    """The error of the source, after what could be read; in JSON too."""
    (desk.folder / "leads.csv").unlink()
    assert "not there" in desk("plan", "crm-leads", code=1).err
    assert "not there" in desk("plan", "crm-leads", "--json", code=1).json["error"]["what"]


def test_what_a_poll_leaves_for_later_is_told(desk: Desk) -> None:
    """A last line without its end, and a file that just changed: by plan and once, each time."""
    desk.configure(CONFIG.replace("renamed = true", 'settle = "0s"'))
    desk.write_leads(LEADS + "9,Cut,+1212555")
    last_line = {"files": 0, "last_lines": 1}
    assert desk("plan", "crm-leads", "--json").json["unread"] == last_line
    assert "last line without its end, files: 1" in desk("plan", "crm-leads").err
    polled = desk("once", "--json", code=1).json
    assert [one["unread"] for one in polled if one["pass"] == "poll"] == [last_line]
    assert polled[0]["counts"]["records"] == 8
    assert "last line without its end, files: 1" in desk("once").err
    assert desk("plan", "crm-leads", "--json").json["unread"] == last_line
    desk.configure(CONFIG.replace("renamed = true", 'settle = "1h"'))
    desk.write_leads(LEADS + "9,Whole,+12125550109\n")
    assert "still being written, files: 1" in desk("once").err
    assert desk("plan", "crm-leads", "--json").json["unread"] == {"files": 1, "last_lines": 0}
    desk.configure()
    assert desk("plan", "crm-leads", "--json").json["unread"] == {"files": 0, "last_lines": 0}


def test_a_backfill_is_not_whole_without_the_last_line(desk: Desk) -> None:
    """It says so and ends with 1, like with files that it could not read."""
    desk.configure(CONFIG.replace("renamed = true", 'settle = "0s"'))
    desk.write_leads("id,name,phone,zone,stage\n1,Ann,+12125550101,+01:00,new\n2,Cut,+1212555")
    assert "last line without its end, files: 1" in desk("backfill", "crm-leads", code=1).err


def test_a_file_that_was_only_touched_brings_nothing(desk: Desk) -> None:
    """The same content with another date: the cursor moves, no record is read, no error."""
    desk("once", code=1)
    desk.write_leads()
    assert desk("plan", "crm-leads", "--json").json["counts"]["records"] == 0
    polled = desk("once", "--json").json[0]
    assert (polled["outcome"], polled["counts"]) == ("done", {})


def test_check_finds_nothing_wrong_and_writes_nothing(desk: Desk) -> None:
    """Configuration, ledger, campaign, source and a mapped sample; exit code 0."""
    before = desk.files()
    told = desk("check", "--json").json
    assert desk.files() == before
    assert told["ok"]
    assert [one["what"] for one in told["checks"]] == [
        "configuration",
        "ledger",
        "campaign",
        "source",
        "sync",
    ]
    (sample,) = told["samples"]
    assert (sample["records"], sample["mapped"], sample["filtered"]) == (8, 3, 1)
    assert sum(sample["rejected"].values()) == 3
    assert "no problem" in desk("check").err


@pytest.mark.parametrize("command", ["check", "plan crm-leads", "once", "backfill crm-leads"])
def test_a_problem_of_a_mapping_is_told_once(desk: Desk, command: str) -> None:
    """However many there are, and whichever command meets them; in one line of JSON the first."""
    one = CONFIG.replace('phone = "phone"', 'phone = "phon"')
    desk.configure(one)
    told = desk(*command.split(), code=2)
    assert (told.out + told.err).count('no column "phon"') == 1
    assert "1 problem" in told.out + told.err
    desk.configure(one.replace("{{name}}", "{{nmae}}"))
    told = desk(*command.split(), code=2)
    for column in ("phon", "nmae"):
        assert (told.out + told.err).count(f'no column "{column}"') == 1


def test_a_program_is_told_the_first_problem_of_a_mapping(desk: Desk) -> None:
    """The error of a pass is one line: what is wrong stands in it."""
    desk.configure(CONFIG.replace('phone = "phone"', 'phone = "phon"'))
    what = desk("once", "--json", code=2).json[0]["error"]["what"]
    assert what == 'the mapping has 1 problem: phone: no column "phon", did you mean "phone"?'


def test_check_tells_a_guess(desk: Desk) -> None:
    """An encoding that could only be guessed is a warning with the option that settles it."""
    (desk.folder / "leads.csv").write_bytes(LEADS.encode("cp1252"))
    (told,) = desk("check", "--json").json["warnings"]
    assert (told["key"], told["what"]) == (
        "sources.crm.encoding",
        "the encoding of leads.csv is a guess",
    )
    assert 'write encoding = "cp1252"' in told["hint"]
    desk.configure(CONFIG.replace("renamed = true", 'renamed = true\nencoding = "cp1252"'))
    assert desk("check", "--json").json["warnings"] == []


def test_check_lists_every_problem_at_once(desk: Desk, box: RunningSandbox) -> None:
    """A missing ledger, an unknown token and wrong columns: each with its key, place and hint."""
    wrong = CONFIG.replace("syncd.db", "other.db").replace('key = "id"', 'key = "ident"')
    desk.configure(wrong.replace("{{name}}", "{{nmae}}"))
    (desk.folder / "welcome.token").write_text("9.9.nobodyKnowsThisTokenOfMine", encoding="utf-8")
    told = desk("check", "--json", code=2).json
    assert [problem["key"] for problem in told["problems"]] == [
        "ledger.url",
        "campaigns.welcome",
        "syncs.crm-leads.map.key",
        "syncs.crm-leads.map.payload.name",
    ]
    assert all(problem["hint"] and problem["where"] for problem in told["problems"])
    said = desk("check", code=2).err
    assert said.count("problem:") == 4
    assert not (desk.folder / "other.db").exists()
    offline = desk("check", "--offline", "--json", code=2).json
    assert "campaigns.welcome" not in [problem["key"] for problem in offline["problems"]]


def test_check_of_a_wrong_file_lists_its_keys(desk: Desk) -> None:
    """What the configuration itself refuses, in both forms; exit code 2."""
    desk.configure(CONFIG.replace("every =", "evry ="))
    told = desk("check", "--json", code=2).json
    assert "syncs.crm-leads.evry" in [problem["key"] for problem in told["problems"]]
    assert 'did you mean "every"' in desk("check", code=2).err


def test_check_warns_of_a_paused_campaign(desk: Desk) -> None:
    """Paused is no problem and worth a word; finished is a problem."""
    desk("test-call", "welcome", ELSE)
    desk("campaign", "pause", "welcome")
    assert "paused" in desk("check", "--json").json["warnings"][0]["what"]
    desk("campaign", "stop", "welcome", "--yes")
    assert desk("check", "--json", code=2).json["problems"][0]["key"] == "campaigns.welcome.token"


def test_a_campaign_is_paused_resumed_and_stopped(desk: Desk) -> None:
    """Each prints the state after it; stop needs a word; the wrong state is refused with 1."""
    assert desk("campaign", "status", "welcome").out == "new\n"
    desk("test-call", "welcome", ELSE)
    assert desk("campaign", "pause", "welcome", "--json").json["status"] == "paused"
    assert "refused" in desk("campaign", "pause", "welcome", code=1).err
    assert desk("campaign", "resume", "welcome").out == "inProcess\n"
    assert "--yes" in desk("campaign", "stop", "welcome", code=2).err
    assert desk("campaign", "info", "welcome", "--json").json["status"] == "inProcess"
    assert "calls at once" in desk("campaign", "info", "welcome").out
    assert desk("campaign", "stop", "welcome", "--yes").out == "finished\n"
    desk("once", code=3)
    assert desk("status", "--check", code=3).out == "halted: welcome\n"
    assert "HALTED" in desk("status", code=3).out
    assert "did you mean" in desk("campaign", "status", "welcom", code=2).err


def test_a_held_campaign_waits_for_its_release(desk: Desk, box: RunningSandbox) -> None:
    """An error that nobody understands: exit code 3, `HELD`, and only a person ends it."""
    box.faults.add(Fault("refused", path="addPhones", error={"type": "never.heard.of"}))
    assert desk("campaign", "release", "welcome", code=1).out == "welcome: was not held\n"
    desk("once", code=3)
    shown = desk("status", code=3, COLUMNS="200").out
    assert "HELD" in shown
    assert "never.heard.of" in shown
    assert "syncd campaign release welcome" in shown
    assert desk("status", "--json", code=3).json["campaigns"]["welcome"]["held"] is True
    assert desk("status", "--check", code=3).out == "halted: welcome\n"
    assert "campaign release" in desk("once", code=3).err
    told = desk("campaign", "release", "welcome", "--json").json
    assert told == {"campaign": "welcome", "released": True}
    desk("once")
    assert desk("status", "--json").json["syncs"]["crm-leads"]["jobs"]["staged"] == 0


def test_status_check_of_no_ledger_is_one(desk: Desk) -> None:
    """A health check says unhealthy with 1; the command for people says how to mend it, with 2."""
    (desk.folder / "syncd.db").unlink()
    assert desk("status", "--check", code=1).out.startswith("unhealthy: ")
    assert "syncd init" in desk("status", code=2).err


def test_a_test_call_is_one_call_and_no_lead(desk: Desk, box: RunningSandbox) -> None:
    """One job with payload and zone; the ledger knows nothing; the key repeats without a call."""
    told = desk(
        "test-call", "welcome", "212 555 0101", "--payload", "name=Ann", "--zone", "Z", "--json"
    ).json
    assert told["phone"] == ANN
    (job,) = box.jobs()
    assert str(job.id) == told["call_job_id"]
    again = desk("test-call", "welcome", ANN, "--key", told["key"], "--json").json
    assert again["call_job_id"] == told["call_job_id"]
    assert desk("leads", "--json").json == []
    for wrong in (["--zone", "Mars"], ["--payload", "Ann"], ["--key", "mine"]):
        assert desk("test-call", "welcome", ANN, *wrong, code=2).err
    assert desk("test-call", "welcome", "12", code=2).err


def test_a_test_call_without_an_answer_names_its_key(desk: Desk, box: RunningSandbox) -> None:
    """The hint has what a second try needs; the second try makes no second call."""
    box.faults.add(Fault("answer_lost", path="test/addPhone"))
    said = desk("test-call", "welcome", ANN, code=1).err
    key = said.split("--key ")[1].split()[0]
    assert "call job" in desk("test-call", "welcome", ANN, "--key", key).out
    assert len(box.jobs()) == 1


def test_cancel_ends_here_what_was_not_sent(desk: Desk, box: RunningSandbox) -> None:
    """A held job is cancelled in the ledger; it must be confirmed; a second time is nothing."""
    desk("once", code=1)
    assert "nothing was done" in desk("cancel", "4", "--dry-run").err
    assert "--yes" in desk("cancel", "4", code=2).err
    assert desk("cancel", "4", "--yes", "--json").json["unsent"] == 1
    assert desk("leads", "--key", "4", "--json").json[0]["state"] == "cancelled"
    assert "no call to cancel" in desk("cancel", "4", "--yes", code=1).err
    assert desk("cancel", "--yes", code=2).err


def test_cancel_asks_the_vendor_for_what_was_sent(desk: Desk, box: RunningSandbox) -> None:
    """By phone or for a whole sync; the journal keeps it; the report closes the job."""
    desk("test-call", "welcome", ELSE)
    desk("campaign", "pause", "welcome")
    desk("once", code=1)
    told = desk("cancel", "--sync", "crm-leads", "--yes", "--json").json
    assert (told["at_vendor"], told["unsent"], told["being_sent"]) == (2, 1, 0)
    box.advance(3600)
    desk("once")
    job = desk("explain", "1", "--json").json["leads"][0]["jobs"][0]
    assert (job["state"], job["reason"]) == ("closed", "canceled")
    assert "cli:cancel" in [move["actor"] for move in job["moves"]]
    assert {call.job.phone for call in box.calls()} <= {ELSE.lstrip("+")}


def test_cancel_does_not_touch_a_batch_in_doubt(desk: Desk, box: RunningSandbox) -> None:
    """What has no answer yet is told as being sent now, with exit code 1."""
    box.faults.add(Fault("answer_lost", path="addPhones", count=5))
    desk("once", code=1)
    told = desk("cancel", ANN, "--yes", "--json", code=1).json
    assert (told["being_sent"], told["at_vendor"]) == (1, 0)
    assert "being sent" in desk("cancel", "1", "--dry-run").out


def test_cancel_counts_what_was_too_late(desk: Desk, box: RunningSandbox) -> None:
    """A call that has ended meanwhile cannot be cancelled: told, with exit code 1."""
    desk("once", code=1)
    box.advance(86_400)
    told = desk("cancel", "2", "--yes", "--json", code=1).json
    assert (told["too_late"], told["at_vendor"]) == (1, 0)


def test_cancel_tells_when_the_vendor_cannot_be_asked(desk: Desk, box: RunningSandbox) -> None:
    """What ended here stays ended and is counted; the rest is an error."""
    desk("once", code=1)
    box.faults.add(Fault("http_500", path="callJob/cancel", count=9))
    told = desk("cancel", "--sync", "crm-leads", "--yes", "--json", code=1)
    assert told.json["unsent"] == 1
    assert told.json["error"]["what"]


def test_json_goes_to_stdout_alone(desk: Desk) -> None:
    """Words for people are on stderr, so that a program can read stdout, also on failure."""
    assert json.loads(desk("explain", "nobody", "--json", code=1).out)["leads"] == []
