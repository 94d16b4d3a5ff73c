"""Words that must not stand in the project, each with the reason."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
#: Generated or fetched: not ours to read.
FOREIGN = {".git", ".venv", ".venv-lock", ".envs", "results", "demo-run", "dist", "build"}
CACHES = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
HIDDEN = (".coverage", ".git")
SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".ini", ".sh", ".service", ".mako", ""}


@cache
def texts() -> list[tuple[str, str]]:
    """Each text file of the project and its name, but this one: it has to name what it bans."""
    return list(_read())


def _read() -> Iterator[tuple[str, str]]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - FOREIGN - CACHES)
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix in SUFFIXES and path != Path(__file__) and not name.startswith(HIDDEN):
                yield str(path.relative_to(ROOT)), path.read_text("utf-8", errors="replace")


def found(pattern: str, *, under: str = "") -> list[str]:
    """Where `pattern` stands, as file:line, in files whose path starts with `under`."""
    search = re.compile(pattern).search
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        if name.startswith(under)
        for number, line in enumerate(text.splitlines(), start=1)
        if search(line)
    ]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(?<![\w.])/(work|root|home/\w+)/", "a path of the machine where it was written"),
        (r"\.\./shared\b", "nothing outside the checkout is needed"),
        (r"\bTODO\b(?!.*#\d)|\bFIXME\b|\bXXX\b", "an unfinished thing is an issue with a number"),
        (r"type: ignore(?!\[)", "an ignored error is named"),
    ],
)
def test_a_banned_word_stands_nowhere(pattern: str, why: str) -> None:
    """No file holds what the list above bans."""
    assert found(pattern) == [], why


def test_no_exception_of_httpx_is_raised_for_a_status() -> None:
    """Such an exception of httpx holds the URL, and so the token: read the answer instead."""
    assert found(r"\braise_for_status\b", under="syncd/") == []


def test_an_ignored_rule_has_its_reason_on_the_line() -> None:
    """`noqa` names the rule and says why: `noqa: CODE - reason`."""
    with_reason = r"# noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S)"
    assert found(with_reason, under="syncd/") == []
