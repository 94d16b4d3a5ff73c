"""What a person types, as the ledger is asked for it."""

from __future__ import annotations

import sys

import pytest

from syncd.cli.finding import limited


@pytest.mark.parametrize(
    ("given", "most"),
    [(0, None), (1, 1), (sys.maxsize, sys.maxsize), (sys.maxsize + 1, None), (10**20, None)],
)
def test_more_than_any_list_can_have_is_all(given: int, most: int | None) -> None:
    """A number that no database and no iterator takes is no crash."""
    assert limited(given) == most
