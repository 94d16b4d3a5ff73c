"""The commands of README and how-to pages do what the pages show: they are run, in an empty folder.

Three kinds of blocks are read, by the words after the fence:

    ```sh run          run by bash; it stops at the first command that fails
    ```toml syncd.toml written to that file (any language, then a name)
    ```output          each line must appear, in this order, in what the block before printed;
                       `…` stands for anything, spaces count as one

A page that says 8642 gets the port of a sandbox of its own. Everything else is left to the reader.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd.sandbox.testing import running_sandbox
from tests.warm.commands import warm_folder

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?P<info>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SANDBOX_TOKEN = "1000.1001.sandboxTokenThatOpensNothingButThisMachine"
SANDBOX_PORT = "8642"
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after its fence, and its text."""

    words: tuple[str, ...]
    text: str

    @property
    def is_run(self) -> bool:
        return self.words == ("sh", "run")


def blocks(page: Path) -> list[Block]:
    """Every fenced block with words, in the order of the page."""
    text = page.read_text(encoding="utf-8")
    return [Block(tuple(m["info"].split()), m["text"]) for m in BLOCK.finditer(text)]


def runnable_pages() -> Iterator[Path]:
    """The README and every page that has a block to run."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        if any(block.is_run for block in blocks(page)):
            yield page


PAGES = list(runnable_pages())


def environment() -> dict[str, str]:
    """`syncd` is the one under test; nobody's own configuration is seen."""
    own = {name: told for name, told in os.environ.items() if not name.startswith("SYNCD_")}
    return {
        **own,
        "PATH": f"{warm_folder()}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "no_proxy": "127.0.0.1",
    }


def run(script: str, folder: Path) -> str:
    """What a block prints, on both streams together; its failure is the test's."""
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as running:
        try:
            printed = running.communicate(timeout=PATIENCE_S)[0].decode()
        finally:
            with suppress(ProcessLookupError):  # a daemon that the block left behind ends with it
                os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 0, f"exit code {running.returncode} of:\n{script}\n{printed}"
    return printed


def missing_line(shown: str, printed: str) -> str | None:
    """The first line of a page's output that was not printed, or not in this order."""
    real = [" ".join(line.split()) for line in printed.splitlines()]
    at = 0
    for line in shown.splitlines():
        wanted = " ".join(line.split())
        pattern = re.compile(".*".join(map(re.escape, wanted.split("…"))))
        found = next((i for i in range(at, len(real)) if pattern.fullmatch(real[i])), None)
        if wanted in {"", "…"}:
            continue
        if found is None:
            return line
        at = found + 1
    return None


def test_there_are_pages_to_run() -> None:
    """Were the marks of the blocks misspelt, this file would test nothing."""
    assert {page.name for page in PAGES} >= {"first-campaign.md", "backfill.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_is_true(page: Path, tmp_path: Path) -> None:
    """Every block that is marked runs in an empty folder and prints what the page shows."""
    if shutil.which("bash") is None or shutil.which("curl") is None:
        pytest.skip("the pages need bash and curl")
    printed = ""
    with running_sandbox(tokens=(SANDBOX_TOKEN,), speed=1.0) as box:
        for block in blocks(page):
            text = block.text.replace(SANDBOX_PORT, box.base_url.rpartition(":")[2])
            if block.is_run:
                printed = run(text, tmp_path)
            elif block.words == ("output",):
                lost = missing_line(text, printed)
                assert lost is None, (
                    f"{page.name} shows a line that was not printed: {lost!r}\n{printed}"
                )
            elif len(block.words) == 2:
                (tmp_path / block.words[1]).write_text(text, encoding="utf-8")


def test_the_configuration_of_the_readme_is_valid(tmp_path: Path) -> None:
    """Ten lines, a token and an export are enough for everything but the vendor's answer."""
    (toml,) = (block for block in blocks(ROOT / "README.md") if block.words[0] == "toml")
    assert len(toml.text.splitlines()) == 10
    (tmp_path / toml.words[1]).write_text(toml.text, encoding="utf-8")
    token = tmp_path / "welcome.token"
    token.touch(mode=0o600)
    token.write_text(SANDBOX_TOKEN, encoding="utf-8")
    export = tmp_path / "exports" / "leads.csv"
    export.parent.mkdir()
    row = "1,Ann,Lee,+442079460190,Europe/London"
    export.write_text(f"id,first_name,last_name,mobile,time_zone\n{row}\n", encoding="utf-8")
    os.utime(export, (0, 0))  # it has not changed for long: complete
    printed = run("syncd init\nsyncd check --offline", tmp_path)
    assert "1 of 1 can be called" in printed
