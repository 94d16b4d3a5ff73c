"""What the demo stands on: a folder of its own, a sandbox of its own, and commands that it runs.

It must never delete a file that it did not make, and never leave a process behind.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import typer

from syncd.errors import EXIT_DONE, ConfigError, SyncdError

MARKER: Final = ".syncd-demo"
EXPORT: Final = "crm.csv"
CONFIG: Final = "syncd.toml"
LEDGER: Final = "syncd.db"
STATE: Final = "sandbox.state"
_LOG: Final = "sandbox.log"
_OURS: Final = (
    EXPORT, CONFIG, LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", f"{LEDGER}.instance",
    STATE, _LOG,
)  # fmt: skip

_PATIENCE_S = 60.0
#: Calls at once: enough that the largest export is through in the two days.
_LINES = 100
_ADDRESS = re.compile(r"http://127\.0\.0\.1:([0-9]+)")
WIDTH: Final = 100


def take_folder(folder: Path) -> None:
    """An empty folder, or one that an earlier demo made; raises ConfigError for any other."""
    marker = folder / MARKER
    if folder.exists() and not marker.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            "the folder is not empty and was not made by a demo: nothing was touched",
            where=str(folder),
            hint="name another one with --folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text("made by `syncd demo`, which may delete it\n", encoding="utf-8")
    for name in _OURS:
        (folder / name).unlink(missing_ok=True)


def heading(text: str) -> None:
    """A short line above a part of the demo."""
    typer.secho(f"\n== {text}", bold=True)


def show(command: str) -> None:
    """A command line, before what it prints."""
    typer.secho(f"$ {command}", fg="cyan")


@dataclass(frozen=True, slots=True)
class Stage:
    """Runs commands of syncd in a folder."""

    folder: Path

    def run(self, *arguments: str, ends_with: int = EXIT_DONE) -> None:
        """Show `syncd ARGUMENTS` and run it; raises SyncdError when it ends otherwise."""
        show("syncd " + " ".join(f'"{one}"' if " " in one else one for one in arguments))
        sys.stdout.flush()
        ended = subprocess.run(  # noqa: S603 - our own commands
            _command(arguments),
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            # In a pipe both belong together; a terminal shows both anyway.
            stderr=None if sys.stdout.isatty() else subprocess.STDOUT,
            check=False,
        )
        if ended.returncode != ends_with:
            what = f"`syncd {arguments[0]}` ended with {ended.returncode}, not {ends_with}"
            raise SyncdError(what, where="demo")

    @contextmanager
    def sandbox(self) -> Iterator[Box]:
        """A sandbox as a process of its own on a free port; it ends with the block."""
        arguments = ("sandbox", "--port", "0", "--lines", str(_LINES), "--state", STATE)
        show("syncd " + " ".join(arguments) + " &")
        with (self.folder / _LOG).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command
                _command(arguments),
                cwd=self.folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        try:
            assert process.stdout is not None
            address = _ADDRESS.search(process.stdout.readline().decode())
            if address is None:
                raise SyncdError("the sandbox did not start", where=str(self.folder / _LOG))
            yield Box(int(address[1]))
        finally:
            process.terminate()
            process.communicate(timeout=_PATIENCE_S)


@dataclass(frozen=True, slots=True)
class Box:
    """The control plane of a running sandbox."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def advance(self, seconds: int) -> None:
        """Let virtual time pass, showing the command that does it."""
        show(f"curl -d '{{\"advance_seconds\": {seconds}}}' {self.url}/_sandbox/clock")
        _print_answer(self._ask("POST", "clock", orjson.dumps({"advance_seconds": seconds})))

    def verdict(self) -> dict[str, Any]:
        """What the sandbox says, showing the command that asks it."""
        show(f"curl {self.url}/_sandbox/verdict")
        verdict = self._ask("GET", "verdict")
        _print_answer(verdict)
        return verdict

    def first_jobs(self) -> list[str]:
        """IDs of all call jobs, the later ones of a call-back aside."""
        ids: list[str] = []
        after: object = 0
        while after is not None:
            page = self._ask("GET", f"jobs?limit=10000&after={after}")
            ids += [job["id"] for job in page["items"] if job["redial_number"] is None]
            after = page["next"]
        return ids

    def _ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        # The standard library's client: no proxy of the environment comes between.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)
        try:
            connection.request(method, f"/_sandbox/{path}", body)
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise SyncdError(
                f"the sandbox does not answer: {type(error).__name__}", where="demo"
            ) from None
        finally:
            connection.close()
        assert response.status == http.client.OK, "the control plane knows this request"
        answer: dict[str, Any] = orjson.loads(data)
        return answer


def _print_answer(answer: dict[str, Any]) -> None:
    """An answer of the control plane, folded as a terminal would fold it."""
    typer.echo(textwrap.fill(json.dumps(answer), WIDTH))


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "syncd", *arguments]


def _environment() -> dict[str, str]:
    """No setting of the person who runs the demo reaches it; a pipe is as wide as a terminal."""
    mine = {name: value for name, value in os.environ.items() if not _is_setting(name)}
    if not sys.stdout.isatty():
        mine["COLUMNS"] = str(WIDTH)
    return mine


def _is_setting(name: str) -> bool:
    return name.upper().startswith("SYNCD_") or name == "CREDENTIALS_DIRECTORY"
