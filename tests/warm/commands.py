"""One warm parent for each process that runs tests, from its first command to its end."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def warm_folder() -> Path:
    """A folder with a `syncd` that is forked from a warm parent; it serves as an entry of PATH."""
    folder = Path(tempfile.mkdtemp(prefix="syncd-warm-"))
    own = {name: told for name, told in os.environ.items() if not name.startswith("SYNCD_")}
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.warm.parent", str(folder / "socket")],
        cwd=ROOT,
        env={**own, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    assert parent.stdout.readline(), "the warm parent did not begin"
    atexit.register(_end, parent, folder)
    client = Path(__file__).with_name("client.py")
    syncd = folder / "syncd"
    syncd.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -SE "{client}" "{folder}/socket" "$@"\n',
        encoding="utf-8",
    )
    syncd.chmod(0o700)
    return folder


def warm_syncd() -> str:
    """The path of that `syncd`."""
    return str(warm_folder() / "syncd")


def _end(parent: subprocess.Popen[bytes], folder: Path) -> None:
    assert parent.stdin is not None
    parent.stdin.close()
    parent.wait(30)
    shutil.rmtree(folder, ignore_errors=True)
