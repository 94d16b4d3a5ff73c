"""The glossary and the code speak one language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "explain" / "glossary.md"
#: The founding words; the glossary may have more, never fewer.
FOUNDING = (
    "source", "record", "lead", "rejection", "sync", "campaign", "call job", "batch", "doubt",
    "attempt", "report", "zone", "window", "cursor", "ledger", "pass",
)  # fmt: skip


def entries() -> list[list[str]]:
    """Word, meaning and banned synonyms of each row."""
    lines = [row for row in PAGE.read_text(encoding="utf-8").splitlines() if row.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def terms() -> list[str]:
    """Each word of the glossary, without its note in brackets."""
    return [re.sub(r" \(.*\)", "", row[0]) for row in entries()]


@cache
def sources() -> tuple[str, ...]:
    """The text of every module of ours."""
    return tuple(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "syncd").rglob("*.py"))
    )


def class_words() -> Iterator[tuple[str, str]]:
    """(class name, one word of it in lower case) of each class of ours."""
    for text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                for word in re.findall(r"[A-Z]+[a-z]*", node.name):
                    yield node.name, word.lower()


def test_the_glossary_is_sorted_and_has_every_founding_word() -> None:
    """A reader finds a word where the alphabet puts it."""
    words = [row[0] for row in entries()]
    assert words == sorted(words)
    assert set(FOUNDING) <= set(terms())


@pytest.mark.parametrize("term", terms())
def test_a_word_of_the_glossary_is_used_in_the_code(term: str) -> None:
    """A word that the code does not use explains nothing."""
    pattern = re.compile(rf"\b{term.replace(' ', '[ _]')}(s|es)?\b", re.IGNORECASE)
    assert any(pattern.search(text) for text in sources())


def test_no_class_has_a_second_name_for_a_thing() -> None:
    """The last column of the glossary holds words that would be a second name."""
    banned = {word.strip() for row in entries() for word in row[2].split(",")}
    assert banned.isdisjoint(terms())
    assert [name for name, word in class_words() if word in banned] == []
