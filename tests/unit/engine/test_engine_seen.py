"""The set of numbers that `plan` keeps: it forgets nothing and invents nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.engine.seen import Seen, number_of


@given(st.lists(st.integers(1, 2**64 - 1)))
def test_it_is_a_set(numbers: list[int]) -> None:
    """Each number is new once, is in it afterwards, and is counted once."""
    seen, known = Seen(), set[int]()
    for number in numbers:
        assert (number in seen) == (number in known)
        assert seen.add(number) == (number not in known)
        known.add(number)
    assert len(seen) == len(known)


def test_it_grows_and_forgets_nothing() -> None:
    """Phones in a row, many more than it first has room for."""
    seen = Seen()
    phones = range(12015550100, 12015550100 + 20_000)
    assert all(map(seen.add, phones))
    assert not any(map(seen.add, phones))
    assert 12015550099 not in seen
    assert len(seen) == 20_000


def test_zero_has_no_place() -> None:
    """It marks an empty slot."""
    with pytest.raises(AssertionError):
        Seen().add(0)


@given(st.text())
def test_every_key_has_a_number(key: str) -> None:
    """Never zero, always the same, even for half an emoji."""
    assert 0 < number_of(key) < 2**64
    assert number_of(key) == number_of(key)
    assert number_of(key + "\ud83d") > 0
    assert number_of(key) != number_of(key + "/2")
