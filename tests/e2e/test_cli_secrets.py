"""Secrets and people in the output of whole commands, and input that was made to do harm."""

from __future__ import annotations

import csv
import io
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from syncd.observe import logs
from syncd.observe.redact import Redactor
from syncd.sandbox.faults import Fault
from syncd.sandbox.testing import RunningSandbox, running_sandbox
from tests.commands import ANN, CONFIG, Desk, new_desk

TOKEN = "77.88.canaryToken%That+MayStandNowhere"
MARKER = "Canaria Secreta"
KEY = "canary-key-1"
ROWS = f"""\
id,name,phone,zone,stage
{KEY},{MARKER},{ANN},America/New_York,new
2,{MARKER},+442079460102,+01:00,new
3,{MARKER},+99 999 1234 5678,+01:00,new
"""
TWO_DAYS_S = 2 * 86_400
NEEDLES = (
    TOKEN,
    quote(TOKEN, safe=""),
    quote(TOKEN),
    "canaryToken",
    MARKER,
    "2125550101",
    "2079460102",
    "1234 5678",
)
#: What shows people by its very purpose goes to stdout; none of these does.
COMMANDS = (
    ("check",),
    ("once",),
    ("status",),
    ("rejections",),
    ("config", "show"),
    ("cancel", "2", "--yes"),
    ("erase", KEY, "--dry-run"),
    ("erase", KEY, "--yes"),
    ("erase", "+442079460102", "--yes", "--json"),
    ("once",),
    ("purge", "--older-than", "1d", "--dry-run"),
    ("purge", "--older-than", "1d", "--yes", "--json"),
    ("db", "compact"),
    ("db", "current"),
    ("status", "--json"),
)


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    """A sandbox whose token is the canary, hard to spell."""
    with running_sandbox(tokens=(TOKEN,)) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, box: RunningSandbox) -> Desk:
    """A folder with people whose names are markers."""
    made = new_desk(tmp_path, box)
    made.write_leads(ROWS)
    made("init")
    return made


def leaks(*told: str) -> list[str]:
    """Which needles stand in what was said."""
    text = "".join(told)
    return [needle for needle in NEEDLES if needle in text]


def test_x1_no_output_of_a_whole_run_names_a_person_or_the_token(
    desk: Desk, box: RunningSandbox
) -> None:
    """Every command at debug, through a lost answer, an erasure and a purge: not one needle."""
    box.faults.add(Fault("answer_lost", path="callJob/getReport"))
    for command in COMMANDS:
        told = desk("--log-level", "debug", "--log-format", "json", *command, code=None)
        assert told.code in (0, 1), told
        said = told.err if command[0] == "check" else told.out + told.err
        assert leaks(said) == [], command
        if command == ("cancel", "2", "--yes"):
            box.advance(TWO_DAYS_S)
    for command in (("plan", "crm-leads"), ("leads",), ("explain", "2")):
        told = desk("--log-level", "debug", "--log-format", "json", *command, code=None)
        assert leaks(told.err) == [], command


@pytest.mark.parametrize("spelling", [TOKEN, quote(TOKEN, safe=""), quote(TOKEN)])
def test_x1_a_library_cannot_leak_a_secret_past_the_root(
    spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record, its arguments and its traceback are masked there; without the mask they leak."""

    def said() -> str:
        out = io.StringIO()
        logs.configure("debug", "json", Redactor([TOKEN]), out)
        theirs = logging.getLogger("some.library")
        try:
            Path(f"/absent/{spelling}/x").stat()
        except OSError:
            theirs.exception("GET https://h/x/%s", spelling, extra={"url": spelling})
        return out.getvalue()

    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        assert leaks(said()) == []
        monkeypatch.setattr(Redactor, "secrets", lambda _self, text: text)
        assert leaks(said()) != [], "the mask at the root is what keeps them out"
    finally:
        root.handlers[:] = before
        root.setLevel(level)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://169.254.169.254",  # a cloud's metadata
        "http://localhost.evil.example",
        "file:///etc/passwd",
        "https://user:pw@app.jaicp.com",
    ],
)
def test_x3_a_base_url_that_leads_elsewhere_is_refused(desk: Desk, base_url: str) -> None:
    """Only https, or http to this machine; nothing was sent, and the address is not repeated."""
    text = CONFIG.replace("{base_url}", base_url)
    desk.configure(text)
    told = desk("check", "--offline", code=2)
    assert "campaigns.welcome.base_url" in told.err
    assert base_url not in told.err
    assert desk("once", code=2).out == ""


@pytest.mark.parametrize("name", ["../../etc/passwd", ".."])
def test_x3_a_name_is_no_path(desk: Desk, name: str) -> None:
    """Names of syncs, sources and campaigns are letters, digits, - and _."""
    desk.configure(CONFIG.replace("crm-leads", "NAME").replace("syncs.NAME", f'syncs."{name}"'))
    assert desk("check", "--offline", code=2).err


def test_x3_a_cell_is_no_formula(desk: Desk) -> None:
    """What a spreadsheet would run begins with an apostrophe; a phone stays as it is."""
    rows = "id,name,phone,zone,stage\n" + "".join(
        f'"{start}cmd|calc{n}",x,+1212555010{n},+01:00,new\n'
        for n, start in enumerate(("=", "+", "-", "@"))
    )
    desk.write_leads(rows)
    desk("once", code=None)
    listed = list(csv.DictReader(io.StringIO(desk("leads", "--csv").out)))
    assert {row["key"][:2] for row in listed} == {"'=", "'+", "'-", "'@"}
    assert not any(value.startswith(("=", "@", "-")) for row in listed for value in row.values())


def test_x3_an_archive_writes_nothing(desk: Desk) -> None:
    """A member called ../../evil.csv is read as a stream; no file is made of it."""
    with zipfile.ZipFile(desk.folder / "packed.part", "w") as archive:
        archive.writestr("../../evil.csv", ROWS)
    (desk.folder / "packed.part").rename(desk.folder / "leads.csv")
    desk("once", code=None)
    assert not (desk.folder.parent.parent / "evil.csv").exists()
    assert not list(desk.folder.rglob("evil*"))
    assert len(desk("leads", "--json").json) == 2


def test_x3_a_template_reaches_no_attribute(desk: Desk) -> None:
    """A mapping is no code: braces name columns, and nothing behind them."""
    desk.configure(CONFIG.replace("{{name}}", "{{name.__class__}}"))
    told = desk("plan", "crm-leads", "--json", code=None).json
    assert "name.__class__" in told["error"]["what"], "no such column"
    assert told["first_jobs"] == []
