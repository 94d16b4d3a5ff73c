"""`make audit` says in one line what is wrong; silence of the advisories is no success."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = (
    ".ci/audit",
    "pyproject.toml",
    "requirements-audit.lock",
    "requirements-fast.lock",
    "requirements-build.lock",
)
CLEAN = "echo 'No known vulnerabilities found'"
SILENT = "echo 'ERROR: alembic: Dependency not found on PyPI and could not be audited' >&2; exit 1"
OFFLINE = "echo 'requests.exceptions.ConnectionError: no such host' >&2; exit 1"
FOUND = "echo 'jinja2 2.0 PYSEC-2019-217 2.10.1'; exit 1"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder whose audit environment is made already, with a tool that writes an SBOM."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv/audit/bin").mkdir(parents=True)
    with (tmp_path / "requirements-audit.lock").open("rb") as lock:
        stamp = subprocess.run(["cksum"], stdin=lock, capture_output=True, text=True, check=True)
    (tmp_path / ".venv/audit/.lock").write_text(stamp.stdout.strip())
    put_tool(tmp_path, "cyclonedx-py", 'while [ "$1" != -o ]; do shift; done; echo "{}" > "$2"')
    return tmp_path


def put_tool(checkout: Path, name: str, script: str) -> None:
    """Put a tool into the audit environment that does this."""
    tool = checkout / ".venv/audit/bin" / name
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


def audit(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run the audit."""
    return subprocess.run(
        ["/bin/sh", ".ci/audit"], cwd=checkout, capture_output=True, text=True, check=False
    )


def test_a_clean_audit_writes_the_list_of_parts(checkout: Path) -> None:
    """Exit code 0, the SBOM in dist/, one line for each lock; every question is a strict one."""
    put_tool(checkout, "pip-audit", f'echo "$@" >> asked; {CLEAN}')
    done = audit(checkout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (checkout / "dist/syncd.cdx.json").exists()
    assert done.stdout.count("no known vulnerability") == 2
    asked = (checkout / "asked").read_text().splitlines()
    assert all("--strict --require-hashes" in line for line in asked)


@pytest.mark.parametrize("says", [SILENT, OFFLINE])
def test_what_could_not_be_looked_up_is_no_success(checkout: Path, says: str) -> None:
    """No advisories, no audit: exit code 1 and one line that says so."""
    put_tool(checkout, "pip-audit", says)
    done = audit(checkout)
    assert done.returncode == 1
    assert done.stderr == (
        "audit: the advisories cannot be reached, nothing was audited: connect to the network"
        " (details: .venv/audit.log)\n"
    )


def test_a_vulnerability_is_told(checkout: Path) -> None:
    """What was found, in which lock, and what to do."""
    put_tool(checkout, "pip-audit", FOUND)
    done = audit(checkout)
    assert done.returncode == 1
    assert "PYSEC-2019-217" in done.stderr
    assert done.stderr.endswith(
        "audit: requirements-fast.lock pins a package with a known vulnerability:"
        " make lock UPGRADE=--upgrade\n"
    )
