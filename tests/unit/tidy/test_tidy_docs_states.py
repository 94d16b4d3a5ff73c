"""The page of states says what the code does and what the ledger enforces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Table

from syncd.core.call_job import (
    BATCH_TRANSITIONS,
    PHONE_TAKEN,
    TRANSITIONS,
    BatchState,
    JobState,
)
from syncd.ledger.schema import batches, call_jobs

PAGE = Path(__file__).parents[3] / "docs" / "explain" / "states.md"
NEW = "(new)"  #: how the page writes "does not exist yet"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head; code marks taken off."""
    text = PAGE.read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def arrows(transitions: Mapping[str, Iterable[StrEnum]]) -> set[tuple[str, str]]:
    """Every move of a table of transitions, as the page writes it."""
    return {(str(old) or NEW, str(new)) for old, news in transitions.items() for new in news}


def words_of_check(table: Table) -> set[str]:
    """The states that the ledger lets into a table."""
    (check,) = (
        constraint
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
        and str(constraint.sqltext).startswith("state IN")
    )
    return set(re.findall(r"'(\w+)'", str(check.sqltext)))


@pytest.mark.parametrize(
    ("heading", "transitions"),
    [("Moves of a call job", TRANSITIONS), ("Moves of a batch", BATCH_TRANSITIONS)],
)
def test_the_table_of_moves_is_the_table_of_the_code(
    heading: str, transitions: Mapping[str, Iterable[StrEnum]]
) -> None:
    """Each move of the code has one row, and no row is without a move."""
    told = [(row[0], row[1]) for row in rows(heading)]
    assert len(told) == len(set(told))
    assert set(told) == arrows(transitions)


@pytest.mark.parametrize(
    ("heading", "states", "table"),
    [
        ("States of a call job", JobState, call_jobs),
        ("States of a batch", BatchState, batches),
    ],
)
def test_page_code_and_ledger_name_the_same_states(
    heading: str, states: type[StrEnum], table: Table
) -> None:
    """A state that one of the three lacks would be a row that nobody can store or explain."""
    named = {str(state) for state in states}
    assert {row[0] for row in rows(heading)} == named
    assert words_of_check(table) == named


def test_the_page_tells_which_states_take_a_phone() -> None:
    """Law 1 hangs on this column: a phone that counts as called is not called again."""
    taken = {row[0] for row in rows("States of a call job") if row[2] == "yes"}
    assert taken == {str(state) for state in PHONE_TAKEN}


@pytest.mark.parametrize("state", [*JobState, *BatchState])
def test_the_picture_has_every_state(state: StrEnum) -> None:
    """The picture is not checked arrow by arrow, but it forgets no state."""
    picture = PAGE.read_text(encoding="utf-8").split("```")[1]
    assert re.search(rf"\b{state}\b", picture)
