"""The set-up says in one line what is missing, and does nothing when nothing has changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = (".ci/setup", "pyproject.toml", *(path.name for path in ROOT.glob("requirements*.lock")))
#: Stands for an interpreter, makes an "environment" with itself, and notes what pip is asked for.
PRETENDER = """\
case "$2" in
    venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    pip) echo "$@" >> "$HOME/pip-calls" ;;
esac"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what the set-up reads, and a PATH folder `bin` with the tools that it calls."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("cat", "cksum", "cp", "dirname", "grep", "mkdir", "rm", "tail"):
        found = shutil.which(tool)
        assert found is not None
        (tools / tool).symlink_to(found)
    return tmp_path


def put_python(checkout: Path, name: str, script: str) -> None:
    """Put an interpreter called `name` on the PATH."""
    path = checkout / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def setup(checkout: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up with nothing but `bin` on the PATH."""
    return subprocess.run(
        ["/bin/sh", ".ci/setup", *args],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), "HOME": str(checkout), **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_python_is_said_in_one_line(checkout: Path) -> None:
    """Without any Python the set-up names what it looked for."""
    done = setup(checkout)
    assert done.returncode == 1
    assert done.stderr == (
        "setup: no Python 3.11 or newer found (tried python3.13, python3.12, python3.11, python3):"
        " install one, or name it with PYTHON=\n"
    )


def test_an_old_python_and_a_broken_shim_do_not_count(checkout: Path) -> None:
    """An interpreter below the floor, or a shim that only complains, is passed over."""
    put_python(checkout, "python3", "exit 1")
    put_python(checkout, "python3.13", "echo 'no such version' >&2; exit 127")
    done = setup(checkout)
    assert done.returncode == 1
    assert done.stderr.startswith("setup: no Python 3.11 or newer found")
    assert done.stderr.count("\n") == 1


def test_a_python_without_venv_is_said_in_one_line(checkout: Path) -> None:
    """On a Debian without python3-venv the set-up names the package to install."""
    put_python(checkout, "python3.12", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    done = setup(checkout)
    assert done.returncode == 1
    assert done.stderr == (
        "setup: python3.12 has no venv and ensurepip: install them"
        " (Debian, Ubuntu: apt install python3.12-venv)\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            (
                "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by"
                " 'NewConnectionError(': Failed to establish a new connection')'"
            ),
            (
                "the package index cannot be reached: connect to the network, or set"
                " PIP_INDEX_URL to a mirror"
            ),
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "a downloaded package does not match its hash in requirements-test.lock: do not use it",
        ),
        (
            "ERROR: Could not install packages due to an OSError: No space left on device",
            (
                "cannot install requirements-test.lock: ERROR: Could not install packages due to an"
                " OSError: No space left on device"
            ),
        ),
    ],
)
def test_what_pip_reports_is_said_in_one_line(checkout: Path, words: str, said: str) -> None:
    """What stopped pip is told in our last line, and nothing counts as installed."""
    failing = PRETENDER.replace('echo "$@" >> "$HOME/pip-calls"', 'cat "$HOME/words"; exit 1')
    (checkout / "words").write_text(f"Collecting alembic\n{words}\n")
    put_python(checkout, "python3", failing)
    done = setup(checkout, "test")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"setup: {said} (details: .venv/setup.log)"
    assert not (checkout / ".venv" / ".setup-test").exists()


def test_an_unknown_level_is_refused(checkout: Path) -> None:
    """A level that does not exist is named, with those that do."""
    done = setup(checkout, "tests")
    assert done.returncode == 1
    assert done.stderr == "setup: unknown level 'tests' (have: app, test)\n"


def test_a_second_run_does_nothing(checkout: Path) -> None:
    """Once the locks are installed, no later run calls pip, until a lock changes."""
    put_python(checkout, "python3", PRETENDER)
    calls = checkout / "pip-calls"
    assert setup(checkout, "test").returncode == 0
    first = calls.read_text().splitlines()
    assert [("--require-hashes" in call, "--editable" in call) for call in first] == [
        (True, False),
        (False, True),
    ]
    for level in ("test", "app"):
        done = setup(checkout, level)
        assert (done.returncode, done.stderr) == (0, "")
    assert calls.read_text().splitlines() == first

    (checkout / "requirements-test.lock").write_text("changed==1\n")
    assert setup(checkout, "test").returncode == 0
    assert len(calls.read_text().splitlines()) == 2 * len(first)
