"""`syncd run` leaves by the front door when all has ended, and at once when a pass hangs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest
import typer

from syncd.cli import common
from syncd.cli.init import init
from syncd.cli.run import run
from syncd.daemon import lifecycle
from syncd.daemon.lifecycle import Ending

CONFIG = """
[campaigns.welcome]
token = "1.2.three"
[sources.crm]
kind = "csv"
path = "leads.csv"
[syncs.leads]
source = "crm"
campaign = "welcome"
every = "1h"
map = { key = "id", phone = "phone" }
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration and its empty ledger; no signal handler is replaced."""
    file = tmp_path / "syncd.toml"
    file.write_text(CONFIG, encoding="utf-8")
    file.chmod(0o600)
    init(config=file)
    monkeypatch.setattr(common.Signals, "install", lambda _self: None)
    return file


def leave(code: int) -> NoReturn:
    """Instead of `os._exit`."""
    raise SystemExit(code)


@pytest.mark.parametrize(
    ("ending", "error"),
    [(Ending(0, drained=True), typer.Exit), (Ending(143, drained=False), SystemExit)],
)
def test_how_run_leaves(
    config: Path, monkeypatch: pytest.MonkeyPatch, ending: Ending, error: type[BaseException]
) -> None:
    """Drained: the ledger is closed first. Not drained: the hanging thread is not waited for."""
    monkeypatch.setattr(lifecycle, "run", lambda _app, _signals: ending)
    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(error) as ended:
        run(config=config)
    code = getattr(ended.value, "exit_code", None) or getattr(ended.value, "code", 0)
    assert code == ending.exit_code
