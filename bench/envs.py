"""One environment for each contender under bench/.envs, made again when its pins change."""

from __future__ import annotations

import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
ENVS = HERE / ".envs"
PHONES = ("phonenumbers==9.0.43", "rphonenumbers==0.1.0")
#: What pip is told for each environment; syncd's own come from its locks, hash by hash.
PINS: dict[str, tuple[str, ...]] = {
    "plain": ("requests==2.34.2", *PHONES),
    "dlt": ("dlt==1.31.0", "requests==2.34.2", *PHONES),
    "drt": ("drt-core[postgres]==1.2.1",),
    "syncd": ("--require-hashes", "-r", "requirements.lock"),
    "syncd-fast": ("--require-hashes", "-r", "requirements-fast.lock"),
}


def python(name: str) -> str:
    """The interpreter of the environment `name`, which is made if need be."""
    folder = ENVS / name
    interpreter = folder / "bin" / "python"
    stamp = folder / "pins"
    want = _digest(name)
    if stamp.exists() and stamp.read_text() == want:
        return str(interpreter)
    sys.stderr.write(f"bench: making the environment {name}\n")
    venv.create(folder, with_pip=True, clear=True)
    _pip(folder, *PINS[name])
    if name.startswith("syncd"):
        # Editable: the bench measures the checkout, not a copy that may be old.
        _pip(folder, "--require-hashes", "-r", "requirements-build.lock")
        _pip(folder, "--no-deps", "--no-build-isolation", "--editable", ".")
    stamp.write_text(want)
    return str(interpreter)


def _digest(name: str) -> str:
    pins = " ".join(PINS[name]).encode()
    if name.startswith("syncd"):
        files = (PINS[name][-1], "requirements-build.lock", "pyproject.toml")
        pins += b"".join((ROOT / file).read_bytes() for file in files)
    return sha256(pins).hexdigest()


def _pip(folder: Path, *args: str) -> None:
    command = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *args], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: cannot make {folder.name}: {done.stderr.strip()[-300:]}")
