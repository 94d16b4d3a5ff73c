"""No Docker engine runs in CI: so the image is built by steps that CI runs by other means."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n\s*", "", TEXT).splitlines()
STAGES = TEXT.split("\nFROM ")[1:]


def instructions(name: str) -> list[str]:
    """What follows each instruction `name`, continued lines joined."""
    return [line.removeprefix(f"{name} ") for line in LINES if line.startswith(f"{name} ")]


def test_the_builder_runs_what_ci_runs() -> None:
    """The RUN steps of the builder are the calls of .ci/install that .ci/run makes."""
    builder = re.findall(r"^RUN (?:LOCK=\S+ )?(sh \.ci/install \w+)", STAGES[0], re.MULTILINE)
    ci = re.findall(r"^sh \.ci/install \w+", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert len(re.findall(r"^RUN ", STAGES[0], re.MULTILINE)) == len(builder)
    assert builder == ci


def test_the_last_stage_installs_nothing() -> None:
    """The last stage takes the finished environment: no pip, no apt, no compiler."""
    assert re.search(r"\b(pip|apt-get|apt|gcc|build-essential|curl)\b", STAGES[-1]) is None
    assert "COPY --from=builder /opt/venv /opt/venv" in STAGES[-1]


def test_the_image_runs_as_a_fixed_user_without_rights() -> None:
    """The user is a number above the system's, so that volumes can be given to it."""
    assert instructions("USER") == ["10001:10001"]


def test_signals_and_health_need_no_shell() -> None:
    """Entry point, command and health check are in exec form; SIGTERM is what syncd drains on."""
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert instructions("ENTRYPOINT") == ['["syncd"]']
    assert instructions("CMD") == ['["run"]']
    assert instructions("HEALTHCHECK")[0].endswith('CMD ["syncd", "status", "--check"]')


def test_the_base_is_a_supported_python() -> None:
    """Both stages stand on one slim image, of a Python that the classifiers name."""
    bases = {re.sub(r" AS .*", "", base) for base in instructions("FROM")}
    assert len(bases) == 1
    version = re.fullmatch(r"python:(3\.\d+)-slim", bases.pop())
    assert version is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"Programming Language :: Python :: {version[1]}" in project["classifiers"]


@pytest.mark.parametrize("name", ["pyproject.toml", "README.md", "LICENSE", "config.example.toml"])
def test_what_the_wheel_needs_reaches_the_builder(name: str) -> None:
    """.dockerignore lets through what the build reads."""
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert f"!{name}" in allowed
    assert {"!syncd", "!migrations", "!requirements*.lock", "!.ci/install"} <= set(allowed)
