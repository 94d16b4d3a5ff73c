"""The locks pin what pyproject.toml asks for, by hash, and name no place of their own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NEEDS = PROJECT["project"]["dependencies"]
FAST = PROJECT["project"]["optional-dependencies"]["fast"]
BUILD = PROJECT["dependency-groups"]["build"]
TEST = PROJECT["dependency-groups"]["test"]
AUDIT = PROJECT["dependency-groups"]["audit"]
LOCKS = {
    "requirements.lock": NEEDS,
    "requirements-fast.lock": NEEDS + FAST,
    "requirements-build.lock": BUILD,
    "requirements-test.lock": NEEDS + FAST + BUILD + TEST,
    "requirements-audit.lock": AUDIT,
}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """The version of each package that `lock` pins."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {canonicalize_name(name): version for name, version in PIN.findall(text)}


@pytest.mark.parametrize("lock", LOCKS)
def test_each_dependency_is_pinned_above_its_floor(lock: str) -> None:
    """Each requirement of pyproject.toml is in the lock, at a version that it allows."""
    pinned = pins(lock)
    wrong = [
        f"{need}: {pinned.get(canonicalize_name(need.name), 'absent')}"
        for need in map(Requirement, LOCKS[lock])
        if not need.specifier.contains(pinned.get(canonicalize_name(need.name), "0"))
    ]
    assert wrong == [], "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_each_pin_has_hashes_and_no_place(lock: str) -> None:
    """A pin is followed by its hashes; no index, folder or URL decides where it comes from."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"^--.*|\w+://\S+|.*@ .*", text, flags=re.MULTILINE) == []


@pytest.mark.parametrize("lock", ["requirements-fast.lock", "requirements-test.lock"])
def test_wider_locks_agree_with_the_application(lock: str) -> None:
    """What the tests run against is what the application installs."""
    wider = pins(lock)
    assert {name: wider[name] for name in pins("requirements.lock")} == pins("requirements.lock")


def test_the_builder_is_the_tested_one() -> None:
    """The wheel is built by the versions that the tests' own install used."""
    tested = pins("requirements-test.lock")
    builder = pins("requirements-build.lock")
    assert {name: tested[name] for name in builder} == builder


def test_the_image_and_the_classifiers_know_the_floor() -> None:
    """`requires-python`, ruff, mypy and the lock's resolver start at one Python."""
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    assert PROJECT["tool"]["ruff"]["target-version"] == "py311"
    assert PROJECT["tool"]["mypy"]["python_version"] == "3.11"
    assert "--python-version 3.11" in (ROOT / "Makefile").read_text(encoding="utf-8")
